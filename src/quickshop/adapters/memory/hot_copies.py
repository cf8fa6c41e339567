"""Copies of sessions and carts kept in this process, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import UUID

from quickshop.ports.hot_copies import CART_SECONDS, CartCopy

MAX_COPIES: Final = 1_000


class NoSessionCopies:
    """Holds nothing."""

    keeps = False

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Nothing is kept."""

    def find(self, key: str) -> bytes | None:  # noqa: ARG002 - it knows no session
        """None."""
        return None

    def forget(self, *keys: str) -> None:
        """There is nothing to forget."""


class MemorySessionCopies:
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

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """As `SessionCopies.keep`."""
        until = self._monotonic() + max(seconds, 0.001)
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, until
            if len(self._kept) > self._max_copies:
                del self._kept[next(iter(self._kept))]

    def find(self, key: str) -> bytes | None:
        """As `SessionCopies.find`."""
        value, until = self._kept.get(key, (None, 0.0))
        return value if self._monotonic() < until else None

    def forget(self, *keys: str) -> None:
        """As `SessionCopies.forget`."""
        with self._lock:
            for key in keys:
                self._kept.pop(key, None)


class NoCartCopies:
    """Holds nothing."""

    keeps = False

    def find(self, cart_id: UUID) -> CartCopy | None:  # noqa: ARG002 - it knows no cart
        """None."""
        return None

    def put(self, cart_id: UUID, copy: CartCopy) -> None:
        """Nothing is kept."""

    def forget(self, cart_id: UUID, *, version: int) -> None:
        """There is nothing to forget."""


@dataclass(frozen=True, slots=True)
class _Known:
    version: int
    copy: CartCopy | None = None
    until: float = 0


class MemoryCartCopies:
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

    def find(self, cart_id: UUID) -> CartCopy | None:
        """As `CartCopies.find`."""
        known = self._known.get(cart_id)
        return known.copy if known and self._monotonic() < known.until else None

    def put(self, cart_id: UUID, copy: CartCopy) -> None:
        """As `CartCopies.put`."""
        until = self._monotonic() + CART_SECONDS
        self._learn(cart_id, _Known(copy.version, copy, until))

    def forget(self, cart_id: UUID, *, version: int) -> None:
        """As `CartCopies.forget`."""
        self._learn(cart_id, _Known(version))

    def _learn(self, cart_id: UUID, news: _Known) -> None:
        with self._lock:
            known = self._known.pop(cart_id, news)
            self._known[cart_id] = known if known.version > news.version else news
            if len(self._known) > self._max_copies:
                del self._known[next(iter(self._known))]
