"""Sessions: one sign-in on one device, extended by refresh tokens that work once each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.errors import InvalidTokenError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.identity.accounts import AccountId

SessionId = NewType("SessionId", UUID)

GRACE: Final = timedelta(seconds=10)
"""How long a used refresh token returns the same successor again, as responses get lost."""
MAX_ACCESS_TOKEN_SECONDS: Final = 15 * 60
"""Longest lifetime of an access token, which is valid without a look-up."""
MAX_DEVICE_LENGTH: Final = 200
"""Characters stored of the device's description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent(DomainEvent):
    """An event of one session."""

    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(SessionEvent):
    """A session was created by signing in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUsed(SessionEvent):
    """A session was refreshed with a new token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked(SessionEvent):
    """A session was ended by its owner, by staff, or because a token was used twice."""

    reason: str


class Redemption(StrEnum):
    """The verdict on a presented refresh token."""

    FRESH = "fresh"
    REPEATED = "repeated"
    """Used moments ago, and the response was lost: return the same successor."""
    REUSED = "reused"
    """Used long ago: the token may be stolen, so the session ends for both holders."""
    WORTHLESS = "worthless"
    """The session has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One token in the rotation of a session. The token itself is not stored."""

    digest: str
    session_id: SessionId
    issued_at: datetime
    used_at: datetime | None = None
    sealed_successor: str | None = None
    """The token that replaced it, encrypted so that only this token can read it."""


@dataclass(slots=True, eq=False, kw_only=True)
class Session(Aggregate):
    """One sign-in on one device. It ends when it is revoked or expires."""

    id: SessionId
    account_id: AccountId
    device: str
    """The device's description of itself."""
    address: str
    """The network address that it was created from."""
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def start(
        cls,
        *,
        id: SessionId,
        account_id: AccountId,
        device: str,
        address: str,
        now: datetime,
        lasts: timedelta,
    ) -> Session:
        """Create a session for a device."""
        session = cls(
            id=id,
            account_id=account_id,
            device="".join(filter(str.isprintable, device))[:MAX_DEVICE_LENGTH],
            address=address,
            created_at=now,
            last_used_at=now,
            expires_at=now + lasts,
        )
        session._record(SessionOpened(session_id=id, occurred_at=now))
        return session

    def is_live(self, now: datetime) -> bool:
        """Return whether the session is neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at

    def redeem(
        self, token: RefreshToken, *, successor: RefreshToken | None = None, now: datetime
    ) -> Redemption:
        """Judge a token of this session. One that was used longer than `GRACE` ago ends it.

        Only the token used last has a grace period. If its successor was used too, the response
        had arrived, so the token comes from another holder.

        Source: RFC 9700 (security best current practice of OAuth 2.0), 4.14.2, token rotation.

        Raises:
            InvalidTokenError: the token belongs to another session.
        """
        if token.session_id != self.id:
            raise InvalidTokenError
        if not self.is_live(now):
            return Redemption.WORTHLESS
        if token.used_at is None:
            self.last_used_at = now
            self._record(SessionUsed(session_id=self.id, occurred_at=now))
            return Redemption.FRESH
        is_last = successor is not None and successor.used_at is None
        if is_last and now - token.used_at <= GRACE:
            return Redemption.REPEATED
        self.revoke("a refresh token was used twice", now=now)
        return Redemption.REUSED

    def revoke(self, reason: str, *, now: datetime) -> None:
        """Revoke the session. Safe to repeat."""
        if self.revoked_at is None:
            self.revoked_at = now
            self._record(SessionRevoked(session_id=self.id, reason=reason, occurred_at=now))
