"""Accounts: who may sign in, and in which roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.customers import erased_email
from quickshop.domain.errors import AccountHasRolesError, InvalidValueError, NotFoundError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.identity.permissions import ADMIN

AccountId = NewType("AccountId", UUID)

MAX_ROLES: Final = 50
"""Roles that an account may be in."""


class AccountStatus(StrEnum):
    """Whether the account can be used."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """By staff, who may enable it again."""
    ERASED = "erased"
    """By its owner, for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent(DomainEvent):
    """Something about one account."""

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened(AccountEvent):
    """Somebody has an account now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(AccountEvent):
    """The password is another one; its owner is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRehashed(AccountEvent):
    """The same password is kept at another cost or under another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(AccountEvent):
    """The address is another one; the old one is told."""

    old_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDisabled(AccountEvent):
    """Staff locked the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnabled(AccountEvent):
    """Staff unlocked the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(AccountEvent):
    """The account is in a role."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(AccountEvent):
    """The account is in a role no longer."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased(AccountEvent):
    """Its owner had the account erased."""


@dataclass(slots=True, eq=False, kw_only=True)
class Account(Aggregate):
    """One person's way in. Its e-mail address is known to be theirs."""

    id: AccountId
    email: str
    """Case-folded; unique."""
    password_hash: str | None
    """None until one is chosen: nothing signs in without."""
    created_at: datetime
    status: AccountStatus = AccountStatus.ACTIVE
    roles: frozenset[str] = frozenset()

    @classmethod
    def create(
        cls,
        *,
        id: AccountId,
        email: str,
        password_hash: str | None,
        now: datetime,
        roles: Iterable[str] = (),
    ) -> Account:
        """Give somebody an account, whose address was confirmed or is vouched for."""
        account = cls(id=id, email=email, password_hash=password_hash, created_at=now)
        account._record(AccountOpened(account_id=id, occurred_at=now))
        for role in roles:
            account.grant(role, now=now)
        return account

    @property
    def is_active(self) -> bool:
        """Whether it can be used."""
        return self.status is AccountStatus.ACTIVE

    @property
    def is_admin(self) -> bool:
        """Whether it counts as one of those who must not all go: it can be signed in to."""
        return self.is_active and self.password_hash is not None and ADMIN in self.roles

    def change_password(self, password_hash: str, *, now: datetime) -> None:
        """Take another password.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        self.password_hash = password_hash
        self._record(PasswordChanged(account_id=self.id, occurred_at=now))

    def rehash(self, password_hash: str, *, now: datetime) -> None:
        """Keep the same password in another way."""
        self.password_hash = password_hash
        self._record(PasswordRehashed(account_id=self.id, occurred_at=now))

    def change_email(self, email: str, *, now: datetime) -> None:
        """Take another address, confirmed by its owner.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        old, self.email = self.email, email
        self._record(EmailChanged(account_id=self.id, old_email=old, occurred_at=now))

    def disable(self, *, now: datetime) -> None:
        """Lock the account. Safe to repeat.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        if self.is_active:
            self.status = AccountStatus.DISABLED
            self._record(AccountDisabled(account_id=self.id, occurred_at=now))

    def enable(self, *, now: datetime) -> None:
        """Unlock the account. Safe to repeat.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        if not self.is_active:
            self.status = AccountStatus.ACTIVE
            self._record(AccountEnabled(account_id=self.id, occurred_at=now))

    def grant(self, role: str, *, now: datetime) -> None:
        """Put the account in a role. Safe to repeat.

        Raises:
            NotFoundError: the account was erased.
            InvalidValueError: it is in `MAX_ROLES` others.
        """
        self._require_there()
        if role not in self.roles:
            if len(self.roles) >= MAX_ROLES:
                raise InvalidValueError("roles", f"must be at most {MAX_ROLES}")
            self.roles |= {role}
            self._record(RoleGranted(account_id=self.id, role=role, occurred_at=now))

    def revoke(self, role: str, *, now: datetime) -> None:
        """Take the account out of a role. Safe to repeat."""
        if role in self.roles:
            self.roles -= {role}
            self._record(RoleRevoked(account_id=self.id, role=role, occurred_at=now))

    def erase(self, *, now: datetime) -> None:
        """Forget who it was. It can never be used again.

        Raises:
            AccountHasRolesError: it is in a role.
            NotFoundError: it was erased before.
        """
        self._require_there()
        if self.roles:
            raise AccountHasRolesError
        self.email = erased_email(self.id)
        self.password_hash = None
        self.status = AccountStatus.ERASED
        self._record(AccountErased(account_id=self.id, occurred_at=now))

    def _require_there(self) -> None:
        if self.status is AccountStatus.ERASED:
            raise NotFoundError("account")


MIN_PASSWORD_LENGTH: Final = 8
MAX_PASSWORD_LENGTH: Final = 128
"""Characters of a password."""


def require_password(password: str, *, field: str = "password") -> None:
    """Refuse passwords that are too short, too long, or that nobody can type.

    Raises:
        InvalidValueError: with `field` as given.
    """
    if not issubclass(type(password), str):
        raise InvalidValueError(field, "must be text")
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidValueError(
            field, f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
        )
    if any(char < " " or "\ud800" <= char <= "\udfff" for char in password):
        raise InvalidValueError(field, "must not hold control characters")
    if len(set(password)) < MIN_PASSWORD_LENGTH // 2:
        raise InvalidValueError(field, "must hold more than a few different characters")
