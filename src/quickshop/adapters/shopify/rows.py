"""One row of the file, with its issues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from quickshop.adapters.shopify import columns
from quickshop.adapters.shopify.columns import Header
from quickshop.adapters.shopify.csv_file import CONTROL_CHARACTERS, Record
from quickshop.adapters.shopify.values import one_line
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.ports.imports import RowIssue, Severity

T = TypeVar("T")


@dataclass(slots=True)
class Row:
    """The cells of a row that are read and not blank, trimmed, by column."""

    line: int
    header: Header
    cells: Mapping[str, str]
    issues: list[RowIssue] = field(default_factory=list)

    def note(self, column: str, reason: str) -> None:
        """Add a note: a value is imported in a different form than in the file."""
        self._remark(column, reason, Severity.NOTE)

    def reject(self, column: str, reason: str) -> None:
        """Reject this row, with the reason why it is not imported."""
        self._remark(column, reason, Severity.ERROR)

    def _remark(self, column: str, reason: str, severity: Severity) -> None:
        self.issues.append(
            RowIssue(line=self.line, column=column, reason=reason, severity=severity)
        )

    def has_column(self, column: str) -> bool:
        """Return whether the file has this column."""
        return column in self.header.used

    def is_rejected(self) -> bool:
        """Return whether this row has been rejected."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)

    def value(self, column: str, read: Callable[[str], T], default: T) -> T:
        """Return the value of a cell, `default` if blank; an invalid cell rejects the row."""
        text = self.cells.get(column)
        if text is None:
            return default
        try:
            return read(text)
        except InvalidValueError as error:
            self.reject(column, error.rule)
            return default

    def text(self, column: str, *, limit: int = MAX_NAME_LENGTH) -> str:
        """Return a cell as text on one line, cut to `limit` characters if necessary."""
        return self.fit(column, self.cells.get(column, ""), limit=limit)

    def fit(self, column: str, text: str, *, limit: int = MAX_NAME_LENGTH) -> str:
        """Return part of a cell as text on one line, cut to `limit` characters if necessary."""
        plain = one_line(text)
        if plain != text:
            self.note(column, "has line breaks or invisible characters, which were replaced")
        if len(plain) > limit:
            self.note(column, f"was cut to {limit} characters")
        return plain[:limit].rstrip()


def read_row(record: Record, header: Header) -> Row:
    """Read the cells of a record; reject a row that has more fields than the header."""
    cells = {
        column: cell.strip()
        for column, cell in zip(header.used, record.fields, strict=False)
        if column is not None and cell and not cell.isspace()
    }
    row = Row(record.line, header, cells)
    _check_length(row, record, header)
    for column in [name for name, cell in cells.items() if CONTROL_CHARACTERS.search(cell)]:
        cells[column] = CONTROL_CHARACTERS.sub("", cells[column]).strip()
        row.note(column, "has control characters, which were removed")
        if not cells[column]:
            del cells[column]
    return row


def _check_length(row: Row, record: Record, header: Header) -> None:
    found, expected = len(record.fields), len(header.written)
    if found > expected:
        row.reject(
            columns.HANDLE,
            f"the row has {found} fields, but the header has {expected}; "
            "a field that contains a comma must be in quotes",
        )
    elif found < expected:
        # Excel omits trailing blank cells.
        row.note(
            columns.HANDLE,
            f"the row has {found} fields, but the header has {expected}; missing fields are blank",
        )
