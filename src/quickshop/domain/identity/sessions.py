"""Sessions: one sign-in on one device, kept alive by refresh tokens that are used once each."""

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
"""How long a used refresh token still answers with the same successor: answers get lost."""
MAX_ACCESS_TOKEN_SECONDS: Final = 15 * 60
"""How long an access token may be good: it is not looked up while it is."""
MAX_DEVICE_LENGTH: Final = 200
"""Characters kept of what a device says of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent(DomainEvent):
    """Something about one session."""

    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(SessionEvent):
    """Somebody signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUsed(SessionEvent):
    """Its device came back for a new token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked(SessionEvent):
    """It was ended: by its owner, by staff, or because a token was used twice."""

    reason: str


class Redemption(StrEnum):
    """What a refresh token that is presented is worth."""

    FRESH = "fresh"
    REPEATED = "repeated"
    """Used moments ago: the answer to that was lost. It gets the same successor."""
    REUSED = "reused"
    """Used long ago: two have it, and nobody knows who is the thief. Nobody keeps it."""
    WORTHLESS = "worthless"
    """Of a session that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One member of a session's family of tokens. The token itself is not kept."""

    digest: str
    session_id: SessionId
    issued_at: datetime
    used_at: datetime | None = None
    sealed_successor: str | None = None
    """The token that took its place, readable only with this one."""


@dataclass(slots=True, eq=False, kw_only=True)
class Session(Aggregate):
    """One sign-in on one device. It ends when it is revoked or too old."""

    id: SessionId
    account_id: AccountId
    device: str
    """What the device says of itself."""
    address: str
    """Where it was opened from."""
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
        """Sign a device in."""
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
        """Whether it signs anybody in."""
        return self.revoked_at is None and now < self.expires_at

    def redeem(
        self, token: RefreshToken, *, successor: RefreshToken | None = None, now: datetime
    ) -> Redemption:
        """Judge a token of this session; one that was used before, not just now, ends it.

        Only the token used last has a grace: when the successor was used, too, its answer had
        arrived, and this is somebody else.

        Source: RFC 9700 (security best current practice of OAuth 2.0), 4.14.2, token rotation.

        Raises:
            InvalidTokenError: the token is another session's.
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
        """End it. Safe to repeat."""
        if self.revoked_at is None:
            self.revoked_at = now
            self._record(SessionRevoked(session_id=self.id, reason=reason, occurred_at=now))
