"""A whole fleet of real processes, and everything that may happen to one.

At a landing less of it happens, and the commit decides what.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests import processes
from tests.landing import seed, whole

SECONDS: Final = 30 if whole() else 5
KINDS: Final = 15 if whole() else 4
"""Kinds of fault whose effect must show; each second begins one."""
LONGEST: Final = 420


@pytest.mark.sampled
@pytest.mark.timeout(LONGEST + 30)
def test_a_fleet_to_which_everything_happens_keeps_every_promise(tmp_path: Path) -> None:
    log = tmp_path / "chaos.log"
    options = ("--verbose", "--seed", str(seed() % 10_000), "--seconds", str(SECONDS))
    with processes.running("-m", "tests.chaos", *options, log=log) as run:
        code = run.wait(LONGEST)
    said = log.read_text()
    assert code == 0, said
    felt = re.search(r"(\d+) kinds of fault", said)
    assert felt is not None, said
    assert int(felt[1]) >= KINDS, said
