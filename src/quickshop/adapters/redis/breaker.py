"""When to stop asking something that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class CircuitBreaker:
    """Opens after some failures in a row; then lets one caller through every so often.

    Callers are never made to wait for one another: while one of them tries, the others go
    without. That is why this is not a library that calls the function under its own lock.
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
        """Whether to ask now. Whoever is told so says afterwards how it went."""
        if self._failures < self._allowed_failures:
            return True
        with self._lock:
            now = self._monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + self._rest_seconds
            return True

    def succeeded(self) -> None:
        """It answered: everyone may ask again."""
        self._failures = 0

    def failed(self) -> None:
        """It did not answer."""
        with self._lock:
            self._failures += 1
            self._next_try = self._monotonic() + self._rest_seconds
