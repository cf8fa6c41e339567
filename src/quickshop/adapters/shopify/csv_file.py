"""A CSV file on disk, read into memory and checked before it is used."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Final

from quickshop.adapters.shopify.values import one_line
from quickshop.domain.errors import FileFormatError

MAX_BYTES: Final = 100 * 1024 * 1024
"""The size limit of a file, because files are read into memory."""
CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_ADVICE: Final = "save it as CSV in UTF-8, separated by commas"
_ALIEN: Final = {
    b"PK\x03\x04": "is a spreadsheet workbook or an archive",
    b"\x1f\x8b": "is compressed",
    b"\xff\xfe": "is text in UTF-16",
    b"\xfe\xff": "is text in UTF-16",
}
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a CSV file. `line` is the line on which it starts, counting from 1."""

    line: int
    fields: Sequence[str]


def read_records(path: Path, *, max_rows: int | None = None) -> list[Record]:
    """Return all rows of a file, the header first, without empty lines.

    Raises:
        FileFormatError: the file cannot be read, is too large, is not CSV in UTF-8, or has more
            than `max_rows` rows after its header.
    """
    name = shown(path)
    text = _decode(_read(path, name), name)
    if not text.strip():
        raise FileFormatError(name, "is empty; a product CSV starts with a header row")
    _require_commas(text, name)
    rows = _parse(text, name)
    if max_rows is None:
        return list(rows)
    records = list(islice(rows, 1 + max_rows))
    if next(rows, None) is not None:
        raise FileFormatError(
            name,
            f"has more than {max_rows:,} rows; split it between two products",
        )
    return records


def shown(path: Path) -> str:
    """Return the name of a file as shown in messages."""
    return one_line(path.name) or "the file"


def _read(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise FileFormatError(name, "is a folder; choose one CSV file")
        if path.exists() and not path.is_file():
            raise FileFormatError(name, "is not a regular file; choose a CSV file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise FileFormatError(name, f"cannot be read: {_reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise FileFormatError(
            name,
            f"is larger than {MAX_BYTES // 2**20} MB; split it between two products",
        )
    return data


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or "its name is not a valid file name"


def _decode(data: bytes, name: str) -> str:
    for magic, what in _ALIEN.items():
        if data.startswith(magic):
            raise FileFormatError(name, f"{what}; {_ADVICE}")
    if b"\0" in data.partition(b"\n")[0]:
        raise FileFormatError(name, f"contains NUL bytes, so it is binary or UTF-16; {_ADVICE}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileFormatError(name, f"is not valid UTF-8 on line {line}; {_ADVICE}") from error


def _require_commas(text: str, name: str) -> None:
    first = text.lstrip().partition("\n")[0]
    for separator, what in _SEPARATORS.items():
        if "," not in first and separator in first:
            raise FileFormatError(name, f"has fields separated by {what}; {_ADVICE}")


def _parse(text: str, name: str) -> Iterator[Record]:
    # The limit is global to the process; never lower it, because other threads may be reading.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for fields in rows:
            if fields:
                yield Record(line, fields)
            line = rows.line_num + 1
    except csv.Error as error:
        raise FileFormatError(
            name,
            f"cannot be parsed: the row that starts on line {line} has a misplaced quote; "
            'put a field that contains a quote in quotes and double it, such as "5"" wheel"',
        ) from error
