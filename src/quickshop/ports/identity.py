"""Ports that store and read accounts, sessions, roles, tokens and API keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from quickshop.domain.customers import CustomerId
from quickshop.domain.identity import (
    Account,
    AccountId,
    ApiKey,
    ApiKeyId,
    OneTimeToken,
    OneTimeTokenId,
    Permission,
    RefreshToken,
    Role,
    Session,
    SessionId,
)
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class AccountRepository(Protocol):
    """The accounts in one transaction."""

    def get(self, account_id: AccountId) -> Account:
        """Return the account, locked until the transaction ends.

        Raises:
            NotFoundError: no account has this id.
        """
        ...

    def find(self, email: str) -> Account | None:
        """Return the account with this case-folded email address, if any; locked."""
        ...

    def add(self, account: Account) -> None:
        """Store a new account.

        Raises:
            AlreadyExistsError: another account has the email address.
        """
        ...

    def save(self, account: Account) -> None:
        """Store the changes of an account read in this transaction.

        Raises:
            ConflictError: another transaction saved the account since it was read.
            AlreadyExistsError: another account has the email address.
        """
        ...

    def lock_admins(self) -> Sequence[AccountId]:
        """Return the accounts with the role `admin` that can sign in, locked against changes.

        Call it before accounts are read, to avoid deadlocks.
        """
        ...


class RoleRepository(Protocol):
    """The custom roles of the shop in one transaction."""

    def find(self, name: str) -> Role | None:
        """Return the role with this name, if any; locked."""
        ...

    def add(self, role: Role) -> None:
        """Store a new role.

        Raises:
            AlreadyExistsError: another role has the name.
        """
        ...

    def save(self, role: Role) -> None:
        """Store the changes of a role read in this transaction.

        Raises:
            ConflictError: another transaction saved the role since it was read.
        """
        ...

    def remove(self, role: Role) -> None:
        """Delete a role.

        Raises:
            RoleInUseError: accounts have the role.
        """
        ...


class SessionRepository(Protocol):
    """The sessions and their refresh tokens in one transaction."""

    def get(self, session_id: SessionId) -> Session:
        """Return the session, locked until the transaction ends.

        Raises:
            NotFoundError: no session has this id.
        """
        ...

    def of_account(self, account_id: AccountId) -> Sequence[Session]:
        """Return the sessions of an account that are not revoked, oldest first; locked."""
        ...

    def add(self, session: Session) -> None:
        """Store a new session."""
        ...

    def save(self, session: Session) -> None:
        """Store the changes of a session read in this transaction.

        Raises:
            ConflictError: another transaction saved the session since it was read.
        """
        ...

    def with_token(self, digest: str) -> tuple[Session, RefreshToken] | None:
        """Return the refresh token with this digest, used or not, and its session, if any.

        The session is locked, so that no other transaction uses its tokens until this one ends.
        """
        ...

    def put_token(self, token: RefreshToken) -> None:
        """Store a new or changed token."""
        ...

    def delete_of(self, account_id: AccountId) -> Sequence[SessionId]:
        """Delete all sessions of an account, with their tokens; return the ids."""
        ...

    def purge_ended(self, before: datetime) -> int:
        """Delete sessions that ended before `before`, with their tokens; return how many."""
        ...


class OneTimeTokenRepository(Protocol):
    """The one-time tokens in one transaction."""

    def get(self, token_id: OneTimeTokenId) -> OneTimeToken:
        """Return the token, locked until the transaction ends.

        Raises:
            NotFoundError: no token has this id; it was deleted.
        """
        ...

    def with_digest(self, digest: str) -> OneTimeToken:
        """Return the token of this secret, locked with all other tokens for its address.

        Of two links followed at once, one is therefore processed first, also if they differ.

        Raises:
            InvalidTokenError: no token has this secret.
        """
        ...

    def add(self, token: OneTimeToken) -> None:
        """Store a new token and its events."""
        ...

    def save(self, token: OneTimeToken) -> None:
        """Store the changes of a token read in this transaction.

        Raises:
            ConflictError: another transaction saved the token since it was read.
        """
        ...

    def delete_of(self, account_id: AccountId, *emails: str) -> int:
        """Delete tokens for these addresses, or requested by this account; return how many."""
        ...

    def purge_expired(self, now: datetime) -> int:
        """Delete expired tokens; return how many."""
        ...


class ApiKeyRepository(Protocol):
    """The API keys in one transaction."""

    def get(self, api_key_id: ApiKeyId) -> ApiKey:
        """Return the key, locked until the transaction ends.

        Raises:
            NotFoundError: no API key has this id.
        """
        ...

    def of_account(self, account_id: AccountId) -> Sequence[ApiKey]:
        """Return the keys of an account that are not revoked, oldest first; locked."""
        ...

    def add(self, api_key: ApiKey) -> None:
        """Store a new key."""
        ...

    def save(self, api_key: ApiKey) -> None:
        """Store the changes of a key read in this transaction.

        Raises:
            ConflictError: another transaction saved the key since it was read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller of a request: a signed-in person, or a program with an API key."""

    account_id: AccountId
    permissions: frozenset[Permission]
    """All permissions of the caller, including implied ones."""
    session_id: SessionId | None = None
    api_key_id: ApiKeyId | None = None

    @property
    def customer_id(self) -> CustomerId | None:
        """The customer who is the caller; None for an API key, which cannot shop."""
        return None if self.session_id is None else CustomerId(self.account_id)

    @property
    def scope(self) -> str:
        """The unique name of the caller, which is the scope of idempotency keys."""
        key = self.api_key_id
        return f"account:{self.account_id}" if key is None else f"api_key:{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session as its owner sees it."""

    id: SessionId
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    """When it was revoked, if it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyView:
    """An API key as staff see it; never the key itself."""

    id: ApiKeyId
    account_id: AccountId
    name: str
    scopes: Sequence[Permission]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class IdentityReader(Protocol):
    """Reads callers, roles, sessions and API keys without a transaction."""

    def signed_in(self, session_id: SessionId, now: datetime) -> Caller | None:
        """Return the caller of this session; None if it ended or the account is not active."""
        ...

    def with_key(self, digest: str, now: datetime) -> Caller | None:
        """Return the caller with this API key, limited to the current permissions of its account.

        None if there is no such key, the key ended, or the account is not active.
        """
        ...

    def roles(self) -> Mapping[str, frozenset[Permission]]:
        """Return the permissions of every role, including the built-in roles."""
        ...

    def sessions(self, account_id: AccountId, now: datetime) -> Sequence[SessionView]:
        """Return the live sessions of an account, last used first."""
        ...

    def kept_sessions(self, account_id: AccountId) -> Sequence[SessionView]:
        """Return all stored sessions of an account, also ended ones, last used first."""
        ...

    def api_keys(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ApiKeyView]:
        """Return one page of all API keys, newest first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def knows_address(self, email: str, address: str) -> bool:
        """Return whether the account with this email has a session from a network address."""
        ...
