"""Secrets that are mailed to somebody and do one thing once."""

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
    """What the bearer of a one-time token may do."""

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
    """Something about one token; never the token itself."""

    token_id: OneTimeTokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenRequested(OneTimeTokenEvent):
    """Somebody asked for one; it is mailed if there is anything to be done with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenMailed(OneTimeTokenEvent):
    """Its secret was made, and is on its way."""


@dataclass(slots=True, eq=False, kw_only=True)
class OneTimeToken(Aggregate):
    """A request that whoever reads the mail of an address may go through with.

    Once: whoever uses it deletes it, with all others that it makes pointless.
    """

    id: OneTimeTokenId
    purpose: Purpose
    email: str
    """Where it is mailed."""
    account_id: AccountId | None
    """Whose address is to change; else found by the address when it is needed."""
    created_at: datetime
    expires_at: datetime
    name: str = ""
    """Of whoever asked for an account."""
    password_hash: str | None = None
    """Chosen by whoever asked for an account. It counts only with this very token."""
    digest: str | None = None
    """SHA-256 of the secret; None until it is mailed."""

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
        """Ask for a token. Whether anybody has that address is not looked at here."""
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
        """Take the secret that is going to be mailed; an earlier one opens nothing any more."""
        self.digest = digest
        self._record(OneTimeTokenMailed(token_id=self.id, occurred_at=now))

    def is_alive(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return now < self.expires_at

    def require_usable(self, purpose: Purpose, *, now: datetime) -> None:
        """Refuse to do something else, or after so long.

        Raises:
            InvalidTokenError: it is for something else, or too old.
        """
        if self.purpose is not purpose or not self.is_alive(now):
            raise InvalidTokenError
