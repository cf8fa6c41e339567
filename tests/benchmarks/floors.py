"""The floor of everything over HTTP: the fastest hello that FastAPI offers on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks import processes
from tests.benchmarks.load import Visitor, asking, request
from tests.benchmarks.measure import HANDS, Effort, Sample, Side, http_side, in_turn

SERVERS: Final = {
    "uvicorn": "uvicorn with httptools and uvloop",
    "granian": "granian with uvloop",
}
"""Those that a hello is measured on, as `serve` knows them."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A hello that is being served, and what it came to when it was chosen."""

    server: str
    port: int
    pid: int
    cpu_microseconds: float
    rate: float

    def side(self, seconds: float) -> Side:
        """Ask it as a floor."""
        return _side(self.port, self.pid, seconds)

    def __str__(self) -> str:
        return (
            f"{SERVERS[self.server]} ({self.cpu_microseconds:,.0f} µs of CPU, {self.rate:,.0f}/s)"
        )


@dataclass(frozen=True, slots=True)
class Floors:
    """The hellos that rows are compared with."""

    hellos: tuple[Hello, ...]

    @property
    def cheapest(self) -> Hello:
        """The one that uses the least CPU; the fastest where CPU is not reported."""
        if not all(each.cpu_microseconds for each in self.hellos):
            return self.fastest
        return min(self.hellos, key=lambda each: each.cpu_microseconds)

    @property
    def fastest(self) -> Hello:
        """The one that answers most often."""
        return max(self.hellos, key=lambda each: each.rate)

    def __str__(self) -> str:
        measured = "; ".join(map(str, self.hellos))
        return (
            f"FastAPI hello in this run: {measured}. Floor of rows judged by CPU:"
            f" {self.cheapest.server}; by rate: {self.fastest.server}."
        )


@contextmanager
def serve_floors(folder: Path, effort: Effort) -> Iterator[Floors]:
    """Serve hello on each server, and measure them in turn."""
    with (
        processes.run(folder, "hello", "uvicorn") as (uvicorn, uvicorn_port),
        processes.run(folder, "hello", "granian") as (granian, granian_port),
    ):
        served = (("uvicorn", uvicorn_port, uvicorn.pid), ("granian", granian_port, granian.pid))
        sides = [_side(port, pid, effort.seconds) for _, port, pid in served]
        columns = zip(*in_turn(sides, effort.rounds), strict=True)
        yield Floors(
            tuple(
                _found(server, port, pid, column)
                for (server, port, pid), column in zip(served, columns, strict=True)
            )
        )


def _found(server: str, port: int, pid: int, samples: tuple[Sample, ...]) -> Hello:
    return Hello(
        server,
        port,
        pid,
        cpu_microseconds=median(sample.cpu_microseconds for sample in samples),
        rate=median(sample.rate for sample in samples),
    )


def _side(port: int, pid: int, seconds: float) -> Side:
    questions = [request("GET", "/")]

    def visitors() -> list[Visitor]:
        return [asking(questions) for _ in range(HANDS)]

    return http_side(port, visitors, [pid], seconds)
