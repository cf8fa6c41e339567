"""A cache of rendered responses in this process, kept for seconds."""

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
"""The approximate size of an entry without its body, in bytes."""
_ONE_SECOND: Final = (b"cache-control", b"public, max-age=1")
"""With the ages of this cache and of the shared cache, a page is at most 5 seconds old."""
_NOT_AT_ALL: Final = (b"cache-control", b"no-cache")


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered page. Its ETag depends on its bytes only, so all processes agree on it."""

    body: bytes
    etag: bytes
    expires_at: float
    """Monotonic time in seconds."""
    headers: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, body: bytes, *, expires_at: float, cacheable: bool = True) -> Page:
        """Make a page of a JSON document. If `cacheable`, clients may cache it for one second."""
        etag = b'"%s"' % sha256(body).hexdigest()[:32].encode()
        headers = (
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"etag", etag),
            _ONE_SECOND if cacheable else _NOT_AT_ALL,
        )
        return cls(body, etag, expires_at, headers)

    async def send(self, scope: Scope, send: Send) -> None:
        """Send the page, or 304 if the client has it."""
        if _client_has(scope, self.etag):
            await send({"type": "http.response.start", "status": 304, "headers": self.headers[2:]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.body", "body": self.body})


def _client_has(scope: Scope, etag: bytes) -> bool:
    for header, value in scope["headers"]:
        if header == b"if-none-match" and _matches(value, etag):
            return True
    return False


def _matches(condition: bytes, etag: bytes) -> bool:
    """Compare as RFC 9110 does for weak ETags: `W/` makes no difference."""
    candidates = [entry.strip().removeprefix(b"W/") for entry in condition.split(b",")]
    return etag in candidates or candidates == [b"*"]


class PageCache:
    """Pages by key; the least recently used are evicted first. Belongs to one event loop.

    Concurrent requests for a missing page share one call to the origin, in a thread. A page's age
    counts from before that call, so a slow origin does not make it older than `seconds`.
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
        """Return the page of this key if it has not expired, else None."""
        page = self._pages.get(key)
        if page is None:
            return None
        if page.expires_at <= self._now():
            self._drop(key)
            return None
        self._pages.move_to_end(key)
        return page

    def keep(self, key: Hashable, page: Page) -> None:
        """Store a page under a key."""
        self._drop(key)
        self._pages[key] = page
        self._bytes += _weight(page)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._pages)))

    def keep_found(self, key: Hashable, body: bytes) -> Page:
        """Store a page that another process rendered and that was current a moment ago."""
        expires_at = self._now() + self._seconds
        page = Page.of(body, expires_at=expires_at, cacheable=self._seconds > 0)
        self.keep(("product", key), page)
        return page

    async def get(self, key: Hashable, render: Callable[[], bytes]) -> Page:
        """Return the page of this key. If it is missing, run `render` once in a thread.

        Raises:
            Exception: the error of `render`, for every waiting request.
        """
        if page := self.fresh(key):
            return page
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._load(key, render))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._finish(key, done))
        # A canceled request must not cancel the call that others wait for.
        return await asyncio.shield(flight)

    async def _load(self, key: Hashable, render: Callable[[], bytes]) -> Page:
        started = self._now()
        body = await anyio.to_thread.run_sync(render)
        page = Page.of(body, expires_at=started + self._seconds, cacheable=self._seconds > 0)
        self.keep(key, page)
        return page

    def _finish(self, key: Hashable, flight: asyncio.Task[Page]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # retrieved, as every waiting request may be gone

    def _drop(self, key: Hashable) -> None:
        if page := self._pages.pop(key, None):
            self._bytes -= _weight(page)


def _weight(page: Page) -> int:
    return len(page.body) + _OVERHEAD_BYTES
