"""API keys: how other programs act for staff."""

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
    """Something about one key; never the key itself."""

    api_key_id: ApiKeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyMade(ApiKeyEvent):
    """A program may act for an account, whose owner is told."""

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(ApiKeyEvent):
    """It may no longer."""


@dataclass(slots=True, eq=False, kw_only=True)
class ApiKey(Aggregate):
    """A secret by which a program may do some of what the account that made it may do."""

    id: ApiKeyId
    account_id: AccountId
    name: str
    digest: str
    """SHA-256 of the key; the key itself is shown once and not kept."""
    scopes: frozenset[Permission]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a key without a name or without any use.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        require_text("name", self.name, max_length=MAX_API_KEY_NAME_LENGTH)
        if not self.scopes:
            raise InvalidValueError("scopes", "must name at least one permission")

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
        """Make a key.

        Raises:
            InvalidValueError: it has no name, no scope, or expires in the past.
        """
        if expires_at is not None and expires_at <= now:
            raise InvalidValueError("expires_at", "must lie in the future")
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
        """Let it open nothing any more. Safe to repeat."""
        if self.revoked_at is None:
            self.revoked_at = now
            self._record(ApiKeyRevoked(api_key_id=self.id, occurred_at=now))
