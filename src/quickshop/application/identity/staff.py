"""Use cases by which staff manage accounts, and what each may do.

`by` is whoever asks; None is the program itself, which may do anything. Nobody gives more than
they have, nor changes the account of anybody who has more, and somebody stays admin.
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
from quickshop.application.retries import retried
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
    """What a role holds.

    Raises:
        InvalidValueError: there is no such role.
    """
    if name in BUILT_IN_ROLES:
        return BUILT_IN_ROLES[name]
    role = tx.roles.find(name)
    if role is None:
        raise InvalidValueError("role", "must be the name of a role: list them first")
    return role.permissions


def require_above(tx: Transaction, by: Caller | None, account: Account) -> None:
    """Refuse to change the account of somebody who may do more.

    Raises:
        PrivilegeEscalationError: they may.
    """
    is_themselves = by is not None and by.session_id and by.account_id == account.id
    if by is not None and not is_themselves:
        for role in sorted(account.roles):
            require_within(role_permissions(tx, role), by.permissions)


def require_admin_left(tx: Transaction, account_id: AccountId) -> None:
    """Call it before the account is got: so two who remove each other meet.

    Raises:
        LastAdminError: nobody else is admin.
    """
    if list(tx.accounts.lock_admins()) == [account_id]:
        raise LastAdminError


@dataclass(frozen=True, slots=True)
class CreateAdmin:
    """Give the shop its first admin, or another one. For whoever runs the shop's machine."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    passwords: PasswordHasher
    cache: SessionCache

    def __call__(self, *, email: str, password: str, name: str = "") -> AccountId:
        """An account that is there already gets this password, is enabled, and becomes admin.

        Raises:
            InvalidValueError: with the field that is wrong.
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
    """Have somebody work for the shop. They choose their own password, by a link in a mail."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(
        self, *, email: str, roles: Iterable[str], name: str = "", by: Caller | None = None
    ) -> AccountId:
        """Who has an account already keeps it, and is put in the roles.

        Raises:
            InvalidValueError: the address is none, or there is no such role.
            PrivilegeEscalationError: a role holds more than `by` does.
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
    """Put an account in a role."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, account_id: AccountId, role: str, *, by: Caller | None = None) -> None:
        """Safe to repeat. It counts everywhere within 5 seconds.

        Raises:
            NotFoundError: no such account.
            InvalidValueError: no such role.
            PrivilegeEscalationError: the role, or the account, holds more than `by` does.
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
    """Take an account out of a role."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, account_id: AccountId, role: str, *, by: Caller | None = None) -> None:
        """Safe to repeat. It counts everywhere within 5 seconds.

        Raises:
            NotFoundError: no such account.
            PrivilegeEscalationError: the account holds more than `by` does.
            LastAdminError: nobody else is admin.
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
    """Lock somebody out."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, account_id: AccountId, *, by: Caller | None = None) -> None:
        """Safe to repeat. Every session ends, and is believed nowhere within 5 seconds.

        Raises:
            NotFoundError: no such account.
            PrivilegeEscalationError: the account holds more than `by` does.
            LastAdminError: nobody else is admin.
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
    """Let somebody in again."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, account_id: AccountId, *, by: Caller | None = None) -> None:
        """Safe to repeat. They sign in anew.

        Raises:
            NotFoundError: no such account, or it was erased.
            PrivilegeEscalationError: the account holds more than `by` does.
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
    """List those who work for the shop: whoever is in a role."""

    customers: CustomerReader

    def __call__(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CustomerView]:
        """The newest account first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.customers.list(CustomerQuery(staff=True, limit=limit, cursor=cursor))
