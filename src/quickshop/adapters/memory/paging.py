"""Keyset paging over rows in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from quickshop.domain.errors import InvalidValueError
from quickshop.ports.paging import Cursor, Page, require_limit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """An item with its sort key: a number or a text, then its id."""

    key: str | float
    id: UUID
    item: T

    @property
    def place(self) -> tuple[bool, str | float, UUID]:
        """The comparison key. Numbers sort before texts; no list contains both."""
        return (isinstance(self.key, str), self.key, self.id)


def page_of(
    rows: Iterable[Row[T]], *, sort: str, limit: int, cursor: str | None, descending: bool
) -> Page[T]:
    """Return at most `limit` rows after the cursor.

    Raises:
        InvalidValueError: the limit or the cursor is invalid.
    """
    require_limit(limit)
    ordered = sorted(rows, key=lambda row: row.place, reverse=descending)
    if cursor is not None:
        last = Cursor.decode(cursor, sort=sort)
        if ordered and isinstance(last.key, str) is not isinstance(ordered[0].key, str):
            raise InvalidValueError("cursor", "must be the next_cursor of the previous page")
        place = Row(last.key, last.id, None).place
        ordered = [
            row for row in ordered if (row.place < place if descending else row.place > place)
        ]
    shown = ordered[:limit]
    more = len(ordered) > limit
    next_cursor = Cursor(sort, shown[-1].key, shown[-1].id).encode() if more else None
    return Page([row.item for row in shown], next_cursor)
