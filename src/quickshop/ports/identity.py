"""What the shop needs from whoever keeps its accounts, sessions, roles and keys."""

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
    """The accounts, as seen from inside one transaction."""

    def get(self, account_id: AccountId) -> Account:
        """The account, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def find(self, email: str) -> Account | None:
        """The account of this address, case-folded; locked."""
        ...

    def add(self, account: Account) -> None:
        """Store a new account.

        Raises:
            AlreadyExistsError: its address is taken.
        """
        ...

    def save(self, account: Account) -> None:
        """Store the changes of an account got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
            AlreadyExistsError: its address is taken.
        """
        ...

    def lock_admins(self) -> Sequence[AccountId]:
        """The accounts in the role `admin` that can be signed in to; nobody ends one meanwhile.

        Call it before accounts are got: so nobody waits for each other.
        """
        ...


class RoleRepository(Protocol):
    """The roles that the shop made, as seen from inside one transaction."""

    def find(self, name: str) -> Role | None:
        """The role of this name, locked."""
        ...

    def add(self, role: Role) -> None:
        """Store a new role.

        Raises:
            AlreadyExistsError: its name is taken.
        """
        ...

    def save(self, role: Role) -> None:
        """Store the changes of a role got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...

    def remove(self, role: Role) -> None:
        """Forget a role.

        Raises:
            RoleInUseError: accounts are in it.
        """
        ...


class SessionRepository(Protocol):
    """The sessions and their refresh tokens, as seen from inside one transaction."""

    def get(self, session_id: SessionId) -> Session:
        """The session, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def of_account(self, account_id: AccountId) -> Sequence[Session]:
        """Those of an account that were not revoked, oldest first; locked."""
        ...

    def add(self, session: Session) -> None:
        """Store a new session."""
        ...

    def save(self, session: Session) -> None:
        """Store the changes of a session got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...

    def with_token(self, digest: str) -> tuple[Session, RefreshToken] | None:
        """The refresh token with this digest, used or not, and its session, which is locked.

        So nobody else uses a token of the session until the transaction ends.
        """
        ...

    def put_token(self, token: RefreshToken) -> None:
        """Store a token, new or changed."""
        ...

    def forget_of(self, account_id: AccountId) -> Sequence[SessionId]:
        """Delete every session of an account, with its tokens; tell which those were."""
        ...

    def forget_ended(self, before: datetime) -> int:
        """Delete sessions that ended before then, with their tokens; tell how many."""
        ...


class OneTimeTokenRepository(Protocol):
    """The one-time tokens, as seen from inside one transaction."""

    def get(self, token_id: OneTimeTokenId) -> OneTimeToken:
        """The token, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id: it was forgotten.
        """
        ...

    def with_digest(self, digest: str) -> OneTimeToken:
        """The token of this secret, locked with all others for its address.

        So of two who follow links at once one comes first, whichever links they are.

        Raises:
            InvalidTokenError: there is none.
        """
        ...

    def add(self, token: OneTimeToken) -> None:
        """Store a new token, and its events."""
        ...

    def save(self, token: OneTimeToken) -> None:
        """Store the changes of a token got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...

    def forget_of(self, account_id: AccountId, *emails: str) -> int:
        """Delete all that are for these addresses, or were asked for by this account.

        Tell how many that were.
        """
        ...

    def purge_expired(self, now: datetime) -> int:
        """Delete tokens past their time; tell how many."""
        ...


class ApiKeyRepository(Protocol):
    """The API keys, as seen from inside one transaction."""

    def get(self, api_key_id: ApiKeyId) -> ApiKey:
        """The key, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def of_account(self, account_id: AccountId) -> Sequence[ApiKey]:
        """Those of an account that were not revoked, the first one first; locked."""
        ...

    def add(self, api_key: ApiKey) -> None:
        """Store a new key."""
        ...

    def save(self, api_key: ApiKey) -> None:
        """Store the changes of a key got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is behind a request: somebody signed in, or a program with a key."""

    account_id: AccountId
    permissions: frozenset[Permission]
    """All that they may do, with what comes along with it."""
    session_id: SessionId | None = None
    api_key_id: ApiKeyId | None = None

    @property
    def customer_id(self) -> CustomerId | None:
        """Whom it buys for. A program with a key does not go shopping."""
        return None if self.session_id is None else CustomerId(self.account_id)

    @property
    def scope(self) -> str:
        """Names the caller among all callers: what idempotency keys are kept under."""
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
    """When it was ended before its time."""


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
    """Who is who, as it is asked all the time; no transaction needed."""

    def signed_in(self, session_id: SessionId, now: datetime) -> Caller | None:
        """Whoever this session signs in; None when it ended or the account is not active."""
        ...

    def with_key(self, digest: str, now: datetime) -> Caller | None:
        """Whoever holds this API key, with no more permissions than whoever made it has now.

        None when there is no such key, it ended, or the account is not active.
        """
        ...

    def roles(self) -> Mapping[str, frozenset[Permission]]:
        """Every role and what it holds, those that every shop has included."""
        ...

    def sessions(self, account_id: AccountId, now: datetime) -> Sequence[SessionView]:
        """The live sessions of an account, the one used last first."""
        ...

    def kept_sessions(self, account_id: AccountId) -> Sequence[SessionView]:
        """The sessions of an account that are still known, also those that ended; likewise."""
        ...

    def api_keys(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ApiKeyView]:
        """One page of all API keys, the newest first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def knows_address(self, email: str, address: str) -> bool:
        """Whether the account of this e-mail address was signed in to from there."""
        ...
