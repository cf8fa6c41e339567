"""Use cases for registration.

Registration does not reveal whether an address has an account. The account is looked up only when
the email is sent, and only its reader can continue.
"""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application.identity.passwords import require_good_password
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.customers import MAX_FIELD_LENGTH, Customer, CustomerId, normalize_email
from quickshop.domain.errors import AlreadyExistsError, ConflictError, InvalidTokenError
from quickshop.domain.identity import (
    Account,
    AccountId,
    OneTimeToken,
    OneTimeTokenId,
    Purpose,
)
from quickshop.domain.values import require_text
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.security import PasswordHasher
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class Register:
    """Request an account. It exists once its address is confirmed."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    passwords: PasswordHasher

    def __call__(self, *, email: str, password: str, name: str = "") -> None:
        """Record the request. An email follows, with a link valid for a day.

        If the account exists already, the email says so.

        Raises:
            InvalidValueError: a value is invalid; the error names the field.
            OverloadedError: too many passwords are being hashed.
        """
        address = normalize_email(email)
        require_good_password(password, self.passwords)
        if name:
            require_text("name", name, max_length=MAX_FIELD_LENGTH)
        password_hash = self.passwords.hash(password)
        self._store(address, name, password_hash)

    @retried
    def _store(self, email: str, name: str, password_hash: str) -> None:
        token = OneTimeToken.request(
            id=OneTimeTokenId(self.identifiers.new()),
            purpose=Purpose.CONFIRM_ACCOUNT,
            email=email,
            name=name,
            password_hash=password_hash,
            now=self.clock.now(),
        )
        with self.unit_of_work() as tx:
            tx.one_time_tokens.add(token)


@dataclass(frozen=True, slots=True)
class ConfirmAccount:
    """Create a requested account after its email was read."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(self, secret: str) -> AccountId:
        """Create the account with the password of the request that led to this email.

        Raises:
            InvalidTokenError: the secret is unknown, used or expired, or the address is taken.
        """
        now = self.clock.now()
        with self.unit_of_work() as tx:
            token = tx.one_time_tokens.with_digest(digest(secret))
            token.require_usable(Purpose.CONFIRM_ACCOUNT, now=now)
            if tx.accounts.find(token.email) is not None:
                raise InvalidTokenError
            account_id = AccountId(self.identifiers.new())
            account = Account.create(
                id=account_id, email=token.email, password_hash=token.password_hash, now=now
            )
            create_account(tx, account, name=token.name)
            tx.one_time_tokens.delete_of(account_id, token.email)
            return account_id


def create_account(tx: Transaction, account: Account, *, name: str) -> None:
    """Store a new account and its customer.

    Raises:
        ConflictError: a concurrent registration has the address; try again.
    """
    try:
        tx.accounts.add(account)
    except AlreadyExistsError as error:
        raise ConflictError("account") from error
    joined = Customer.register(id=CustomerId(account.id), name=name, now=account.created_at)
    tx.customers.add(joined)
