"""Use cases for staff accounts and their permissions.

`by` is the caller; None is the program itself, which may do everything. A caller cannot grant
permissions that they lack, nor change an account that has more permissions. One admin always
remains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quickshop.application.identity.passwords import (
    change_password,
    request_reset,
    require_good_password,
)
from quickshop.application.identity.registration import create_account
from quickshop.application.identity.sessions import end_sessions
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.domain.customers import normalize_email
from quickshop.domain.errors import InvalidValueError, LastAdminError
from quickshop.domain.identity import (
    ADMIN,
    BUILT_IN_ROLES,
    Account,
    AccountId,
    Permission,
    SessionId,
    require_within,
)
from quickshop.ports.cache import SessionCache
from quickshop.ports.clock import Clock
from quickshop.ports.customers import CustomerQuery, CustomerReader, CustomerView
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import Caller
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.security import PasswordHasher
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


def role_permissions(tx: Transaction, name: str) -> frozenset[Permission]:
    """Return the permissions of a role.

    Raises:
        InvalidValueError: no role has this name.
    """
    if name in BUILT_IN_ROLES:
        return BUILT_IN_ROLES[name]
    role = tx.roles.find(name)
    if role is None:
        raise InvalidValueError("role", "must be the name of an existing role")
    return role.permissions


def require_above(tx: Transaction, by: Caller | None, account: Account) -> None:
    """Refuse to change an account that has more permissions than the caller.

    Raises:
        PrivilegeEscalationError: the account has permissions that `by` lacks.
    """
    is_themselves = by is not None and by.session_id and by.account_id == account.id
    if by is not None and not is_themselves:
        for role in sorted(account.roles):
            require_within(role_permissions(tx, role), by.permissions)


def require_admin_left(tx: Transaction, account_id: AccountId) -> None:
    """Check that another admin remains. Call it before loading the account.

    Then two admins who remove each other lock the same rows.

    Raises:
        LastAdminError: no other account is admin.
    """
    if list(tx.accounts.lock_admins()) == [account_id]:
        raise LastAdminError


@dataclass(frozen=True, slots=True)
class CreateAdmin:
    """Create an admin. For the operator of the shop's machine."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    passwords: PasswordHasher
    cache: SessionCache

    def __call__(self, *, email: str, password: str, name: str = "") -> AccountId:
        """Create the account. An existing one gets this password, is enabled, and becomes admin.

        Raises:
            InvalidValueError: a value is invalid; the error names the field.
        """
        address = normalize_email(email)
        require_good_password(password, self.passwords)
        account_id, ended = self._store(address, self.passwords.hash(password), name)
        self.cache.forget(*map(str, ended))
        return account_id

    @retried
    def _store(self, email: str, kept: str, name: str) -> tuple[AccountId, Sequence[SessionId]]:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            account = tx.accounts.find(email)
            if account is None:
                account = Account.create(
                    id=AccountId(self.identifiers.new()),
                    email=email,
                    password_hash=kept,
                    now=now,
                    roles=[ADMIN],
                )
                create_account(tx, account, name=name)
                return account.id, ()
            account.enable(now=now)
            account.grant(ADMIN, now=now)
            if account.has_unsaved_events:
                tx.accounts.save(account)
            return account.id, change_password(tx, account.id, kept, self.clock)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class InviteUser:
    """Invite a staff user, who sets a password with a link from an email."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(
        self, *, email: str, roles: Iterable[str], name: str = "", by: Caller | None = None
    ) -> AccountId:
        """Grant the roles. An existing account is kept.

        Raises:
            InvalidValueError: the address is invalid, or no role has this name.
            PrivilegeEscalationError: a role has permissions that `by` lacks.
        """
        address = normalize_email(email)
        now = self.clock.now()
        with self.unit_of_work() as tx:
            wanted = sorted(set(roles))
            for role in wanted:
                held = role_permissions(tx, role)
                if by is not None:
                    require_within(held, by.permissions)
            account = tx.accounts.find(address)
            if account is not None:
                require_above(tx, by, account)
                for role in wanted:
                    account.grant(role, now=now)
                if account.has_unsaved_events:
                    tx.accounts.save(account)
                return account.id
            account = Account.create(
                id=AccountId(self.identifiers.new()),
                email=address,
                password_hash=None,
                now=now,
                roles=wanted,
            )
            create_account(tx, account, name=name)
            request_reset(tx, address, self.identifiers, self.clock)
            return account.id


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class GrantRole:
    """Grant a role to an account."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, account_id: AccountId, role: str, *, by: Caller | None = None) -> None:
        """Grant the role. Safe to repeat. Takes effect everywhere within 5 seconds.

        Raises:
            NotFoundError: no account has this id.
            InvalidValueError: no role has this name.
            PrivilegeEscalationError: the role, or the account, has permissions that `by` lacks.
        """
        with self.unit_of_work() as tx:
            held = role_permissions(tx, role)
            if by is not None:
                require_within(held, by.permissions)
            account = tx.accounts.get(account_id)
            require_above(tx, by, account)
            account.grant(role, now=self.clock.now())
            if account.has_unsaved_events:
                tx.accounts.save(account)


@needs(Permission.USERS_WRITE)
@dataclass(frozen=True, slots=True)
class RevokeRole:
    """Revoke a role of an account."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, account_id: AccountId, role: str, *, by: Caller | None = None) -> None:
        """Revoke the role. Safe to repeat. Takes effect everywhere within 5 seconds.

        Raises:
            NotFoundError: no account has this id.
            PrivilegeEscalationError: the account has permissions that `by` lacks.
            LastAdminError: no other account is admin.
        """
        with self.unit_of_work() as tx:
            if role == ADMIN:
                require_admin_left(tx, account_id)
            account = tx.accounts.get(account_id)
            require_above(tx, by, account)
            account.revoke(role, now=self.clock.now())
            if account.has_unsaved_events:
                tx.accounts.save(account)


@needs(Permission.CUSTOMERS_WRITE)
@dataclass(frozen=True, slots=True)
class DisableAccount:
    """Disable an account."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, account_id: AccountId, *, by: Caller | None = None) -> None:
        """End every session of the account. Safe to repeat. Takes effect within 5 seconds.

        Raises:
            NotFoundError: no account has this id.
            PrivilegeEscalationError: the account has permissions that `by` lacks.
            LastAdminError: no other account is admin.
        """
        self.cache.forget(*map(str, self._disable(account_id, by)))

    @retried
    def _disable(self, account_id: AccountId, by: Caller | None) -> Sequence[SessionId]:
        with self.unit_of_work() as tx:
            require_admin_left(tx, account_id)
            account = tx.accounts.get(account_id)
            require_above(tx, by, account)
            account.disable(now=self.clock.now())
            if account.has_unsaved_events:
                tx.accounts.save(account)
            return end_sessions(tx, account_id, "the account was disabled", self.clock)


@needs(Permission.CUSTOMERS_WRITE)
@dataclass(frozen=True, slots=True)
class EnableAccount:
    """Enable a disabled account."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, account_id: AccountId, *, by: Caller | None = None) -> None:
        """Enable the account, whose owner must sign in again. Safe to repeat.

        Raises:
            NotFoundError: no account has this id, or it was erased.
            PrivilegeEscalationError: the account has permissions that `by` lacks.
        """
        with self.unit_of_work() as tx:
            account = tx.accounts.get(account_id)
            require_above(tx, by, account)
            account.enable(now=self.clock.now())
            if account.has_unsaved_events:
                tx.accounts.save(account)


@needs(Permission.USERS_READ)
@dataclass(frozen=True, slots=True)
class ListUsers:
    """List the staff users: accounts with a role."""

    customers: CustomerReader

    def __call__(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CustomerView]:
        """Return the users, newest account first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.customers.list(CustomerQuery(staff=True, limit=limit, cursor=cursor))
