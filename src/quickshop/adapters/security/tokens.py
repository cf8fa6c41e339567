"""Access tokens as JWTs: one algorithm, a named key, and every claim required."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from datetime import UTC, datetime
from secrets import token_urlsafe
from threading import Lock
from typing import Any, Final
from uuid import UUID, uuid4

from typing_extensions import override

from quickshop.domain.errors import NotSignedInError
from quickshop.domain.identity import MAX_ACCESS_TOKEN_SECONDS, AccountId, Key, KeyRing, SessionId
from quickshop.domain.values import require_between
from quickshop.ports.security import AccessClaims, AccessTokens

ALGORITHM: Final = "HS256"
KIND: Final = "at+jwt"
"""The `typ` header of an access token, see RFC 9068."""
ISSUER: Final = "quickshop"
AUDIENCE: Final = "quickshop-api"
_CLAIMS: Final = ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
_MAX_LENGTH: Final = 1_024
_MAX_SKEW_SECONDS: Final = 5
"""Maximum difference between the clocks of two processes."""
_REMEMBERED: Final = 10_000


def fresh_key() -> str:
    """Return a random key in the format of the settings."""
    return f"process:{token_urlsafe(48)}"


def fresh_keys() -> KeyRing:
    """Return a random key ring: its tokens are valid until this process ends."""
    return KeyRing.parse(fresh_key(), "keys")


class JwtAccessTokens(AccessTokens):
    """An `AccessTokens`. A valid token is remembered, and not verified again until it expires."""

    def __init__(self, keys: KeyRing, *, lasts_seconds: int = MAX_ACCESS_TOKEN_SECONDS) -> None:
        require_between("lasts_seconds", lasts_seconds, 1, MAX_ACCESS_TOKEN_SECONDS)
        self._keys = keys
        self._by_header = {_encoded(_headers(key)): key for key in keys.keys}
        self._lasts_seconds = lasts_seconds
        self._good: OrderedDict[str, AccessClaims] = OrderedDict()
        self._lock = Lock()

    @property
    @override
    def lasts_seconds(self) -> int:
        return self._lasts_seconds

    @override
    def issue(self, session_id: SessionId, account_id: AccountId, *, now: datetime) -> str:
        import jwt  # noqa: PLC0415 - a shop without accounts needs none

        issued_at = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "sid": str(session_id),
            "iat": issued_at,
            "exp": issued_at + self._lasts_seconds,
            "jti": uuid4().hex,
        }
        key = self._keys.newest
        return jwt.encode(claims, key.secret, algorithm=ALGORITHM, headers=_headers(key))

    @override
    def read(self, token: str, *, now: datetime) -> AccessClaims:
        claims = self._good.get(token)
        if claims is None:
            claims = self._check(token, now)
            self._remember(token, claims)
        if now >= claims.expires_at:
            raise NotSignedInError
        return claims

    def _check(self, token: str, now: datetime) -> AccessClaims:
        import jwt  # noqa: PLC0415 - as above

        if len(token) > _MAX_LENGTH or not _is_canonical(token):
            raise NotSignedInError
        key = self._by_header.get(token.partition(".")[0])
        if key is None:
            raise NotSignedInError
        try:
            found = jwt.decode(
                token,
                key.secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                # Times are compared below, with the clock of the shop.
                options={
                    "require": list(_CLAIMS),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "strict_aud": True,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotSignedInError from error
        return _claims_of(found, now)

    def _remember(self, token: str, claims: AccessClaims) -> None:
        with self._lock:
            self._good[token] = claims
            while len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)


def _headers(key: Key) -> dict[str, str]:
    return {"alg": ALGORITHM, "kid": key.id, "typ": KIND}


def _encoded(headers: dict[str, str]) -> str:
    """Return the header as a token begins with it; any other spelling is invalid."""
    text = json.dumps(headers, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _claims_of(found: dict[str, Any], now: datetime) -> AccessClaims:
    if found.keys() != set(_CLAIMS) or type(found["jti"]) is not str:
        raise NotSignedInError
    issued_at, expires_at = found["iat"], found["exp"]
    if type(issued_at) is not int or type(expires_at) is not int:
        raise NotSignedInError
    too_long = not 0 < expires_at - issued_at <= MAX_ACCESS_TOKEN_SECONDS
    if too_long or issued_at > now.timestamp() + _MAX_SKEW_SECONDS:
        raise NotSignedInError
    try:
        return AccessClaims(
            session_id=SessionId(UUID(found["sid"])),
            account_id=AccountId(UUID(found["sub"])),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
        )
    except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise NotSignedInError from error


def _is_canonical(token: str) -> bool:
    """Return whether each part is the canonical encoding: one token has one text."""
    if not token.isascii():
        return False
    try:
        return all(
            urlsafe_b64encode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            .decode()
            .rstrip("=")
            == part
            for part in token.split(".")
        )
    except ValueError:
        return False
