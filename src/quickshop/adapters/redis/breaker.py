"""A circuit breaker for a server that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class CircuitBreaker:
    """Opens after `failures` failures in a row, then allows one call every `rest_seconds`.

    Callers never wait for each other: while one caller tries, the others skip the call. A library
    that calls the function under its own lock would make them wait.
    """

    def __init__(
        self,
        *,
        failures: int,
        rest_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed_failures = failures
        self._rest_seconds = rest_seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._failures = 0
        self._next_try = 0.0

    def lets_through(self) -> bool:
        """Return whether to call now. Afterwards, call `succeeded` or `failed`."""
        if self._failures < self._allowed_failures:
            return True
        with self._lock:
            now = self._monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + self._rest_seconds
            return True

    def succeeded(self) -> None:
        """Record an answer: every caller may call again."""
        self._failures = 0

    def failed(self) -> None:
        """Record a call without an answer."""
        with self._lock:
            self._failures += 1
            self._next_try = self._monotonic() + self._rest_seconds
