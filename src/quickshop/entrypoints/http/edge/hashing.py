"""Threads for what hashes passwords, so that nobody else waits for them."""

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
"""Requests that hash or wait for it, at once, in one process; more are told to come again."""


class HashThreads:
    """A few threads of their own. Belongs to one event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._busy = 0
        self._limiter: anyio.CapacityLimiter | None = None

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place for one who is going to hash. A crowd without one costs next to nothing.

        Raises:
            OverloadedError: as many as there may be are at it.
        """
        if self._busy >= self._most:
            raise OverloadedError
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def run(self, story: Callable[[], T]) -> T:
        """Run a use case that hashes, in a place that was found for it."""
        if self._limiter is None:  # made here, because it belongs to the loop that is running
            self._limiter = anyio.CapacityLimiter(self._most)
        return await anyio.to_thread.run_sync(story, limiter=self._limiter)


def hash_threads_of(request: Request) -> HashThreads:
    """The threads of the application that serves a request."""
    threads: HashThreads = request.app.state.hash_threads
    return threads


async def hashing(request: Request, story: Callable[[], T]) -> T:
    """Run a use case that hashes passwords, apart from all others.

    Raises:
        OverloadedError: too many are at it.
    """
    threads = hash_threads_of(request)
    with threads.place():
        return await threads.run(story)
