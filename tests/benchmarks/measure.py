"""Comparing with a floor on noisy shared cores: short rounds in turn, and the median of ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import StatisticsError, median
from typing import Final, Self

from tests.benchmarks.load import Traffic, Visitor, drive
from tests.benchmarks.processes import cpu_seconds

HANDS: Final = 8
"""Connections of a load, as many as a shop has database connections."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a run takes, against how far its figures can be trusted."""

    rounds: int
    seconds: float
    """Length of a round, per side."""
    orders: int
    """Orders per round, where they are counted out."""
    floor_orders: int
    """The same for each client of pgbench, which first has to prepare its statements."""
    hot_orders: int
    """Orders per round of a crowd."""

    @classmethod
    def full(cls) -> Self:
        return cls(rounds=5, seconds=0.8, orders=400, floor_orders=400, hot_orders=240)

    @classmethod
    def quick(cls) -> Self:
        return cls(rounds=2, seconds=0.3, orders=120, floor_orders=150, hot_orders=128)


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one side."""

    count: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        return 1e6 * self.cpu_seconds / self.count


Side = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A subject beside its floor: medians over the rounds. Ratios are high when it does well."""

    rate: float
    floor_rate: float
    rate_ratio: float
    cpu_microseconds: float
    floor_cpu_microseconds: float
    cpu_ratio: float
    """0 where the system does not report the CPU time of a process."""
    spread: tuple[float, float]
    """Lowest and highest ratio of rates."""


def compare(subject: Side, floor: Side, rounds: int) -> Comparison:
    """Measure both in turn, after one round that is thrown away."""
    return comparison([(least, mine) for least, mine in in_turn([floor, subject], rounds)])


def in_turn(sides: Sequence[Side], rounds: int) -> list[list[Sample]]:
    """What each side came to in each round, after one that is thrown away."""
    return [[side() for side in sides] for _ in range(rounds + 1)][1:]


def comparison(pairs: Sequence[tuple[Sample, Sample]]) -> Comparison:
    """What pairs of a floor and its subject come to."""
    rates = [mine.rate / least.rate for least, mine in pairs]
    cpu = 0.0
    with suppress(ZeroDivisionError, StatisticsError):
        cpu = median(least.cpu_microseconds / mine.cpu_microseconds for least, mine in pairs)
    return Comparison(
        rate=median(mine.rate for _, mine in pairs),
        floor_rate=median(least.rate for least, _ in pairs),
        rate_ratio=median(rates),
        cpu_microseconds=median(mine.cpu_microseconds for _, mine in pairs),
        floor_cpu_microseconds=median(least.cpu_microseconds for least, _ in pairs),
        cpu_ratio=cpu,
        spread=(min(rates), max(rates)),
    )


def http_side(
    port: int, visitors: Callable[[], list[Visitor]], pids: list[int], seconds: float
) -> Side:
    """A side that is asked over HTTP for so long; `pids` are those whose CPU counts."""

    def measure() -> Sample:
        ready = visitors()
        return sampled(lambda: drive(port, ready, seconds=seconds), pids)

    return measure


def sampled(work: Callable[[], Traffic], pids: list[int]) -> Sample:
    """What some work came to, and the CPU of these processes meanwhile."""
    before = cpu_seconds(*pids)
    traffic = work()
    return Sample(traffic.answers, traffic.seconds, cpu_seconds(*pids) - before)
