"""The caches of a shop without Redis: they stay empty."""

from __future__ import annotations

from uuid import UUID

from typing_extensions import override

from quickshop.ports.cache import CachedCart, CachedPage, CartCache, ProductCache, SessionCache


class NoProductCache(ProductCache):
    """An empty cache that stays empty."""

    keeps = False

    @override
    def current(self, key: str) -> CachedPage | None:
        """None."""
        return None

    @override
    def page(self, key: str, etag: str) -> CachedPage | None:
        """None."""
        return None

    @override
    def put(self, key: str, page: CachedPage) -> None:
        """Nothing is kept."""

    @override
    def forget(self, *keys: str) -> None:
        """There is nothing to forget."""


class NoSessionCache(SessionCache):
    """Holds nothing."""

    keeps = False

    @override
    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Nothing is kept."""

    @override
    def find(self, key: str) -> bytes | None:
        """None."""
        return None

    @override
    def forget(self, *keys: str) -> None:
        """There is nothing to forget."""


class NoCartCache(CartCache):
    """Holds nothing."""

    keeps = False

    @override
    def find(self, cart_id: UUID) -> CachedCart | None:
        """None."""
        return None

    @override
    def put(self, cart_id: UUID, copy: CachedCart) -> None:
        """Nothing is kept."""

    @override
    def forget(self, cart_id: UUID, *, version: int) -> None:
        """There is nothing to forget."""
