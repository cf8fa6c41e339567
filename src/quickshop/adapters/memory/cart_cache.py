"""The cart cache in this process, or none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import UUID

from typing_extensions import override

from quickshop.ports.cache import CART_SECONDS, CachedCart, CartCache

MAX_ENTRIES: Final = 1_000


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


@dataclass(frozen=True, slots=True)
class _Known:
    version: int
    copy: CachedCart | None = None
    until: float = 0


class MemoryCartCache(CartCache):
    """The carts seen last, in this process alone: the one put first goes first.

    `monotonic` tells seconds.
    """

    keeps = True

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        self._monotonic = monotonic
        self._max_entries = max_entries
        self._lock = Lock()
        self._known: dict[UUID, _Known] = {}

    @override
    def find(self, cart_id: UUID) -> CachedCart | None:
        known = self._known.get(cart_id)
        return known.copy if known and self._monotonic() < known.until else None

    @override
    def put(self, cart_id: UUID, copy: CachedCart) -> None:
        until = self._monotonic() + CART_SECONDS
        self._learn(cart_id, _Known(copy.version, copy, until))

    @override
    def forget(self, cart_id: UUID, *, version: int) -> None:
        self._learn(cart_id, _Known(version))

    def _learn(self, cart_id: UUID, news: _Known) -> None:
        with self._lock:
            known = self._known.pop(cart_id, news)
            self._known[cart_id] = known if known.version > news.version else news
            if len(self._known) > self._max_entries:
                del self._known[next(iter(self._known))]
