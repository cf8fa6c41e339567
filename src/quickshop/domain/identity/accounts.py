"""Accounts, with their roles and passwords."""

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
"""Roles that an account may have."""


class AccountStatus(StrEnum):
    """Whether the account can be used, and if not, why."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """Disabled by staff, who can enable it again."""
    ERASED = "erased"
    """Erased at the owner's request; this is final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent(DomainEvent):
    """An event of one account."""

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened(AccountEvent):
    """An account was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(AccountEvent):
    """The password was changed; the owner is notified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRehashed(AccountEvent):
    """The same password was hashed again, with another cost or key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(AccountEvent):
    """The email address was changed; the old address is notified."""

    old_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDisabled(AccountEvent):
    """Staff disabled the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnabled(AccountEvent):
    """Staff enabled the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(AccountEvent):
    """A role was granted to the account."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(AccountEvent):
    """A role of the account was revoked."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased(AccountEvent):
    """The account was erased at the owner's request."""


@dataclass(slots=True, eq=False, kw_only=True)
class Account(Aggregate):
    """The sign-in of one person, with a confirmed email address."""

    id: AccountId
    email: str
    """Case-folded; unique."""
    password_hash: str | None
    """None until the owner chooses a password; sign-in is impossible without one."""
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
        """Create an account. The address must be confirmed, or vouched for by the operator."""
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
        """Whether it is an admin who can sign in; a shop always keeps one."""
        return self.is_active and self.password_hash is not None and ADMIN in self.roles

    def change_password(self, password_hash: str, *, now: datetime) -> None:
        """Change the password.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        self.password_hash = password_hash
        self._record(PasswordChanged(account_id=self.id, occurred_at=now))

    def rehash(self, password_hash: str, *, now: datetime) -> None:
        """Replace the stored hash of the same password."""
        self.password_hash = password_hash
        self._record(PasswordRehashed(account_id=self.id, occurred_at=now))

    def change_email(self, email: str, *, now: datetime) -> None:
        """Change the email address to one that its owner has confirmed.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        old, self.email = self.email, email
        self._record(EmailChanged(account_id=self.id, old_email=old, occurred_at=now))

    def disable(self, *, now: datetime) -> None:
        """Disable the account. Safe to repeat.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        if self.is_active:
            self.status = AccountStatus.DISABLED
            self._record(AccountDisabled(account_id=self.id, occurred_at=now))

    def enable(self, *, now: datetime) -> None:
        """Enable the account. Safe to repeat.

        Raises:
            NotFoundError: the account was erased.
        """
        self._require_there()
        if not self.is_active:
            self.status = AccountStatus.ACTIVE
            self._record(AccountEnabled(account_id=self.id, occurred_at=now))

    def grant(self, role: str, *, now: datetime) -> None:
        """Grant a role to the account. Safe to repeat.

        Raises:
            NotFoundError: the account was erased.
            InvalidValueError: the account already has `MAX_ROLES` roles.
        """
        self._require_there()
        if role not in self.roles:
            if len(self.roles) >= MAX_ROLES:
                raise InvalidValueError("roles", f"must be at most {MAX_ROLES}")
            self.roles |= {role}
            self._record(RoleGranted(account_id=self.id, role=role, occurred_at=now))

    def revoke(self, role: str, *, now: datetime) -> None:
        """Revoke a role of the account. Safe to repeat."""
        if role in self.roles:
            self.roles -= {role}
            self._record(RoleRevoked(account_id=self.id, role=role, occurred_at=now))

    def erase(self, *, now: datetime) -> None:
        """Erase the personal data of the account, which can never be used again.

        Raises:
            AccountHasRolesError: the account has roles.
            NotFoundError: the account was erased before.
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
"""Characters in a password."""


def require_password(password: str, *, field: str = "password") -> None:
    """Check the length and characters of a password.

    Raises:
        InvalidValueError: for `field`; the password is too short or too long, contains control
            characters, or repeats too few characters.
    """
    if not issubclass(type(password), str):
        raise InvalidValueError(field, "must be text")
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidValueError(
            field, f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
        )
    if any(char < " " or "\ud800" <= char <= "\udfff" for char in password):
        raise InvalidValueError(field, "must not contain control characters")
    if len(set(password)) < MIN_PASSWORD_LENGTH // 2:
        raise InvalidValueError(
            field, f"must contain at least {MIN_PASSWORD_LENGTH // 2} different characters"
        )
