"""Use cases for roles and API keys."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from quickshop.application.identity.passwords import CheckPassword
from quickshop.application.identity.tokens import API_KEY_PREFIX
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
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
    """List all roles and their permissions."""

    identity: IdentityReader

    def __call__(self) -> Mapping[str, frozenset[Permission]]:
        """Return the roles; the built-in ones come first."""
        return self.identity.roles()


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class SetRole:
    """Create a role, or replace its permissions."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(
        self, name: str, permissions: Iterable[Permission], *, by: Caller | None = None
    ) -> None:
        """Set the permissions. Safe to repeat. Takes effect everywhere within 5 seconds.

        Raises:
            AlreadyExistsError: the name is that of a built-in role, which cannot be changed.
            InvalidValueError: the name is invalid.
            PrivilegeEscalationError: the role has, or would have, permissions that `by` lacks.
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
    """Delete a role that no account has."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, name: str, *, by: Caller | None = None) -> None:
        """Delete the role permanently.

        Raises:
            NotFoundError: no role has this name.
            InvalidValueError: the role is built in.
            RoleInUseError: accounts have the role.
            PrivilegeEscalationError: the role has permissions that `by` lacks.
        """
        if name in BUILT_IN_ROLES:
            raise InvalidValueError("role", "must not be a built-in role")
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
    """A new API key. The secret is shown only once."""

    id: ApiKeyId
    secret: str = field(repr=False)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class MakeApiKey:
    """Create an API key with some of an account's permissions."""

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
        """Create the key. It never has more permissions than its account.

        The secret is not stored. A key outlives sessions, so a signed-in user proves their
        password. A key made by another key expires with it at the latest. The owner is notified
        by email.

        Raises:
            InvalidValueError: name or scopes are missing, the expiry is in the past, or a
                signed-in user gave no password.
            InvalidCredentialsError: the signed-in user's password is wrong.
            NotFoundError: no account has this id.
            PrivilegeEscalationError: `by` lacks a scope.
            OverloadedError: too many passwords are being hashed.
        """
        wanted = frozenset(scopes)
        if by is not None:
            require_within(wanted, by.permissions)
            if by.session_id is not None:
                if password is None:
                    raise InvalidValueError("password", "is required, as a key outlives a session")
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
    """List API keys and their permissions."""

    identity: IdentityReader

    def __call__(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ApiKeyView]:
        """Return keys, newest first, including ended ones, without their secrets.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.identity.api_keys(limit=limit, cursor=cursor)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Revoke an API key."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, api_key_id: ApiKeyId, *, by: Caller | None = None) -> None:
        """Revoke the key. Safe to repeat. Takes effect everywhere within 5 seconds.

        Raises:
            NotFoundError: no key has this id.
            PrivilegeEscalationError: the key has permissions that `by` lacks.
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
