"""Caches of product pages, sessions and carts.

The database holds the truth. A cache that cannot be reached behaves as if it were empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

CART_SECONDS: Final = 2
"""How long a cached cart is served. Price changes do not invalidate it."""


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


class SessionCache(Protocol):
    """What is known of sessions, as bytes. Keys are ids or digests: never a secret itself.

    Nothing here raises: a place that cannot be reached holds nothing.
    """

    keeps: bool
    """Whether it keeps anything at all; if not, asking it is in vain."""

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep this copy so long; at least a millisecond."""
        ...

    def find(self, key: str) -> bytes | None:
        """The copy that was kept last, unless its time is over."""
        ...

    def forget(self, *keys: str) -> None:
        """Have the database asked again about these."""
        ...


@dataclass(frozen=True, slots=True)
class CachedCart:
    """A rendered cart, and whom it may be shown to."""

    version: int
    token_digest: str | None
    customer_id: UUID | None
    body: bytes


class CartCache(Protocol):
    """Rendered carts, believed for 2 seconds.

    Nothing here raises: a place that cannot be reached holds nothing.
    """

    keeps: bool
    """Whether it keeps anything at all; if not, asking it is in vain."""

    def find(self, cart_id: UUID) -> CachedCart | None:
        """The copy that may be shown without asking the database."""
        ...

    def put(self, cart_id: UUID, copy: CachedCart) -> None:
        """Keep what was just rendered, unless a newer version is known already."""
        ...

    def forget(self, cart_id: UUID, *, version: int) -> None:
        """The cart has this version now: no older one is shown, or put any more.

        To be called when the change is committed. Where the version is not known any more, an
        hour later or sooner, an older copy put so late is believed for its 2 seconds.
        """
        ...
