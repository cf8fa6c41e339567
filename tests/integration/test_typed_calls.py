"""Whoever embeds a shop has every call checked by mypy."""

from __future__ import annotations

from pathlib import Path

from mypy import api

from tests.processes import ROOT

WRONG = """
from quickshop import open_shop

shop = open_shop("memory://")
shop.inventory.receive("MUG", "3")
shop.inventory.receive("MUG", 3, nonsense=1)
shop.products.create(title=3, variants=[])
shop.orders.cancel("1001")
"""


def test_a_wrong_call_is_an_error_before_it_runs(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(WRONG)
    cache = ROOT / ".mypy_cache"  # of `nox -s types`: to check all of the shop takes long
    said, _, _ = api.run(["--strict", "--cache-dir", str(cache), str(program)])
    lines = [int(line.split(":")[1]) for line in said.splitlines() if ": error: " in line]
    assert lines == [5, 6, 7, 8], said
