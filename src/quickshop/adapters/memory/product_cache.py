"""Product pages kept in this process, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from typing_extensions import override

from quickshop.ports.cache import CachedPage, ProductCache

_KEEP_SECONDS: Final = 3600
_BELIEVE_SECONDS: Final = 2


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


@dataclass(frozen=True, slots=True)
class _Kept:
    page: CachedPage
    put_at: float
    believed_until: float


class MemoryProductCache(ProductCache):
    """The pages of the last hour, believed to be current for 2 seconds, in this process alone.

    At most `max_pages` are kept: the one put first goes first. `monotonic` tells seconds.
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
