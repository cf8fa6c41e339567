"""The pages of the documentation, and the blocks and links in them.

A block of `sh` or `python` is run, in the order of its page; with `title="NAME"` it is a file that
a later command uses. A block of `text` or `json` is what the block before it printed. Comments
before a block say what differs: `<!-- not run: WHY -->`, `<!-- another terminal -->` for a server,
`<!-- repeat -->` for a command that is given again until it prints what the page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
RUN: Final = frozenset({"sh", "python"})
PRINTED: Final = frozenset({"text", "json"})
SHOWN: Final = frozenset({"mermaid", "nginx", "pyi"})
"""Languages of blocks that are neither run nor printed by anything."""

_FENCE: Final = re.compile(r"^```(\w*)(?: title=\"([\w.-]+)\")?$")
_MARKER: Final = re.compile(r"^<!-- (not run|another terminal|repeat)(?:: (.+))? -->$")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_ANCHOR: Final = re.compile(r"<a id=\"([\w-]+)\">")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    line: int
    language: str
    title: str
    text: str
    marker: str = ""
    """What the comment before it says: `not run`, `another terminal` or `repeat`."""
    reason: str = ""
    """Why it is not run."""

    @property
    def is_run(self) -> bool:
        """Whether it is a program or commands to run."""
        return self.language in RUN and self.marker != "not run"


@dataclass(frozen=True, slots=True)
class Step:
    """A block that is run, and what it is to print, if the page shows that."""

    block: Block
    prints: Block | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the documentation."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self) -> Iterator[Block]:
        """Its fenced blocks, in order."""
        lines = enumerate(self.text.splitlines(), start=1)
        marker, reason = "", ""
        for number, line in lines:
            if found := _MARKER.match(line):
                marker, reason = found[1], found[2] or ""
            elif found := _FENCE.match(line):
                inside: list[str] = []
                for _, inner in lines:
                    if inner == "```":
                        break
                    inside.append(inner)
                text = "\n".join(inside) + "\n"
                yield Block(number, found[1], found[2] or "", text, marker, reason)
                marker, reason = "", ""
            elif line:
                assert not line.startswith("```"), (
                    f"{self.name}:{number}: a fence of no known form"
                )
                marker, reason = "", ""

    def steps(self) -> list[Step]:
        """What is run, in order, each with what it prints."""
        steps: list[Step] = []
        for block in self.blocks():
            if block.is_run:
                steps.append(Step(block))
            elif block.language in PRINTED and block.marker != "not run":
                assert steps, f"{self.name}:{block.line}: nothing before this block prints it"
                last = steps.pop()
                assert last.prints is None, f"{self.name}:{block.line}: a second output"
                steps.append(Step(last.block, block))
        return steps

    def links(self) -> list[str]:
        """Where it leads to, as written."""
        return _LINK.findall(_CODE.sub("", self.text))

    def anchors(self) -> set[str]:
        """What a link may name after `#`, as GitHub makes them of headings."""
        text = re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)
        found: set[str] = set(_ANCHOR.findall(text))
        for heading in _HEADING.findall(text):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
            slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
            found.add(slug if slug not in found else f"{slug}-1")
        return found


def pages() -> list[Page]:
    """Every page there is: the README first, then docs/."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
    return [Page(path) for path in (*top, *sorted((ROOT / "docs").rglob("*.md")))]
