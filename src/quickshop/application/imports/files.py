"""The content of files to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

_PART_BYTES: Final = 1024 * 1024


def parts_of(content: BinaryIO) -> Iterator[bytes]:
    """Yield the content from the beginning, in parts of 1 MiB."""
    content.seek(0)
    while part := content.read(_PART_BYTES):
        yield part


def header_of(beginning: bytes) -> bytes:
    """Return the first line. A line break in quotes does not end it."""
    end = beginning.find(b"\n") + 1
    while end and beginning.count(b'"', 0, end) % 2:
        end = beginning.find(b"\n", end) + 1
    return beginning[:end] if end else beginning


@contextmanager
def as_file(name: str, content: Iterator[bytes]) -> Iterator[Path]:
    """Write the content to a temporary file of this name, which exists during the block."""
    with TemporaryDirectory(prefix="quickshop-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            file.writelines(content)
        yield path


class LineCount:
    """Counts the lines of a stream. A line break in quotes does not end one."""

    def __init__(self) -> None:
        self.lines = 0
        self._quoted = False

    def add(self, part: bytes) -> None:
        """Count the lines that end in this part."""
        pieces = part.split(b'"')
        self.lines += b"".join(pieces[self._quoted :: 2]).count(b"\n")
        self._quoted ^= len(pieces) % 2 == 0
