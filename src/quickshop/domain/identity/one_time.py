"""One-time tokens: emailed secrets that each do one thing once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.errors import InvalidTokenError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.identity.accounts import AccountId

OneTimeTokenId = NewType("OneTimeTokenId", UUID)


class Purpose(StrEnum):
    """The action that a one-time token allows."""

    CONFIRM_ACCOUNT = "confirm_account"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose
    CHANGE_EMAIL = "change_email"


LIFETIMES: Final = {
    Purpose.CONFIRM_ACCOUNT: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenEvent(DomainEvent):
    """An event of one token; it never contains the token itself."""

    token_id: OneTimeTokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenRequested(OneTimeTokenEvent):
    """A token was requested; it is emailed if the address can use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenMailed(OneTimeTokenEvent):
    """The secret of a token was created and is being emailed."""


@dataclass(slots=True, eq=False, kw_only=True)
class OneTimeToken(Aggregate):
    """A request that the reader of an email address may complete, once.

    Using a token deletes it, together with all tokens that it makes obsolete.
    """

    id: OneTimeTokenId
    purpose: Purpose
    email: str
    """The address that it is emailed to."""
    account_id: AccountId | None
    """The account whose address will change; None if the address finds the account."""
    created_at: datetime
    expires_at: datetime
    name: str = ""
    """The name of the person who requested an account."""
    password_hash: str | None = None
    """The hash of the password chosen with the request. Only this token makes it valid."""
    digest: str | None = None
    """SHA-256 of the secret; None until it is emailed."""

    @classmethod
    def request(
        cls,
        *,
        id: OneTimeTokenId,
        purpose: Purpose,
        email: str,
        now: datetime,
        account_id: AccountId | None = None,
        name: str = "",
        password_hash: str | None = None,
    ) -> OneTimeToken:
        """Create a token request. It does not check whether an account has the address."""
        token = cls(
            id=id,
            purpose=purpose,
            email=email,
            account_id=account_id,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
            name=name,
            password_hash=password_hash,
        )
        token._record(OneTimeTokenRequested(token_id=id, occurred_at=now))
        return token

    def mail(self, digest: str, *, now: datetime) -> None:
        """Store the digest of the secret that will be emailed; an earlier secret stops working."""
        self.digest = digest
        self._record(OneTimeTokenMailed(token_id=self.id, occurred_at=now))

    def is_alive(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return now < self.expires_at

    def require_usable(self, purpose: Purpose, *, now: datetime) -> None:
        """Check the purpose and the age of the token.

        Raises:
            InvalidTokenError: the token is for another purpose, or has expired.
        """
        if self.purpose is not purpose or not self.is_alive(now):
            raise InvalidTokenError
