"""What the README says is so."""

from __future__ import annotations

import re
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
