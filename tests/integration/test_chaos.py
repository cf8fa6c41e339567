"""A whole fleet of real processes, and everything that may happen to one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import processes

SEED = 8123
SECONDS = 30
LONGEST = 420


@pytest.mark.timeout(LONGEST + 30)
def test_a_fleet_to_which_everything_happens_keeps_every_promise(tmp_path: Path) -> None:
    log = tmp_path / "chaos.log"
    words = ("-m", "tests.chaos", "--verbose", "--seed", str(SEED), "--seconds", str(SECONDS))
    with processes.running(*words, log=log) as run:
        code = run.wait(LONGEST)
    said = log.read_text()
    assert code == 0, said
    felt = re.search(r"(\d+) kinds of fault", said)
    assert felt is not None, said
    assert int(felt[1]) >= 15, said
