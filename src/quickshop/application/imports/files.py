"""What is in a file to import, on its way to whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

_PART_BYTES: Final = 1024 * 1024


def parts_of(content: BinaryIO) -> Iterator[bytes]:
    """All of it from the beginning, part by part."""
    content.seek(0)
    while part := content.read(_PART_BYTES):
        yield part


def header_of(beginning: bytes) -> bytes:
    """The first line; a line break in quotes does not end it."""
    end = beginning.find(b"\n") + 1
    while end and beginning.count(b'"', 0, end) % 2:
        end = beginning.find(b"\n", end) + 1
    return beginning[:end] if end else beginning


@contextmanager
def as_file(name: str, content: Iterator[bytes]) -> Iterator[Path]:
    """The content in a file of this name, for as long as the block lasts."""
    with TemporaryDirectory(prefix="quickshop-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            file.writelines(content)
        yield path


class LineCount:
    """Counts lines as they come by; a line break in quotes does not end one."""

    def __init__(self) -> None:
        self.lines = 0
        self._quoted = False

    def add(self, part: bytes) -> None:
        """Count those that end in this part."""
        pieces = part.split(b'"')
        self.lines += b"".join(pieces[self._quoted :: 2]).count(b"\n")
        self._quoted ^= len(pieces) % 2 == 0
