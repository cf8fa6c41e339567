"""The core on its twins with everything going wrong: 2,000 runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

from tests.simulation.world import simulate

RUNS: Final = 2_000
PARTS: Final = 20


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept_whatever_goes_wrong_in_whatever_order(part: int) -> None:
    broken = {
        seed: verdict.violation
        for seed in range(part, RUNS, PARTS)
        if (verdict := simulate(seed)).violation is not None
    }

    assert not broken, "replay one with: python3 shop simulate --seed N"


def test_a_seed_replays_to_the_letter_in_another_process() -> None:
    assert trace_of_another_process("1") == trace_of_another_process("2")


def trace_of_another_process(hash_seed: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "8123"],
        check=True,
        capture_output=True,
        timeout=60,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    ).stdout
