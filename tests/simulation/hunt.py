"""Whether a simulation catches a bug."""

from __future__ import annotations

from typing import Final

from tests.mutants import Mutant
from tests.simulation.world import Verdict, simulate

SEEDS: Final = 600
"""Runs within which a planted bug must be found."""


def hunt(mutant: Mutant, seeds: int = SEEDS) -> Verdict | None:
    """The first run that a planted bug breaks; None when it got away."""
    with mutant.planted():
        for seed in range(seeds):
            verdict = simulate(seed)
            if verdict.violation is not None:
                return verdict
    return None
