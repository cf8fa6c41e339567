"""Use cases about roles and API keys."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from quickshop.application.identity.passwords import CheckPassword
from quickshop.application.identity.tokens import API_KEY_PREFIX
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
from quickshop.application.shopper import digest
from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.domain.identity import (
    BUILT_IN_ROLES,
    AccountId,
    ApiKey,
    ApiKeyId,
    Permission,
    Role,
    require_within,
)
from quickshop.ports.cache import SessionCache
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import ApiKeyView, Caller, IdentityReader
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

logger: Final = logging.getLogger("quickshop.identity")


@needs(Permission.USERS_READ)
@dataclass(frozen=True, slots=True)
class ListRoles:
    """Show every role and what it holds."""

    identity: IdentityReader

    def __call__(self) -> Mapping[str, frozenset[Permission]]:
        """Those that every shop has first."""
        return self.identity.roles()


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class SetRole:
    """Make a role, or let it hold other permissions."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(
        self, name: str, permissions: Iterable[Permission], *, by: Caller | None = None
    ) -> None:
        """Safe to repeat. It counts everywhere within 5 seconds, for all who are in it.

        Raises:
            AlreadyExistsError: every shop has a role of this name; those do not change.
            InvalidValueError: the name is none.
            PrivilegeEscalationError: it holds, or would hold, more than `by` does.
        """
        now = self.clock.now()
        wanted = frozenset(permissions)
        if by is not None:
            require_within(wanted, by.permissions)
        with self.unit_of_work() as tx:
            role = tx.roles.find(name)
            if role is None:
                tx.roles.add(Role.make(name, wanted, now=now))
                return
            if by is not None:
                require_within(role.permissions, by.permissions)
            role.change(wanted, now=now)
            tx.roles.save(role)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class RemoveRole:
    """Forget a role that nobody is in."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, name: str, *, by: Caller | None = None) -> None:
        """Gone for good.

        Raises:
            NotFoundError: no such role.
            InvalidValueError: every shop has it.
            RoleInUseError: accounts are in it.
            PrivilegeEscalationError: it holds more than `by` does.
        """
        if name in BUILT_IN_ROLES:
            raise InvalidValueError("role", "must be one that the shop made: this one stays")
        with self.unit_of_work() as tx:
            role = tx.roles.find(name)
            if role is None:
                raise NotFoundError("role")
            if by is not None:
                require_within(role.permissions, by.permissions)
            tx.roles.remove(role)
        logger.info("role removed", extra={"role": name})


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made. It is shown this once."""

    id: ApiKeyId
    secret: str = field(repr=False)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class MakeApiKey:
    """Let a program do some of what an account may do."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    check: CheckPassword

    def __call__(
        self,
        account_id: AccountId,
        *,
        name: str,
        scopes: Iterable[Permission],
        expires_at: datetime | None = None,
        password: str | None = None,
        by: Caller | None = None,
    ) -> NewApiKey:
        """Keep the secret: it is written down nowhere. It never does more than its account may.

        It outlives sessions, so somebody who is signed in proves with their password who they
        are; a key that a key makes does not outlive that one. Its owner is told by mail.

        Raises:
            InvalidValueError: it has no name or no scope, or would have expired; or somebody who
                is signed in gave no password.
            InvalidCredentialsError: it is not the password of who is signed in.
            NotFoundError: no such account.
            PrivilegeEscalationError: `by` does not hold a scope.
            OverloadedError: too many are signing in right now.
        """
        wanted = frozenset(scopes)
        if by is not None:
            require_within(wanted, by.permissions)
            if by.session_id is not None:
                if password is None:
                    raise InvalidValueError("password", "is required: a key outlives a session")
                self.check(by.account_id, password)
        return self._store(account_id, name, wanted, expires_at, by)

    @retried
    def _store(
        self,
        account_id: AccountId,
        name: str,
        wanted: frozenset[Permission],
        expires_at: datetime | None,
        by: Caller | None,
    ) -> NewApiKey:
        secret = API_KEY_PREFIX + self.identifiers.secret()
        with self.unit_of_work() as tx:
            tx.accounts.get(account_id)
            key = ApiKey.make(
                id=ApiKeyId(self.identifiers.new()),
                account_id=account_id,
                name=name,
                digest=digest(secret),
                scopes=wanted,
                expires_at=_earlier(expires_at, _end_of(tx, by)),
                now=self.clock.now(),
            )
            tx.api_keys.add(key)
        return NewApiKey(key.id, secret)


def _end_of(tx: Transaction, by: Caller | None) -> datetime | None:
    if by is None or by.api_key_id is None:
        return None
    return tx.api_keys.get(by.api_key_id).expires_at


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


@needs(Permission.USERS_READ)
@dataclass(frozen=True, slots=True)
class ListApiKeys:
    """Show which programs may do what."""

    identity: IdentityReader

    def __call__(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ApiKeyView]:
        """Also those that ended, the newest first. The keys themselves are not known.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.identity.api_keys(limit=limit, cursor=cursor)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Let a key open nothing any more."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, api_key_id: ApiKeyId, *, by: Caller | None = None) -> None:
        """Safe to repeat. It is believed nowhere any more within 5 seconds.

        Raises:
            NotFoundError: no such key.
            PrivilegeEscalationError: it holds more than `by` does.
        """
        self.cache.forget(self._revoke(api_key_id, by))

    @retried
    def _revoke(self, api_key_id: ApiKeyId, by: Caller | None) -> str:
        with self.unit_of_work() as tx:
            key = tx.api_keys.get(api_key_id)
            if by is not None:
                require_within(key.scopes, by.permissions)
            key.revoke(now=self.clock.now())
            if key.has_unsaved_events:
                tx.api_keys.save(key)
            return key.digest
