"""The credentials of a request: a bearer token, an API key, or cookies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from quickshop.application.identity.tokens import API_KEY_PREFIX, SignedIn
from quickshop.entrypoints.http.edge.middleware import facts_of
from quickshop.entrypoints.http.edge.problems import ProblemError

ACCESS_COOKIE: Final = "__Host-quickshop-access"
REFRESH_COOKIE: Final = "__Host-quickshop-refresh"
"""With this prefix browsers accept a cookie only over HTTPS and for this host alone."""

_BEARER: Final = re.compile(rb"bearer +([!-~]{1,1024})", re.IGNORECASE)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_COOKIES_LENGTH: Final = 8_192


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials as sent, not verified yet."""

    access_token: str | None = None
    api_key: str | None = None
    refresh_token: str | None = None
    """The refresh token, from a cookie."""
    malformed: bool = False
    """Whether an Authorization header was sent that holds no valid credentials."""

    @property
    def are_none(self) -> bool:
        """Whether the request carries no credentials."""
        return not (self.access_token or self.api_key or self.refresh_token or self.malformed)


NONE: Final = Credentials()


def credentials_of(scope: Scope) -> Credentials:
    """Return the credentials of a request. Cookies count only from allowed origins.

    Raises:
        ProblemError: 403: a write with cookies came from a page of another origin.
    """
    authorization = cookies = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if authorization is not None:
                return Credentials(malformed=True)
            authorization = value
        elif name == b"cookie":
            cookies = value if cookies is None else cookies + b"; " + value
    if authorization is not None:
        return _of_header(authorization)
    if cookies is not None and b"__Host-quickshop" in cookies:
        return _of_cookies(scope, cookies)
    return NONE


def _of_header(value: bytes) -> Credentials:
    found = _BEARER.fullmatch(value)
    if found is None:
        return Credentials(malformed=True)
    token = found[1].decode()
    if token.startswith(API_KEY_PREFIX):
        return Credentials(api_key=token)
    return Credentials(access_token=token)


def _of_cookies(scope: Scope, value: bytes) -> Credentials:
    found = _parse_cookies(value)
    if not found:
        return NONE
    require_own_origin(scope)
    return Credentials(
        access_token=found.get(ACCESS_COOKIE), refresh_token=found.get(REFRESH_COOKIE)
    )


def _parse_cookies(value: bytes) -> Mapping[str, str]:
    if len(value) > _MAX_COOKIES_LENGTH:
        return {}
    pairs = (part.strip().partition("=") for part in value.decode("latin-1").split(";"))
    return {name: text for name, _, text in pairs if name in {ACCESS_COOKIE, REFRESH_COOKIE}}


def require_own_origin(scope: Scope) -> None:
    """Refuse a write with cookies that comes from a page of another origin.

    Browsers send the page's origin with every write. A client that sends none is not a browser and
    needs no cookies.

    Raises:
        ProblemError: 403: the origin is missing or not allowed.
    """
    if scope["method"] in _SAFE:
        return
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    if len(origins) != 1 or not _is_own(scope, origins[0]):
        detail = (
            "Writes with cookies need an Origin header that names the shop itself or one of"
            " QUICKSHOP_CORS_ORIGINS."
        )
        raise ProblemError(403, "origin_not_allowed", detail)


def _is_own(scope: Scope, origin: str) -> bool:
    trusted: Iterable[str] = scope["app"].state.cors_origins
    if origin in trusted:
        return True
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    scheme = "https" if facts_of(scope).https else "http"
    return origin == f"{scheme}://{host.decode('latin-1').lower()}"


def set_cookies(answer: Response, signed_in: SignedIn, *, session_seconds: int) -> None:
    """Store a session's tokens in cookies that scripts cannot read."""
    for name, value, seconds in (
        (ACCESS_COOKIE, signed_in.access_token, signed_in.expires_in),
        (REFRESH_COOKIE, signed_in.refresh_token, session_seconds),
    ):
        answer.set_cookie(
            name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
        )


def clear_cookies(answer: Response) -> None:
    """Delete the session's cookies."""
    for name in (ACCESS_COOKIE, REFRESH_COOKIE):
        answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
