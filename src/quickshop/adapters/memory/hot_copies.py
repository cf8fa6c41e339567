"""Copies of sessions and carts kept in this process, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import UUID

from typing_extensions import override

from quickshop.ports.hot_copies import CART_SECONDS, CartCopies, CartCopy, SessionCopies

MAX_COPIES: Final = 1_000


class NoSessionCopies(SessionCopies):
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


class MemorySessionCopies(SessionCopies):
    """The sessions seen last, in this process alone: the one kept first goes first.

    `monotonic` tells seconds.
    """

    keeps = True

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, max_copies: int = MAX_COPIES
    ) -> None:
        self._monotonic = monotonic
        self._max_copies = max_copies
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._lock = Lock()

    @override
    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        until = self._monotonic() + max(seconds, 0.001)
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, until
            if len(self._kept) > self._max_copies:
                del self._kept[next(iter(self._kept))]

    @override
    def find(self, key: str) -> bytes | None:
        value, until = self._kept.get(key, (None, 0.0))
        return value if self._monotonic() < until else None

    @override
    def forget(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._kept.pop(key, None)


class NoCartCopies(CartCopies):
    """Holds nothing."""

    keeps = False

    @override
    def find(self, cart_id: UUID) -> CartCopy | None:
        """None."""
        return None

    @override
    def put(self, cart_id: UUID, copy: CartCopy) -> None:
        """Nothing is kept."""

    @override
    def forget(self, cart_id: UUID, *, version: int) -> None:
        """There is nothing to forget."""


@dataclass(frozen=True, slots=True)
class _Known:
    version: int
    copy: CartCopy | None = None
    until: float = 0


class MemoryCartCopies(CartCopies):
    """The carts seen last, in this process alone: the one put first goes first.

    `monotonic` tells seconds.
    """

    keeps = True

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        max_copies: int = MAX_COPIES,
    ) -> None:
        self._monotonic = monotonic
        self._max_copies = max_copies
        self._lock = Lock()
        self._known: dict[UUID, _Known] = {}

    @override
    def find(self, cart_id: UUID) -> CartCopy | None:
        known = self._known.get(cart_id)
        return known.copy if known and self._monotonic() < known.until else None

    @override
    def put(self, cart_id: UUID, copy: CartCopy) -> None:
        until = self._monotonic() + CART_SECONDS
        self._learn(cart_id, _Known(copy.version, copy, until))

    @override
    def forget(self, cart_id: UUID, *, version: int) -> None:
        self._learn(cart_id, _Known(version))

    def _learn(self, cart_id: UUID, news: _Known) -> None:
        with self._lock:
            known = self._known.pop(cart_id, news)
            self._known[cart_id] = known if known.version > news.version else news
            if len(self._known) > self._max_copies:
                del self._known[next(iter(self._known))]
