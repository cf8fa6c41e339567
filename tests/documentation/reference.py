"""The parts of the reference that are made from code, and writing them into their pages.

`python -m tests.documentation` writes them again; a test compares them with what is committed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from tests.documentation import commands, http, library
from tests.documentation.pages import ROOT

GENERATED: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "docs/reference/library.md": {
        "calls": library.calls,
        "values": library.values,
        "ports": library.ports,
        "answers": library.answers,
        "errors": library.failures,
    },
    "docs/reference/http.md": {"routes": http.routes, "bodies": http.bodies},
    "docs/reference/command-line.md": {"commands": commands.commands},
}
"""The makers of each page's parts, by the names in its `<!-- generated: NAME -->`."""

_PART: Final = re.compile(
    r"(<!-- generated: (\w+) -->\n).*?(<!-- /generated -->)", flags=re.DOTALL
)


def made_again(page: str) -> str:
    """The page as it should be."""
    makers = GENERATED[page]

    def fill(part: re.Match[str]) -> str:
        return f"{part[1]}\n{makers[part[2]]()}\n{part[3]}"

    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- generated: (\w+) -->", text)) == set(makers), page
    return _PART.sub(fill, text)


def write_all() -> None:
    """Write every page again."""
    for page in GENERATED:
        (ROOT / page).write_text(made_again(page), encoding="utf-8")
