"""Keyset paging: pages, and the opaque cursors of the next pages."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from quickshop.domain.errors import InvalidValueError

T = TypeVar("T")

MAX_LIMIT: Final = 100
MAX_CURSOR_LENGTH: Final = 2_000
"""Characters in a cursor; longer ones are refused."""
DEFAULT_LIMIT: Final = 20
_MAX_KEY: Final = 10**18


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items, and the cursor of the next page; None on the last page."""

    items: Sequence[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The sort key and id of the last item of a page, in one sort order."""

    sort: str
    key: str | float
    id: UUID

    def encode(self) -> str:
        """Return the cursor as text that is safe in a query string."""
        text = json.dumps([self.sort, self.key, self.id.hex], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, sort: str) -> Cursor:
        """Return the cursor of a text that `encode` returned for the same sort order.

        Raises:
            InvalidValueError: the text is not a cursor, or is for another sort order.
        """
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            found, key, hex_id = json.loads(raw.decode())
            cursor = cls(found, key, UUID(hex=hex_id))
        except (ValueError, TypeError, AttributeError, RecursionError):
            cursor = None
        if cursor is None or cursor.sort != sort or not _is_key(cursor.key):
            raise InvalidValueError("cursor", "must be the next_cursor of the previous page")
        return cursor


def moment_key(moment: datetime) -> str:
    """Return a time as a sort key: later times are greater."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(key: str | float) -> datetime:
    """Return the time of a key that `moment_key` returned.

    Raises:
        InvalidValueError: the key is not one of `moment_key`.
    """
    try:
        moment = datetime.fromisoformat(str(key))
    except ValueError:
        moment = None
    if moment is None or moment_key(moment) != key:
        raise InvalidValueError("cursor", "must be the next_cursor of the previous page")
    return moment


def _is_key(key: object) -> bool:
    if isinstance(key, str):
        return key.isprintable()
    return isinstance(key, int | float) and not isinstance(key, bool) and abs(key) < _MAX_KEY


def require_limit(limit: int) -> None:
    """Check a page size.

    Raises:
        InvalidValueError: the limit is not between 1 and `MAX_LIMIT`.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidValueError("limit", f"must be between 1 and {MAX_LIMIT}")
