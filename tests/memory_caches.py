"""Caches in this process, for tests of what happens around a cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final
from uuid import UUID

from typing_extensions import override

from quickshop.ports.cache import (
    CART_SECONDS,
    CachedCart,
    CachedPage,
    CartCache,
    ProductCache,
    SessionCache,
)

MAX_ENTRIES: Final = 1_000
_KEEP_SECONDS: Final = 3600
_BELIEVE_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class _Kept:
    page: CachedPage
    put_at: float
    believed_until: float


class MemoryProductCache(ProductCache):
    """The pages of the last hour, believed to be current for 2 seconds, in this process alone.

    At most `max_pages` are kept; the oldest is dropped first. `monotonic` returns seconds.
    """

    keeps = True

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, max_pages: int = 1_000
    ) -> None:
        self._monotonic = monotonic
        self._max_pages = max_pages
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    @override
    def current(self, key: str) -> CachedPage | None:
        kept = self._kept.get(key)
        return kept.page if kept and self._monotonic() < kept.believed_until else None

    @override
    def page(self, key: str, etag: str) -> CachedPage | None:
        now = self._monotonic()
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.page.etag != etag or now >= kept.put_at + _KEEP_SECONDS:
                return None
            self._kept[key] = replace(kept, believed_until=now + _BELIEVE_SECONDS)
        return kept.page

    @override
    def put(self, key: str, page: CachedPage) -> None:
        now = self._monotonic()
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = _Kept(page, now, now + _BELIEVE_SECONDS)
            while len(self._kept) > self._max_pages:
                del self._kept[next(iter(self._kept))]

    @override
    def forget(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                if kept := self._kept.get(key):
                    self._kept[key] = replace(kept, believed_until=self._monotonic())


class MemorySessionCache(SessionCache):
    """The sessions seen last, in this process alone: the one kept first goes first.

    `monotonic` returns seconds.
    """

    keeps = True

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._monotonic = monotonic
        self._max_entries = max_entries
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._lock = Lock()

    @override
    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        until = self._monotonic() + max(seconds, 0.001)
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, until
            if len(self._kept) > self._max_entries:
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


@dataclass(frozen=True, slots=True)
class _Known:
    version: int
    copy: CachedCart | None = None
    until: float = 0


class MemoryCartCache(CartCache):
    """The carts seen last, in this process alone: the one put first goes first.

    `monotonic` returns seconds.
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
