"""Use cases for passwords and email addresses of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickshop.application.identity.sessions import end_sessions
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.customers import normalize_email
from quickshop.domain.errors import InvalidCredentialsError, InvalidTokenError, InvalidValueError
from quickshop.domain.identity import (
    AccountId,
    OneTimeToken,
    OneTimeTokenId,
    Purpose,
    SessionId,
    require_password,
)
from quickshop.ports.cache import SessionCache
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.security import PasswordHasher
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


def require_good_password(
    password: str, hasher: PasswordHasher, *, field: str = "password"
) -> None:
    """Validate a new password.

    Raises:
        InvalidValueError: its length is wrong, or it is easy to guess.
        OverloadedError: too many passwords are being hashed.
    """
    require_password(password, field=field)
    if hasher.is_guessable(password):
        raise InvalidValueError(
            field, "must be harder to guess: use more words, or words that are less common"
        )


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Verify the password of a signed-in account again."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher

    def __call__(self, account_id: AccountId, password: str) -> str:
        """Return the stored hash of the verified password, to check later that it is unchanged.

        Raises:
            InvalidCredentialsError: the password is wrong.
            OverloadedError: too many passwords are being hashed.
        """
        password_hash = self._stored_hash(account_id)
        if not self.passwords.verify(password, password_hash) or password_hash is None:
            raise InvalidCredentialsError
        return password_hash

    @retried
    def _stored_hash(self, account_id: AccountId) -> str | None:
        with self.unit_of_work() as tx:
            return tx.accounts.get(account_id).password_hash


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Change the password of an account."""

    unit_of_work: UnitOfWork
    clock: Clock
    passwords: PasswordHasher
    cache: SessionCache
    check: CheckPassword

    def __call__(
        self, account_id: AccountId, *, current: str, new: str, keep: SessionId | None = None
    ) -> None:
        """End every session except `keep`, and notify the owner by email.

        Raises:
            InvalidCredentialsError: `current` is wrong.
            InvalidValueError: `new` is not a valid password.
            OverloadedError: too many passwords are being hashed.
        """
        require_good_password(new, self.passwords, field="new_password")
        proven = self.check(account_id, current)
        ended = self._change(account_id, proven, self.passwords.hash(new), keep)
        self.cache.forget(*map(str, ended))

    @retried
    def _change(
        self, account_id: AccountId, proven: str, password_hash: str, keep: SessionId | None
    ) -> list[SessionId]:
        with self.unit_of_work() as tx:
            require_proven(tx, account_id, proven)
            return change_password(tx, account_id, password_hash, self.clock, keep=keep)


def require_proven(tx: Transaction, account_id: AccountId, proven: str) -> None:
    """Check that the password has not changed since it was verified.

    Raises:
        InvalidCredentialsError: it has changed, or the account was disabled.
    """
    account = tx.accounts.get(account_id)
    if not account.is_active or account.password_hash != proven:
        raise InvalidCredentialsError


def change_password(
    tx: Transaction,
    account_id: AccountId,
    password_hash: str,
    clock: Clock,
    *,
    keep: SessionId | None = None,
) -> list[SessionId]:
    """Store a new password hash, and end the account's sessions and emailed links.

    A thief who knew the old password may have requested a link to another address.
    """
    account = tx.accounts.get(account_id)
    account.change_password(password_hash, now=clock.now())
    tx.accounts.save(account)
    tx.one_time_tokens.delete_of(account_id, account.email)
    return list(end_sessions(tx, account_id, "the password was changed", clock, but=keep))


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Request an email with a password reset link."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(self, *, email: str) -> None:
        """Record the request. The link is valid for one hour. The account is not looked up here.

        Raises:
            InvalidValueError: the address is invalid.
        """
        with self.unit_of_work() as tx:
            request_reset(tx, normalize_email(email), self.identifiers, self.clock)


def request_reset(
    tx: Transaction, email: str, identifiers: Identifiers, clock: Clock
) -> OneTimeToken:
    """Store a one-time token, whose link is then emailed."""
    token = OneTimeToken.request(
        id=OneTimeTokenId(identifiers.new()),
        purpose=Purpose.RESET_PASSWORD,
        email=email,
        now=clock.now(),
    )
    tx.one_time_tokens.add(token)
    return token


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Set a new password with a secret from an email."""

    unit_of_work: UnitOfWork
    clock: Clock
    passwords: PasswordHasher
    cache: SessionCache

    def __call__(self, secret: str, *, password: str) -> str:
        """Set the password, and return the email address of the account.

        The account may be in the hands of a thief. So every session, every API key and every link
        emailed earlier becomes invalid.

        Raises:
            InvalidTokenError: the secret is unknown, used or expired, or the account was disabled.
            InvalidValueError: the password is not valid.
            OverloadedError: too many passwords are being hashed.
        """
        require_good_password(password, self.passwords)
        self._require_usable(secret)
        email, ended = self._reset(secret, self.passwords.hash(password))
        self.cache.forget(*ended)
        return email

    @retried
    def _require_usable(self, secret: str) -> None:
        with self.unit_of_work() as tx:
            token = tx.one_time_tokens.with_digest(digest(secret))
            token.require_usable(Purpose.RESET_PASSWORD, now=self.clock.now())

    @retried
    def _reset(self, secret: str, password_hash: str) -> tuple[str, Sequence[str]]:
        with self.unit_of_work() as tx:
            token = tx.one_time_tokens.with_digest(digest(secret))
            token.require_usable(Purpose.RESET_PASSWORD, now=self.clock.now())
            account = tx.accounts.find(token.email)
            if account is None or not account.is_active:
                raise InvalidTokenError
            sessions = change_password(tx, account.id, password_hash, self.clock)
            keys = tx.api_keys.of_account(account.id)
            for key in keys:
                key.revoke(now=self.clock.now())
                tx.api_keys.save(key)
            return account.email, [*map(str, sessions), *(key.digest for key in keys)]


@dataclass(frozen=True, slots=True)
class RequestEmailChange:
    """Request a change of the email address, which is confirmed by a link."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    check: CheckPassword

    def __call__(self, account_id: AccountId, *, email: str, password: str) -> None:
        """Record the request. The link is valid for a day. Other accounts are not looked up here.

        Raises:
            InvalidCredentialsError: the password is wrong.
            InvalidValueError: the address is invalid.
            OverloadedError: too many passwords are being hashed.
        """
        address = normalize_email(email)
        self._store(account_id, self.check(account_id, password), address)

    @retried
    def _store(self, account_id: AccountId, proven: str, email: str) -> None:
        token = OneTimeToken.request(
            id=OneTimeTokenId(self.identifiers.new()),
            purpose=Purpose.CHANGE_EMAIL,
            email=email,
            account_id=account_id,
            now=self.clock.now(),
        )
        with self.unit_of_work() as tx:
            require_proven(tx, account_id, proven)
            tx.one_time_tokens.add(token)


@dataclass(frozen=True, slots=True)
class ConfirmEmailChange:
    """Change the email address of an account, and notify the old address."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, secret: str) -> None:
        """Change the address. Links emailed earlier, to any address, become invalid.

        Raises:
            InvalidTokenError: the secret is unknown, used or expired, or the address is taken.
        """
        now = self.clock.now()
        with self.unit_of_work() as tx:
            token = tx.one_time_tokens.with_digest(digest(secret))
            token.require_usable(Purpose.CHANGE_EMAIL, now=now)
            if token.account_id is None or tx.accounts.find(token.email) is not None:
                raise InvalidTokenError
            account = tx.accounts.get(token.account_id)
            if not account.is_active:
                raise InvalidTokenError
            tx.one_time_tokens.delete_of(account.id, account.email, token.email)
            account.change_email(token.email, now=now)
            tx.accounts.save(account)
