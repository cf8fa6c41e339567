"""CORS: the other origins whose pages may use the API from a browser."""

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
_REMEMBERED_SECONDS: Final = 7_200  # browsers cap it at this

_VARY: Final[Header] = (b"vary", b"Origin")
_PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", ", ".join(ALLOWED_METHODS).encode()),
    (b"access-control-allow-headers", ", ".join(ALLOWED_HEADERS).encode()),
    (b"access-control-max-age", b"%d" % _REMEMBERED_SECONDS),
)


class Cors:
    """Allows pages of these origins, with cookies, and of no others.

    Starlette's middleware is not used: it adds a second layer to every request, refuses preflights
    in plain text, and reveals to unknown origins what it would allow.
    """

    def __init__(self, origins: Sequence[str] = ()) -> None:
        self._answers = {origin.encode(): _allow_origin(origin) for origin in origins}
        self._others: tuple[Header, ...] = (_VARY,) if origins else ()

    def headers(self, request_headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        """Return the CORS headers of the response to a request with these headers."""
        return self._answers.get(request_headers.get(b"origin", b""), self._others)

    def preflight(
        self, method: str, request_headers: Mapping[bytes, bytes]
    ) -> tuple[Header, ...] | None:
        """Return the additional headers if this is a CORS preflight, else None."""
        if method != "OPTIONS" or not self._answers:
            return None
        if (
            b"origin" not in request_headers
            or b"access-control-request-method" not in request_headers
        ):
            return None
        return _PREFLIGHT if request_headers[b"origin"] in self._answers else ()


def _allow_origin(origin: str) -> tuple[Header, ...]:
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
        _VARY,
    )
