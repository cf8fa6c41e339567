"""One row of the file, and everything there is to say about it."""

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
    """The cells that are used and not blank, trimmed, by column."""

    line: int
    header: Header
    cells: Mapping[str, str]
    issues: list[RowIssue] = field(default_factory=list)

    def note(self, column: str, reason: str) -> None:
        """Say that something is imported otherwise than it was written."""
        self._remark(column, reason, Severity.NOTE)

    def reject(self, column: str, reason: str) -> None:
        """Say why this row is not imported."""
        self._remark(column, reason, Severity.ERROR)

    def _remark(self, column: str, reason: str, severity: Severity) -> None:
        self.issues.append(
            RowIssue(line=self.line, column=column, reason=reason, severity=severity)
        )

    def has_column(self, column: str) -> bool:
        """Whether the file has this column at all."""
        return column in self.header.used

    def is_rejected(self) -> bool:
        """Whether there is a reason not to import this row."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)

    def value(self, column: str, read: Callable[[str], T], default: T) -> T:
        """What a cell says, `default` if it is blank; a cell that cannot be read rejects."""
        text = self.cells.get(column)
        if text is None:
            return default
        try:
            return read(text)
        except InvalidValueError as error:
            self.reject(column, error.rule)
            return default

    def text(self, column: str, *, limit: int = MAX_NAME_LENGTH) -> str:
        """A cell as text on one line, cut to `limit` characters if need be."""
        return self.fit(column, self.cells.get(column, ""), limit=limit)

    def fit(self, column: str, text: str, *, limit: int = MAX_NAME_LENGTH) -> str:
        """Part of a cell as text on one line, cut to `limit` characters if need be."""
        plain = one_line(text)
        if plain != text:
            self.note(column, "line breaks and invisible characters were replaced")
        if len(plain) > limit:
            self.note(column, f"was cut to {limit} characters")
        return plain[:limit].rstrip()


def read_row(record: Record, header: Header) -> Row:
    """Take the cells apart; a row whose fields are shifted is rejected."""
    cells = {
        column: cell.strip()
        for column, cell in zip(header.used, record.fields, strict=False)
        if column is not None and cell and not cell.isspace()
    }
    row = Row(record.line, header, cells)
    _check_length(row, record, header)
    for column in [name for name, cell in cells.items() if CONTROL_CHARACTERS.search(cell)]:
        cells[column] = CONTROL_CHARACTERS.sub("", cells[column]).strip()
        row.note(column, "control characters were left out")
        if not cells[column]:
            del cells[column]
    return row


def _check_length(row: Row, record: Record, header: Header) -> None:
    found, expected = len(record.fields), len(header.written)
    if found > expected:
        row.reject(
            columns.HANDLE,
            f"the row has {found} fields, the header {expected}; "
            "a field that holds a comma must be in quotes",
        )
    elif found < expected:
        # Excel leaves the blank ends of rows away.
        row.note(
            columns.HANDLE,
            f"the row has {found} fields, the header {expected}; the others count as blank",
        )
