"""`shop prove`: each row of the table of proofs can be run again by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import proofs

ROOT = Path(__file__).parents[2]


def test_every_proof_that_a_page_names_can_be_run() -> None:
    pages = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    named = {
        name for page in pages for name in re.findall(r"shop prove ([a-z_-]+)", page.read_text())
    }
    assert named <= proofs.PROOFS.keys()


def test_an_unknown_proof_is_answered_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert proofs.main(["everything"]) == 2
    said = capsys.readouterr().out
    assert all(name in said for name in proofs.PROOFS)
