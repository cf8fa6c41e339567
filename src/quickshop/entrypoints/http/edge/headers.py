"""The security and cache headers of every response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Header = tuple[bytes, bytes]

_CACHE_CONTROL: Final = b"cache-control"
_CONTENT_POLICY: Final = b"content-security-policy"

_SECURITY: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # Applies to requests without CORS only, so allowed origins are not affected.
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_DENY_ALL: Final[Header] = (_CONTENT_POLICY, b"default-src 'none'; frame-ancestors 'none'")
_NO_STORE: Final[Header] = (_CACHE_CONTROL, b"no-store")
_HTTPS_ONLY: Final[Header] = (
    b"strict-transport-security",
    b"max-age=31536000; includeSubDomains",
)

_OPEN: Final = (*_SECURITY, _DENY_ALL)
_OPEN_NO_STORE: Final = (*_OPEN, _NO_STORE)
_SECURE: Final = (*_OPEN, _HTTPS_ONLY)
_SECURE_NO_STORE: Final = (*_SECURE, _NO_STORE)


def complete(own: Iterable[Header], *, https: bool) -> list[Header]:
    """Add the security and cache headers to the headers of a response.

    A response without `Cache-Control` becomes `no-store`. A response keeps its own `Cache-Control`
    and its own `Content-Security-Policy`, which pages with scripts set.
    """
    headers = [*own]
    names = [name for name, _ in headers]
    if _CACHE_CONTROL in names:
        rest = _SECURE if https else _OPEN
    else:
        rest = _SECURE_NO_STORE if https else _OPEN_NO_STORE
    if _CONTENT_POLICY in names:
        headers += [header for header in rest if header is not _DENY_ALL]
    else:
        headers += rest
    return headers
