"""Keyset paging: a page, and the opaque place where the next one starts."""

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
"""Characters in a cursor that is read at all."""
DEFAULT_LIMIT: Final = 20
_MAX_KEY: Final = 10**18


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor that continues after them; None at the end."""

    items: Sequence[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The sort key and id of the last item shown, under one sort order."""

    sort: str
    key: str | float
    id: UUID

    def encode(self) -> str:
        """As text that is safe in a query string."""
        text = json.dumps([self.sort, self.key, self.id.hex], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, sort: str) -> Cursor:
        """Read back what `encode` wrote for the same sort order.

        Raises:
            InvalidValueError: it was not written by it, or for another order.
        """
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            found, key, hex_id = json.loads(raw.decode())
            cursor = cls(found, key, UUID(hex=hex_id))
        except (ValueError, TypeError, AttributeError, RecursionError):
            cursor = None
        if cursor is None or cursor.sort != sort or not _is_key(cursor.key):
            raise InvalidValueError("cursor", "must be the next_cursor of the page before")
        return cursor


def moment_key(moment: datetime) -> str:
    """A moment as a sort key: later ones are greater."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(key: str | float) -> datetime:
    """Read back what `moment_key` wrote.

    Raises:
        InvalidValueError: it was not written by it.
    """
    try:
        moment = datetime.fromisoformat(str(key))
    except ValueError:
        moment = None
    if moment is None or moment_key(moment) != key:
        raise InvalidValueError("cursor", "must be the next_cursor of the page before")
    return moment


def _is_key(key: object) -> bool:
    if isinstance(key, str):
        return key.isprintable()
    return isinstance(key, int | float) and not isinstance(key, bool) and abs(key) < _MAX_KEY


def require_limit(limit: int) -> None:
    """Refuse page sizes outside 1 to 100.

    Raises:
        InvalidValueError: with what is allowed.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidValueError("limit", f"must be between 1 and {MAX_LIMIT}")
