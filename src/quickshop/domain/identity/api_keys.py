"""API keys, with which programs act for staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.identity.accounts import AccountId
from quickshop.domain.identity.permissions import Permission
from quickshop.domain.values import require_text

ApiKeyId = NewType("ApiKeyId", UUID)

MAX_API_KEY_NAME_LENGTH: Final = 100
"""Characters in the name of an API key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyEvent(DomainEvent):
    """An event of one API key; it never contains the key itself."""

    api_key_id: ApiKeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyMade(ApiKeyEvent):
    """An API key was created for an account; the owner is notified."""

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(ApiKeyEvent):
    """An API key was revoked."""


@dataclass(slots=True, eq=False, kw_only=True)
class ApiKey(Aggregate):
    """A secret that gives a program some of the permissions of the account that created it."""

    id: ApiKeyId
    account_id: AccountId
    name: str
    digest: str
    """SHA-256 of the key; the key itself is shown once and not stored."""
    scopes: frozenset[Permission]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the name and the scopes.

        Raises:
            InvalidValueError: the name is not a short text, or there are no scopes.
        """
        require_text("name", self.name, max_length=MAX_API_KEY_NAME_LENGTH)
        if not self.scopes:
            raise InvalidValueError("scopes", "must contain at least one permission")

    @classmethod
    def make(
        cls,
        *,
        id: ApiKeyId,
        account_id: AccountId,
        name: str,
        digest: str,
        scopes: frozenset[Permission],
        expires_at: datetime | None,
        now: datetime,
    ) -> ApiKey:
        """Create an API key.

        Raises:
            InvalidValueError: it has no name or no scope, or expires in the past.
        """
        if expires_at is not None and expires_at <= now:
            raise InvalidValueError("expires_at", "must be in the future")
        key = cls(
            id=id,
            account_id=account_id,
            name=name,
            digest=digest,
            scopes=scopes,
            created_at=now,
            expires_at=expires_at,
        )
        key._record(ApiKeyMade(api_key_id=id, account_id=account_id, occurred_at=now))
        return key

    def revoke(self, *, now: datetime) -> None:
        """Revoke the key. Safe to repeat."""
        if self.revoked_at is None:
            self.revoked_at = now
            self._record(ApiKeyRevoked(api_key_id=self.id, occurred_at=now))
