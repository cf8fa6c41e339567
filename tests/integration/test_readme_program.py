"""The program in the README runs as it stands there."""

from __future__ import annotations

import sys
from pathlib import Path

from tests import processes

README = (Path(__file__).parents[2] / "README.md").read_text()


PROGRAMS = [part.partition("```")[0] for part in README.split("```python\n")[1:]]


def run(program: str, folder: Path) -> list[str]:
    """What it printed."""
    done = processes.run(
        [sys.executable, "-c", program],
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_programs_in_the_readme_buy_something_and_see_it_through(tmp_path: Path) -> None:
    buys, sees_through = PROGRAMS
    for number in ("1001", "1002"):
        assert run(buys, tmp_path) == [number, "paid"]
    assert run(sees_through, tmp_path) == ["partially_fulfilled"]
