"""Whether simulated runs catch a planted bug, by the rule that the bug must break."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from tests.mutants import MUTANTS, Mutant, NothingToPatchError
from tests.simulation.violations import Kind, Violation
from tests.simulation.world import simulate

SEEDS: Final = 600
"""Runs within which a planted bug must be caught."""
PROCESSES: Final = 2

HEADER: Final = "| planted bug | what is wrong | caught by | after runs |\n|---|---|---|---|"
"""Of the table of all hunts."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """The runs with one planted bug, up to the one that caught it."""

    mutant: Mutant
    runs: int
    violation: Violation | None
    """What ended the hunt: a broken rule, or a defect of the mutant."""
    others: Counter[Kind]
    """How many runs broke other rules. Those do not count as caught."""

    @property
    def is_caught(self) -> bool:
        """Whether a run broke the rule that the mutant names."""
        return self.violation is not None and self.violation.kind is self.mutant.caught_by

    @property
    def verdict(self) -> str:
        """The rule that was broken, or why the bug does not count as caught."""
        rule = self.mutant.caught_by
        if self.is_caught:
            return str(rule)
        if self.violation is not None:
            return f"broken mutant: {self.violation.detail}"
        if self.others:
            others = ", ".join(f"{kind} ({times})" for kind, times in self.others.most_common())
            return f"not caught by {rule}, but by something else: {others}"
        return f"not caught by {rule}"

    @property
    def row(self) -> str:
        """Of the table of all hunts."""
        return f"| {self.mutant.name} | {self.mutant.bug} | {self.verdict} | {self.runs} |"


def hunt(mutant: Mutant, seeds: int = SEEDS) -> Hunt:
    """Run seeds with a planted bug until one breaks the rule that the mutant names.

    Runs that break another rule are counted and passed over. A run that dies ends the hunt: the
    mutant is broken.
    """
    try:
        with mutant.planted():
            return _hunt(mutant, seeds)
    except NothingToPatchError as error:
        return Hunt(mutant, 0, Violation(Kind.DIED, str(error)), Counter())


def _hunt(mutant: Mutant, seeds: int) -> Hunt:
    others = Counter[Kind]()
    for seed in range(seeds):
        violation = simulate(seed).violation
        if violation is None:
            continue
        if violation.kind in {mutant.caught_by, Kind.DIED}:
            return Hunt(mutant, seed + 1, violation, others)
        others[violation.kind] += 1
    return Hunt(mutant, seeds, None, others)


def hunt_all() -> Iterator[tuple[bool, str]]:
    """Hunt every mutant, several at once: whether each was caught, and its row of the table."""
    fresh = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=fresh, initializer=_silence) as processes:
        yield from processes.map(_caught_and_row, MUTANTS)


def _caught_and_row(name: str) -> tuple[bool, str]:
    found = hunt(MUTANTS[name])
    return found.is_caught, found.row


def _silence() -> None:
    logging.getLogger("quickshop").setLevel(logging.CRITICAL)
