"""The page of errors names every code that HTTP may answer with, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from quickshop.entrypoints.http.edge.problems import _REASONS, Problem, default_reason
from quickshop.entrypoints.http.errors import STATUS_BY_ERROR

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "reference" / "errors.md").read_text()
HTTP: Final = ROOT / "src" / "quickshop" / "entrypoints" / "http"
FALLBACK: Final = default_reason(418)[0]

_ROW: Final = re.compile(r"^\| `(\w+)` \| (\d{3}|other) \| \S.* \| \S.* \|$", re.MULTILINE)
_MAKERS: Final = {"problem", "ProblemError"}


def written_out(source: str) -> Iterator[tuple[str, str | None]]:
    """The codes that calls in HTTP code name as they are, and the status if that is there, too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _MAKERS:
            named = [word.value for word in node.keywords if word.arg == "code"]
            for code in (*node.args[1:2], *named):
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    status = node.args[0] if node.args else None
                    found = str(status.value) if isinstance(status, ast.Constant) else None
                    yield code.value, found


def in_code() -> set[tuple[str, str]]:
    """Every code and its status."""
    known = {(kind.code, str(status)) for kind, status in STATUS_BY_ERROR.items()}
    known |= {(reason.code, str(status)) for status, reason in _REASONS.items()}
    known.add((FALLBACK, "other"))
    for file in HTTP.rglob("*.py"):
        for code, status in written_out(file.read_text()):
            if status is None:
                assert code in {name for name, _ in known}, f"{file.name}: {code} without status"
            else:
                known.add((code, status))
    return known


def test_every_code_is_on_the_page_with_its_status_and_no_other_is() -> None:
    rows = _ROW.findall(PAGE)
    assert len(rows) == len(set(rows))
    missing, gone = in_code() - set(rows), set(rows) - in_code()
    assert not missing, f"the page lacks {sorted(missing)}"
    assert not gone, f"the page has {sorted(gone)}, which the code does not"


def test_codes_are_found_wherever_a_problem_is_made() -> None:
    source = 'problem(1, "a"); problem(2, code="b"); ProblemError(S, "c", "d"); problem(3, x)'
    assert list(written_out(source)) == [("a", "1"), ("b", "2"), ("c", None)]


def test_every_field_of_a_problem_is_on_the_page() -> None:
    table = PAGE.partition("| field |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(Problem.model_fields)
