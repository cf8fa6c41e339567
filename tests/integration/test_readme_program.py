"""The program in the README runs as it stands there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_program_in_the_readme_buys_something(tmp_path: Path) -> None:
    program = README.partition("```python\n")[2].partition("```")[0]
    for number in ("1001", "1002"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout.split() == [number, "paid"], done.stderr
