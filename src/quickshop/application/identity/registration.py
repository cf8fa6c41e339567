"""Use cases by which somebody gets an account.

Nobody learns whether an address has one: asking looks nothing up. What is to be done turns out
when the mail is written, and only whoever reads it goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application.identity.passwords import require_good_password
from quickshop.application.retries import retried
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
    """Ask for an account. It exists once its address is confirmed."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    passwords: PasswordHasher

    def __call__(self, *, email: str, password: str, name: str = "") -> None:
        """A mail follows, to be answered within a day: with a link, or that there is an account.

        Raises:
            InvalidValueError: with the field that is wrong.
            OverloadedError: too many are signing in right now.
        """
        address = normalize_email(email)
        require_good_password(password, self.passwords)
        if name:
            require_text("name", name, max_length=MAX_FIELD_LENGTH)
        kept = self.passwords.hash(password)
        self._store(address, name, kept)

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
    """Open the account that somebody asked for, now that they read its mail."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(self, secret: str) -> AccountId:
        """The password is the one given with the very request that this mail answers.

        Raises:
            InvalidTokenError: unknown, used, too old, or the address has an account by now.
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
            tx.one_time_tokens.forget_of(account_id, token.email)
            return account_id


def create_account(tx: Transaction, account: Account, *, name: str) -> None:
    """Store a new account, and the customer whose it is.

    Raises:
        ConflictError: somebody was faster with this address; look again.
    """
    try:
        tx.accounts.add(account)
    except AlreadyExistsError as error:
        raise ConflictError("account") from error
    joined = Customer.register(id=CustomerId(account.id), name=name, now=account.created_at)
    tx.customers.add(joined)
