"""The core on its twins with everything going wrong.

A landing runs 500 of 2,000 seeds.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import pytest

from tests import processes
from tests.landing import share
from tests.simulation.world import simulate

SEEDS: Final = share(range(2_000), 4)
PARTS: Final = 20


@pytest.mark.sampled
@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept_whatever_goes_wrong_in_whatever_order(part: int) -> None:
    broken = {
        seed: verdict.violation
        for seed in SEEDS[part::PARTS]
        if (verdict := simulate(seed)).violation is not None
    }

    assert not broken, "replay one with: python3 shop simulate --seed N"


def test_a_seed_replays_to_the_letter_in_another_process() -> None:
    assert trace_of_another_process("1") == trace_of_another_process("2")


def trace_of_another_process(hash_seed: str) -> str:
    done = processes.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "8123"],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
