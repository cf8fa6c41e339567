"""The shop speaks the field's English: words that readers stop at do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("src", "docs", "README.md", "CONTRIBUTING.md", "SECURITY.md", "shop")
SUFFIXES: Final = frozenset({".py", ".j2", ".md", ""})

INSTEAD: Final = {
    r"nobody|no one": "name who, or say that it does not happen",
    r"whoever|whomever|whatever": "name the noun: the caller, the adapter, any value",
    r"somebody|someone": "name who: a shopper, a worker, another transaction",
    r"told|tells?": "returns, reports, logs, notifies, says",
    r"mend(?:s|ed|ing)?": "fix",
    r"lets? go|letting go": "release, cancel, void",
    r"anew": "again",
    r"one's own|of its own accord": "your own, its own",
    r"is to be|are to be": "must, will",
}
"""A pattern, and what to write."""


def _texts() -> Iterator[tuple[Path, str]]:
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix in SUFFIXES and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT), file.read_text()


@pytest.mark.parametrize("words", INSTEAD)
def test_readers_do_not_stop_at_a_word(words: str) -> None:
    pattern = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    found = [
        f"{file}:{number}: {line.strip()}"
        for file, text in _texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]

    assert not found, f"write instead: {INSTEAD[words]}\n" + "\n".join(found)
