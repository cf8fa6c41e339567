"""Which other sites' pages may use the API from their visitors' browsers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from quickshop.entrypoints.http.edge.headers import Header

ALLOWED_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ALLOWED_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Cart-Token",
    "X-Order-Token",
    "X-Request-Id",
)
EXPOSED_HEADERS: Final = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
)
_REMEMBERED_SECONDS: Final = 7_200  # no browser believes an answer for longer

_VARY: Final[Header] = (b"vary", b"Origin")
_PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", ", ".join(ALLOWED_METHODS).encode()),
    (b"access-control-allow-headers", ", ".join(ALLOWED_HEADERS).encode()),
    (b"access-control-max-age", b"%d" % _REMEMBERED_SECONDS),
)


class Cors:
    """Lets in the pages of these origins, with cookies, and of no other.

    Not Starlette's middleware: that would be a second layer around every request, refuses
    preflights in plain text, and tells origins that it does not know what would be allowed.
    """

    def __init__(self, origins: Sequence[str] = ()) -> None:
        self._answers = {origin.encode(): _let_in(origin) for origin in origins}
        self._others: tuple[Header, ...] = (_VARY,) if origins else ()

    def headers(self, asked: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        """What an answer to a request with these headers adds to its own."""
        return self._answers.get(asked.get(b"origin", b""), self._others)

    def preflight(self, method: str, asked: Mapping[bytes, bytes]) -> tuple[Header, ...] | None:
        """What the answer adds to those when a browser asks whether it may ask; else None."""
        if method != "OPTIONS" or not self._answers:
            return None
        if b"origin" not in asked or b"access-control-request-method" not in asked:
            return None
        return _PREFLIGHT if asked[b"origin"] in self._answers else ()


def _let_in(origin: str) -> tuple[Header, ...]:
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
        _VARY,
    )
