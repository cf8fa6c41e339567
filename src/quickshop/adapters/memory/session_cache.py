"""The session cache in this process, or none."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from typing_extensions import override

from quickshop.ports.cache import SessionCache

MAX_ENTRIES: Final = 1_000


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


class MemorySessionCache(SessionCache):
    """The sessions seen last, in this process alone: the one kept first goes first.

    `monotonic` tells seconds.
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
