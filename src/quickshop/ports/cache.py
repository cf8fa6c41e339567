"""Product pages kept ready. Never on the path of correctness: every call may fail open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A rendered product: the bytes that go on the wire, and the etag of the state they show."""

    etag: str
    body: bytes


class ProductCache(Protocol):
    """Rendered products by id or handle. A page is kept an hour, under its etag.

    Which etag is current is believed for a few seconds only, so that a lost invalidation heals.
    Nothing here raises: a cache that cannot be reached is an empty one.
    """

    keeps: bool
    """Whether it keeps anything at all; if not, asking it is in vain."""

    def current(self, key: str) -> CachedPage | None:
        """The page that may be shown for this id or handle without asking the database."""
        ...

    def page(self, key: str, etag: str) -> CachedPage | None:
        """The page of exactly this state, which then is the current one."""
        ...

    def put(self, key: str, page: CachedPage) -> None:
        """Keep a page just rendered, as the current one."""
        ...

    def forget(self, *keys: str) -> None:
        """Have the database asked again about these ids and handles."""
        ...
