"""Decides by a seed what happens when, and keeps a log of it."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.chaos.faults import FAULTS, Fault, Harm
from tests.chaos.stage import Stage

PER_SECOND: Final = 1.2
"""Faults that begin, on the average."""
LONGEST: Final = "worker paused"
"""Begins first, so that it ends within the load."""
HEAL_SECONDS: Final = 60
LATE: Final = 3
"""How many times as long as planned a run may take."""


@dataclass(slots=True, eq=False)
class Incident:
    """A fault that was inflicted."""

    fault: Fault
    began: float
    ended: float = 0.0
    felt: str = ""
    """What showed that it had an effect; empty when nothing did."""
    trouble: str = ""
    """Why it could not be inflicted."""

    def __str__(self) -> str:
        """One line of a log."""
        felt = self.felt or f"WITHOUT EFFECT {self.trouble}"
        return f"{self.began:6.1f}-{self.ended:5.1f} s  {self.fault.name}: {felt}"


def plan(seed: int, seconds: float, faults: Sequence[Fault] = FAULTS) -> list[tuple[float, Fault]]:
    """When which kind begins: each once before any comes twice."""
    random = Random(f"nemesis {seed}")
    number = max(1, round(seconds * PER_SECOND))
    order: list[Fault] = []
    while len(order) < number:
        order += random.sample(faults, len(faults))
    order = sorted(order[:number], key=lambda fault: fault.name != LONGEST)
    apart = seconds / number
    return [(apart * (n + random.random() * 0.8), fault) for n, fault in enumerate(order)]


@dataclass(slots=True)
class Nemesis:
    """Carries a plan out, in the thread that started the servers."""

    stage: Stage
    seed: int
    faults: Sequence[Fault] = FAULTS
    log: list[Incident] = field(default_factory=list)
    _to_come: deque[tuple[float, Fault]] = field(default_factory=deque)
    _under_way: list[tuple[float, int, Incident, Harm]] = field(default_factory=list)
    _begun: float = 0.0

    def run(self, seconds: float) -> None:
        """Inflict what the plan says, and return when the time is up.

        On a machine that is too busy for the plan it takes longer, within reason.
        """
        self._begun = time.monotonic()
        self._to_come.extend(plan(self.seed, seconds, self.faults))
        while self._now < seconds or (self._to_come and self._now < LATE * seconds):
            self._go_on()

    def heal(self) -> None:
        """End all faults; no new one starts."""
        self._to_come.clear()
        limit = self._now + HEAL_SECONDS
        while self._under_way and self._now < limit:
            self._go_on()

    @property
    def _now(self) -> float:
        return time.monotonic() - self._begun

    def _go_on(self) -> None:
        self.stage.crew.tend()
        now = self._now
        if self._under_way and self._under_way[0][0] <= now:
            _due, _number, incident, harm = heapq.heappop(self._under_way)
            self._step(incident, harm)
        elif fault := self._next_fault(now):
            incident = Incident(fault, now)
            self.log.append(incident)
            random = Random(f"{fault.name} {self.seed} {len(self.log)}")
            self._step(incident, fault.inflict(self.stage, random))
        else:
            time.sleep(0.02)

    def _next_fault(self, now: float) -> Fault | None:
        busy = {incident.fault.target for _due, _number, incident, _harm in self._under_way}
        for entry in self._to_come:
            if entry[0] > now:
                return None
            if entry[1].target not in busy:
                self._to_come.remove(entry)
                return entry[1]
        return None

    def _step(self, incident: Incident, harm: Harm) -> None:
        try:
            wait = next(harm)
        except StopIteration as end:
            incident.felt, incident.ended = end.value or "", self._now
        except Exception as error:  # noqa: BLE001 - the others go on
            incident.trouble, incident.ended = f"{type(error).__name__}: {error}", self._now
        else:
            entry = (self._now + wait, self.log.index(incident), incident, harm)
            heapq.heappush(self._under_way, entry)
