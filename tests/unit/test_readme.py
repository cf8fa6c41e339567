"""What the README says is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from quickshop.settings import PREFIX, Settings

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_settings_table_names_every_setting_and_its_default() -> None:
    table = README.partition("<!-- settings:")[2].partition("<!-- /settings -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", table, flags=re.MULTILINE)
    fields = Settings.model_fields.items()
    assert rows == [
        (PREFIX + name.upper(), "" if field.default is None else str(field.default))
        for name, field in fields
    ]


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
