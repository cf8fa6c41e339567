"""Answers kept as the bytes that go on the wire, in this process, for seconds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Final

import anyio.to_thread
from starlette.types import Scope, Send

MAX_BYTES: Final = 16 * 1024 * 1024
_OVERHEAD_BYTES: Final = 1024
"""What an entry costs besides its body, roughly."""
_BRIEFLY: Final = (b"cache-control", b"public, max-age=1")
"""With what this process and the shared cache believe, a page is at most 5 seconds old."""
_NOT_AT_ALL: Final = (b"cache-control", b"no-cache")


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered answer. Its etag names its bytes, so it holds across processes and versions."""

    body: bytes
    etag: bytes
    expires_at: float
    """On the monotonic clock, in seconds."""
    headers: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, body: bytes, *, expires_at: float, cacheable: bool = True) -> Page:
        """Make a page of a JSON document; others may keep it for a second if it is `cacheable`."""
        etag = b'"%s"' % sha256(body).hexdigest()[:32].encode()
        headers = (
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"etag", etag),
            _BRIEFLY if cacheable else _NOT_AT_ALL,
        )
        return cls(body, etag, expires_at, headers)

    async def send(self, scope: Scope, send: Send) -> None:
        """Answer with it, or with 304 when the caller has it already."""
        if _has_it(scope, self.etag):
            await send({"type": "http.response.start", "status": 304, "headers": self.headers[2:]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.body", "body": self.body})


def _has_it(scope: Scope, etag: bytes) -> bool:
    for header, value in scope["headers"]:
        if header == b"if-none-match" and _matches(value, etag):
            return True
    return False


def _matches(condition: bytes, etag: bytes) -> bool:
    """The weak comparison of RFC 9110: `W/` makes no difference."""
    candidates = [entry.strip().removeprefix(b"W/") for entry in condition.split(b",")]
    return etag in candidates or candidates == [b"*"]


class PageCache:
    """Pages by key, least recently used out first. Belongs to one event loop.

    Asked by many for a page that it does not have, it calls the origin once, in a thread.
    A page's life counts from before the call, so a slow origin makes it no older than `seconds`.
    """

    def __init__(
        self,
        *,
        seconds: float,
        max_bytes: int = MAX_BYTES,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._seconds = seconds
        self._now = now
        self._max_bytes = max_bytes
        self._bytes = 0
        self._pages: OrderedDict[Hashable, Page] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Task[Page]] = {}

    def fresh(self, key: Hashable) -> Page | None:
        """The page of this key, while it may be shown."""
        page = self._pages.get(key)
        if page is None:
            return None
        if page.expires_at <= self._now():
            self._drop(key)
            return None
        self._pages.move_to_end(key)
        return page

    def keep(self, key: Hashable, page: Page) -> None:
        """Keep a page under another name too, or under its own."""
        self._drop(key)
        self._pages[key] = page
        self._bytes += _weight(page)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._pages)))

    def keep_found(self, key: Hashable, body: bytes) -> Page:
        """Keep a page that somebody else had rendered, and was current a moment ago."""
        expires_at = self._now() + self._seconds
        page = Page.of(body, expires_at=expires_at, cacheable=self._seconds > 0)
        self.keep(("product", key), page)
        return page

    async def get(self, key: Hashable, render: Callable[[], bytes]) -> Page:
        """The page of this key; `render` runs in a thread if there is none, for all who wait.

        Raises:
            Exception: whatever `render` raised, to everyone who waited for it.
        """
        if page := self.fresh(key):
            return page
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._load(key, render))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # One who gives up must not take the page from the others.
        return await asyncio.shield(flight)

    async def _load(self, key: Hashable, render: Callable[[], bytes]) -> Page:
        started = self._now()
        body = await anyio.to_thread.run_sync(render)
        page = Page.of(body, expires_at=started + self._seconds, cacheable=self._seconds > 0)
        self.keep(key, page)
        return page

    def _land(self, key: Hashable, flight: asyncio.Task[Page]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen, though everyone who waited may have left

    def _drop(self, key: Hashable) -> None:
        if page := self._pages.pop(key, None):
            self._bytes -= _weight(page)


def _weight(page: Page) -> int:
    return len(page.body) + _OVERHEAD_BYTES
