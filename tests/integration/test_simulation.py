"""The core on its twins with everything going wrong, and bugs that this must catch.

A landing runs 500 of 2,000 seeds.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

import quickshop
from tests import processes
from tests.landing import share
from tests.mutants import MUTANTS
from tests.simulation.hunt import hunt
from tests.simulation.world import simulate

SEEDS: Final = share(range(2_000), 4)
PARTS: Final = 20
"""Tests that the seeds are dealt to."""
SIMULATED: Final = sorted(
    name for name, mutant in MUTANTS.items() if mutant.evidence == "simulation"
)


def todays_mutants() -> list[str]:
    """Two of them: which, the product's code decides, so that each commit has its own."""
    files = sorted(Path(quickshop.__file__).parent.rglob("*.py"))
    digest = sha256(b"".join(file.read_bytes() for file in files)).digest()
    first = int.from_bytes(digest[:8]) % len(SIMULATED)
    return [SIMULATED[first], SIMULATED[(first + len(SIMULATED) // 2) % len(SIMULATED)]]


@pytest.mark.sampled
@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept_whatever_goes_wrong_in_whatever_order(part: int) -> None:
    broken = {
        seed: verdict.violation
        for seed in SEEDS[part::PARTS]
        if (verdict := simulate(seed)).violation is not None
    }

    assert not broken, "replay one with: python3 shop simulate --seed N"


@pytest.mark.parametrize("name", todays_mutants())
def test_a_planted_bug_is_caught_by_a_simulation(name: str) -> None:
    assert hunt(MUTANTS[name]) is not None, f"nothing noticed: {MUTANTS[name].bug}"


def test_a_seed_replays_to_the_letter_in_another_process() -> None:
    assert trace_of_another_process("1") == trace_of_another_process("2")


def trace_of_another_process(hash_seed: str) -> str:
    done = processes.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "8123"],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
