"""The tokens issued at sign-in, and their stored forms."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from quickshop.application.shopper import digest
from quickshop.domain.identity import (
    AccountId,
    ApiKeyId,
    Permission,
    RefreshToken,
    Session,
    SessionId,
)
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import Caller
from quickshop.ports.security import AccessTokens
from quickshop.ports.unit_of_work import Transaction

REFRESH_PREFIX: Final = "qsr_"
API_KEY_PREFIX: Final = "qsk_"
MAILED_PREFIX: Final = "qso_"
"""Secrets have a prefix, so that secret scanners find leaked ones."""

MAX_SECRET_LENGTH: Final = 200
"""Characters of a secret that is looked up at all; our own are shorter."""
MOST_SESSIONS: Final = 50
"""Sessions per account; a new one beyond them ends the oldest."""

COPY_SECONDS: Final = 2
"""How long the shared cache keeps a caller."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The tokens of a new or refreshed session. They are shown only once."""

    session_id: SessionId
    account_id: AccountId
    access_token: str = field(repr=False)
    expires_in: int
    """Seconds until the access token expires."""
    refresh_token: str = field(repr=False)
    """Exchanged once for the next pair of tokens."""


@dataclass(frozen=True, slots=True)
class Issuing:
    """Issues tokens."""

    clock: Clock
    identifiers: Identifiers
    tokens: AccessTokens
    session_lasts: timedelta

    def start_session(
        self, tx: Transaction, account_id: AccountId, device: str, address: str
    ) -> SignedIn:
        """Open a session for a device."""
        now = self.clock.now()
        session = Session.start(
            id=SessionId(self.identifiers.new()),
            account_id=account_id,
            device=device,
            address=address,
            now=now,
            lasts=self.session_lasts,
        )
        for oldest in tx.sessions.of_account(account_id)[: -(MOST_SESSIONS - 1)]:
            oldest.revoke("too many devices", now=now)
            tx.sessions.save(oldest)
        tx.sessions.add(session)
        secret = self.new_refresh_token()
        tx.sessions.put_token(
            RefreshToken(digest=digest(secret), session_id=session.id, issued_at=now)
        )
        return self.signed_in(session, secret)

    def new_refresh_token(self) -> str:
        """Return a new refresh token."""
        return REFRESH_PREFIX + self.identifiers.secret()

    def signed_in(self, session: Session, refresh_token: str) -> SignedIn:
        """Return the tokens of a session, with this refresh token."""
        now = self.clock.now()
        return SignedIn(
            session_id=session.id,
            account_id=session.account_id,
            access_token=self.tokens.issue(session.id, session.account_id, now=now),
            expires_in=self.tokens.lasts_seconds,
            refresh_token=refresh_token,
        )


def seal(successor: str, used: str) -> str:
    """Encrypt the successor of a refresh token, so that only the used token reveals it.

    A one-time pad: XOR with an HMAC under the used token, which encrypts nothing else. So a lost
    response can be repeated, and the database alone reveals no token.
    """
    return urlsafe_b64encode(_pad(_raw(successor), used)).decode()


def unseal(sealed: str, used: str) -> str:
    """Return the token that `seal` encrypted with the same used token."""
    return REFRESH_PREFIX + _text(_pad(urlsafe_b64decode(sealed), used))


def _pad(data: bytes, secret: str) -> bytes:
    pad = hmac.digest(secret.encode(), b"successor", sha256)
    assert len(data) == len(pad), "a token has as many bytes as the pad"
    return bytes(one ^ other for one, other in zip(data, pad, strict=True))


def _raw(token: str) -> bytes:
    text = token.removeprefix(REFRESH_PREFIX)
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def copy_of(caller: Caller | None) -> bytes:
    """Serialize a caller, or None, for the cache."""
    if caller is None:
        return b"null"
    return json.dumps(
        {
            "account": str(caller.account_id),
            "permissions": sorted(caller.permissions),
            "session": None if caller.session_id is None else str(caller.session_id),
            "api_key": None if caller.api_key_id is None else str(caller.api_key_id),
        }
    ).encode()


def caller_of(copy: bytes) -> Caller | None:
    """Deserialize a caller that `copy_of` wrote.

    Raises:
        ValueError: the bytes have another format.
    """
    found = json.loads(copy)
    if found is None:
        return None
    try:
        session, api_key = found["session"], found["api_key"]
        return Caller(
            account_id=AccountId(UUID(found["account"])),
            permissions=frozenset(Permission(each) for each in found["permissions"]),
            session_id=None if session is None else SessionId(UUID(session)),
            api_key_id=None if api_key is None else ApiKeyId(UUID(api_key)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a serialized caller") from error
