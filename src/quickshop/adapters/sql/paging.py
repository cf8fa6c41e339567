"""Keyset paging over rows, of which one more than the limit was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from quickshop.ports.paging import Cursor, Page


class _Identified(Protocol):
    @property
    def id(self) -> UUID: ...


ItemT = TypeVar("ItemT", bound=_Identified)


def by_id(_item: object) -> str | float:
    """Return the sort key of items that are sorted by id only."""
    return 0


def page_of(
    found: Sequence[ItemT],
    limit: int,
    *,
    sort: str = "newest",
    key: Callable[[ItemT], str | float] = by_id,
) -> Page[ItemT]:
    """Return the first `limit` rows, with a cursor if there are more."""
    if len(found) <= limit:
        return Page(found)
    last = found[limit - 1]
    return Page(found[:limit], Cursor(sort, key(last), last.id).encode())
