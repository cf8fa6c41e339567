"""Caches of product pages, sessions and carts.

The database is authoritative. A cache that cannot be reached behaves as if it were empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

CART_SECONDS: Final = 2
"""How long a cached cart is served. Price changes do not invalidate it."""


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A rendered product: the bytes of the response, and the etag of the state they show."""

    etag: str
    body: bytes


class ProductCache(Protocol):
    """Rendered products by id or handle. A page is cached for an hour, under its etag.

    The current etag of a product is cached for a few seconds only, which limits the effect of a
    lost invalidation. No method raises.
    """

    keeps: bool
    """Whether it stores anything; if False, callers can skip it."""

    def current(self, key: str) -> CachedPage | None:
        """Return the page to serve for this id or handle without reading the database."""
        ...

    def page(self, key: str, etag: str) -> CachedPage | None:
        """Return the page with exactly this etag, and make the etag the current one."""
        ...

    def put(self, key: str, page: CachedPage) -> None:
        """Store a page that was just rendered, as the current one."""
        ...

    def forget(self, *keys: str) -> None:
        """Invalidate the entries of these ids and handles."""
        ...


class SessionCache(Protocol):
    """Cached sessions, as bytes. Keys are ids or digests, never secrets.

    No method raises.
    """

    keeps: bool
    """Whether it stores anything; if False, callers can skip it."""

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Store an entry for `seconds`; at least a millisecond."""
        ...

    def find(self, key: str) -> bytes | None:
        """Return the entry stored last, unless it has expired."""
        ...

    def forget(self, *keys: str) -> None:
        """Invalidate these entries."""
        ...


@dataclass(frozen=True, slots=True)
class CachedCart:
    """A rendered cart, and the shopper that it may be shown to."""

    version: int
    token_digest: str | None
    customer_id: UUID | None
    body: bytes


class CartCache(Protocol):
    """Rendered carts, cached for `CART_SECONDS`.

    No method raises.
    """

    keeps: bool
    """Whether it stores anything; if False, callers can skip it."""

    def find(self, cart_id: UUID) -> CachedCart | None:
        """Return the entry that may be served without reading the database."""
        ...

    def put(self, cart_id: UUID, copy: CachedCart) -> None:
        """Store a cart that was just rendered, unless a newer version is known."""
        ...

    def forget(self, cart_id: UUID, *, version: int) -> None:
        """Invalidate versions older than `version`, the current one; `put` refuses them.

        Call it after the change is committed. The version is stored for at most an hour. An
        older cart that is put after that is served for `CART_SECONDS`.
        """
        ...
