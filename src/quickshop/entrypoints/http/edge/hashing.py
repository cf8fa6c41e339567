"""Separate threads for password hashing, so that other requests do not wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from quickshop.domain.errors import OverloadedError

T = TypeVar("T")

MOST: Final = 8
"""Requests per process that hash or wait to hash at once. Others are answered 503."""


class HashThreads:
    """A small thread pool for password hashing. Belongs to one event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._busy = 0
        self._limiter: anyio.CapacityLimiter | None = None

    @contextmanager
    def place(self) -> Iterator[None]:
        """Reserve a place for one hash. A request without a place costs almost nothing.

        Raises:
            OverloadedError: all places are taken.
        """
        if self._busy >= self._most:
            raise OverloadedError
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def run(self, use_case: Callable[[], T]) -> T:
        """Run a use case that hashes, in a reserved place."""
        if self._limiter is None:  # created here, because it belongs to the running loop
            self._limiter = anyio.CapacityLimiter(self._most)
        return await anyio.to_thread.run_sync(use_case, limiter=self._limiter)


def hash_threads_of(request: Request) -> HashThreads:
    """Return the hashing threads of the application that serves a request."""
    threads: HashThreads = request.app.state.hash_threads
    return threads


async def hashing(request: Request, use_case: Callable[[], T]) -> T:
    """Run a use case that hashes passwords in the hashing threads.

    Raises:
        OverloadedError: all places are taken.
    """
    threads = hash_threads_of(request)
    with threads.place():
        return await threads.run(use_case)
