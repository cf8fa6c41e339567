"""Use cases about passwords and e-mail addresses of those who have an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickshop.application.identity.sessions import end_sessions
from quickshop.application.retries import retried
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
        OverloadedError: too many passwords are being hashed already.
    """
    require_password(password, field=field)
    if hasher.is_guessable(password):
        raise InvalidValueError(
            field, "must be harder to guess: use more words, or words that are less common"
        )


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Have somebody who is signed in prove once more who they are."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher

    def __call__(self, account_id: AccountId, password: str) -> str:
        """What is kept of the password that it was: whoever goes on makes sure that it still is.

        Raises:
            InvalidCredentialsError: it is not the password.
            OverloadedError: too many are signing in right now.
        """
        kept = self._kept(account_id)
        if not self.passwords.verify(password, kept) or kept is None:
            raise InvalidCredentialsError
        return kept

    @retried
    def _kept(self, account_id: AccountId) -> str | None:
        with self.unit_of_work() as tx:
            return tx.accounts.get(account_id).password_hash


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Take another password, knowing the one there is."""

    unit_of_work: UnitOfWork
    clock: Clock
    passwords: PasswordHasher
    cache: SessionCache
    check: CheckPassword

    def __call__(
        self, account_id: AccountId, *, current: str, new: str, keep: SessionId | None = None
    ) -> None:
        """Every other session ends; the one in `keep` goes on. Its owner is told by mail.

        Raises:
            InvalidCredentialsError: `current` is not the password.
            InvalidValueError: `new` cannot be one.
            OverloadedError: too many are signing in right now.
        """
        require_good_password(new, self.passwords, field="new_password")
        proven = self.check(account_id, current)
        ended = self._change(account_id, proven, self.passwords.hash(new), keep)
        self.cache.forget(*map(str, ended))

    @retried
    def _change(
        self, account_id: AccountId, proven: str, kept: str, keep: SessionId | None
    ) -> list[SessionId]:
        with self.unit_of_work() as tx:
            require_proven(tx, account_id, proven)
            return change_password(tx, account_id, kept, self.clock, keep=keep)


def require_proven(tx: Transaction, account_id: AccountId, kept: str) -> None:
    """Make sure that nobody chose another password since it was proven that one knows it.

    Raises:
        InvalidCredentialsError: somebody did, or the account was disabled.
    """
    account = tx.accounts.get(account_id)
    if not account.is_active or account.password_hash != kept:
        raise InvalidCredentialsError


def change_password(
    tx: Transaction,
    account_id: AccountId,
    password_hash: str,
    clock: Clock,
    *,
    keep: SessionId | None = None,
) -> list[SessionId]:
    """Keep another password, and end what was begun with the old one.

    Sessions, and links: whoever knew it may have asked to be mailed elsewhere.
    """
    account = tx.accounts.get(account_id)
    account.change_password(password_hash, now=clock.now())
    tx.accounts.save(account)
    tx.one_time_tokens.forget_of(account_id, account.email)
    return list(end_sessions(tx, account_id, "the password was changed", clock, but=keep))


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Have a link mailed by which a password can be chosen anew."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(self, *, email: str) -> None:
        """Good for an hour. Whether the address has an account is not looked up here.

        Raises:
            InvalidValueError: the address is none.
        """
        with self.unit_of_work() as tx:
            request_reset(tx, normalize_email(email), self.identifiers, self.clock)


def request_reset(
    tx: Transaction, email: str, identifiers: Identifiers, clock: Clock
) -> OneTimeToken:
    """Write down that a link is to be mailed."""
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
    """Take another password, proving that one reads the mail of the account."""

    unit_of_work: UnitOfWork
    clock: Clock
    passwords: PasswordHasher
    cache: SessionCache

    def __call__(self, secret: str, *, password: str) -> str:
        """The e-mail address of the account.

        Whoever needs this may have lost the account to somebody else: every session ends, every
        API key opens nothing any more, and every link that was mailed before leads nowhere.

        Raises:
            InvalidTokenError: unknown, used or too old, or the account was disabled.
            InvalidValueError: the password cannot be one.
            OverloadedError: too many are signing in right now.
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
    def _reset(self, secret: str, kept: str) -> tuple[str, Sequence[str]]:
        with self.unit_of_work() as tx:
            token = tx.one_time_tokens.with_digest(digest(secret))
            token.require_usable(Purpose.RESET_PASSWORD, now=self.clock.now())
            account = tx.accounts.find(token.email)
            if account is None or not account.is_active:
                raise InvalidTokenError
            sessions = change_password(tx, account.id, kept, self.clock)
            keys = tx.api_keys.of_account(account.id)
            for key in keys:
                key.revoke(now=self.clock.now())
                tx.api_keys.save(key)
            return account.email, [*map(str, sessions), *(key.digest for key in keys)]


@dataclass(frozen=True, slots=True)
class RequestEmailChange:
    """Ask to be reached at another address, which is mailed a link first."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    check: CheckPassword

    def __call__(self, account_id: AccountId, *, email: str, password: str) -> None:
        """Good for a day. Whether somebody else has the address is not looked up here.

        Raises:
            InvalidCredentialsError: it is not the password.
            InvalidValueError: the address is none.
            OverloadedError: too many are signing in right now.
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
    """Be reached at another address from now on; the old one is told."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, secret: str) -> None:
        """Links that were mailed before, to the old address or others, lead nowhere any more.

        Raises:
            InvalidTokenError: unknown, used, too old, or somebody has the address by now.
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
            tx.one_time_tokens.forget_of(account.id, account.email, token.email)
            account.change_email(token.email, now=now)
            tx.accounts.save(account)
