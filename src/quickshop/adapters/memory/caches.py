"""The caches of a shop without Redis. They store nothing."""

from __future__ import annotations

from uuid import UUID

from typing_extensions import override

from quickshop.ports.cache import CachedCart, CachedPage, CartCache, ProductCache, SessionCache


class NoProductCache(ProductCache):
    """A product cache that stores nothing."""

    keeps = False

    @override
    def current(self, key: str) -> CachedPage | None:
        """Return None."""
        return None

    @override
    def page(self, key: str, etag: str) -> CachedPage | None:
        """Return None."""
        return None

    @override
    def put(self, key: str, page: CachedPage) -> None:
        """Do nothing."""

    @override
    def forget(self, *keys: str) -> None:
        """Do nothing."""


class NoSessionCache(SessionCache):
    """Holds nothing."""

    keeps = False

    @override
    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Do nothing."""

    @override
    def find(self, key: str) -> bytes | None:
        """Return None."""
        return None

    @override
    def forget(self, *keys: str) -> None:
        """Do nothing."""


class NoCartCache(CartCache):
    """Holds nothing."""

    keeps = False

    @override
    def find(self, cart_id: UUID) -> CachedCart | None:
        """Return None."""
        return None

    @override
    def put(self, cart_id: UUID, copy: CachedCart) -> None:
        """Do nothing."""

    @override
    def forget(self, cart_id: UUID, *, version: int) -> None:
        """Do nothing."""
