"""Use cases for sessions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from quickshop.application.identity.tokens import (
    COPY_SECONDS,
    Issuing,
    SignedIn,
    copy_of,
    seal,
    unseal,
)
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.customers import normalize_email
from quickshop.domain.errors import (
    InvalidCredentialsError,
    InvalidValueError,
    NotFoundError,
    NotSignedInError,
)
from quickshop.domain.identity import (
    MAX_PASSWORD_LENGTH,
    AccountId,
    Redemption,
    RefreshToken,
    SessionId,
)
from quickshop.ports.cache import SessionCache
from quickshop.ports.clock import Clock
from quickshop.ports.identity import Caller, IdentityReader, SessionView
from quickshop.ports.security import AccessClaims, AccessTokens, PasswordHasher
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

logger: Final = logging.getLogger("quickshop.identity")


@dataclass(frozen=True, slots=True)
class LogIn:
    """Sign in a device with email address and password."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher
    identity: IdentityReader
    clock: Clock
    issuing: Issuing

    def __call__(
        self, *, email: str, password: str, device: str = "", address: str = ""
    ) -> SignedIn:
        """Open a session. `device` and `address` describe the device and are shown to its owner.

        An unknown address takes as long and gets the same error as a wrong password.

        Raises:
            InvalidCredentialsError: address or password is wrong, or the account was disabled.
            InvalidValueError: the address is invalid, or the password is longer than allowed.
            OverloadedError: too many passwords are being hashed.
        """
        mail = normalize_email(email)
        if not password or len(password) > MAX_PASSWORD_LENGTH:
            raise InvalidValueError("password", f"must have 1 to {MAX_PASSWORD_LENGTH} characters")
        stored_hash = self._stored_hash(mail)
        if not self.passwords.verify(password, stored_hash) or stored_hash is None:
            logger.warning("sign-in refused", extra={"address": address})
            raise InvalidCredentialsError
        new_hash = (
            self.passwords.hash(password) if self.passwords.is_outdated(stored_hash) else None
        )
        return self._open(mail, stored_hash, new_hash, device, address)

    def is_known(self, email: str, address: str) -> bool:
        """Return whether this account has signed in from this IP address before.

        Raises:
            InvalidValueError: the email address is invalid.
        """
        return self.identity.knows_address(normalize_email(email), address)

    @retried
    def _stored_hash(self, email: str) -> str | None:
        with self.unit_of_work() as tx:
            account = tx.accounts.find(email)
            return account.password_hash if account and account.is_active else None

    @retried
    def _open(
        self, email: str, stored_hash: str, new_hash: str | None, device: str, address: str
    ) -> SignedIn:
        with self.unit_of_work() as tx:
            account = tx.accounts.find(email)
            if account is None or not account.is_active or account.password_hash != stored_hash:
                raise InvalidCredentialsError
            if new_hash is not None:
                account.rehash(new_hash, now=self.clock.now())
                tx.accounts.save(account)
            return self.issuing.start_session(tx, account.id, device, address)


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Exchange a refresh token for the next pair of tokens."""

    unit_of_work: UnitOfWork
    clock: Clock
    issuing: Issuing
    cache: SessionCache

    def __call__(self, refresh_token: str) -> SignedIn:
        """Return the next pair. Sent again within 10 s, a token returns the same successor.

        A token works once. A later reuse, or one after the new token was used, ends the session,
        because the token was stolen.

        Raises:
            NotSignedInError: the token is unknown or used, or its session ended; the error does
                not say which.
        """
        outcome, signed_in = self._redeem(refresh_token)
        if isinstance(signed_in, SignedIn):
            return signed_in
        if outcome is Redemption.REUSED and signed_in is not None:
            self.cache.forget(str(signed_in))
            logger.warning(
                "a refresh token was used twice; its session is ended",
                extra={"session_id": str(signed_in)},
            )
        raise NotSignedInError

    @retried
    def _redeem(self, refresh_token: str) -> tuple[Redemption, SignedIn | SessionId | None]:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            # The account is not checked: disabling or erasing it ended its sessions.
            found = tx.sessions.with_token(digest(refresh_token))
            if found is None:
                return Redemption.WORTHLESS, None
            session, token = found
            sealed = token.sealed_successor
            successor = None if sealed is None else unseal(sealed, refresh_token)
            next_token = None if successor is None else tx.sessions.with_token(digest(successor))
            outcome = session.redeem(
                token, successor=None if next_token is None else next_token[1], now=now
            )
            if session.has_unsaved_events:
                tx.sessions.save(session)
            if outcome is Redemption.FRESH:
                successor = self._rotate(tx, token, refresh_token)
            elif outcome is not Redemption.REPEATED:
                return outcome, session.id
            assert successor is not None, "a used token has a successor"
            return outcome, self.issuing.signed_in(session, successor)

    def _rotate(self, tx: Transaction, token: RefreshToken, secret: str) -> str:
        now = self.clock.now()
        successor = self.issuing.new_refresh_token()
        sealed = seal(successor, secret)
        tx.sessions.put_token(replace(token, used_at=now, sealed_successor=sealed))
        tx.sessions.put_token(
            RefreshToken(digest=digest(successor), session_id=token.session_id, issued_at=now)
        )
        return successor


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Authenticate a session or an API key against the database."""

    identity: IdentityReader
    cache: SessionCache
    clock: Clock
    tokens: AccessTokens

    def claims(self, access_token: str) -> AccessClaims:
        """Return the claims of an access token. Its session must be checked separately.

        Raises:
            NotSignedInError: the token is forged or expired.
        """
        return self.tokens.read(access_token, now=self.clock.now())

    def session(self, session_id: SessionId) -> Caller | None:
        """Return the caller of a session, or None if it ended. The answer is cached."""
        caller = self.identity.signed_in(session_id, self.clock.now())
        self.cache.keep(str(session_id), copy_of(caller), seconds=COPY_SECONDS)
        return caller

    def api_key(self, api_key: str) -> Caller | None:
        """Return the caller of an API key, or None if it is invalid. The answer is cached."""
        key = digest(api_key)
        caller = self.identity.with_key(key, self.clock.now())
        self.cache.keep(key, copy_of(caller), seconds=COPY_SECONDS)
        return caller


@dataclass(frozen=True, slots=True)
class ListSessions:
    """List the sessions of an account."""

    identity: IdentityReader
    clock: Clock

    def __call__(self, account_id: AccountId) -> Sequence[SessionView]:
        """Return the live sessions, the most recently used first."""
        return self.identity.sessions(account_id, self.clock.now())


@dataclass(frozen=True, slots=True)
class EndSession:
    """Sign out one device of an account."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        """End the session. Safe to repeat. Takes effect everywhere within 5 seconds.

        Raises:
            NotFoundError: the account has no session of this id.
        """
        self._end(account_id, session_id)
        self.cache.forget(str(session_id))

    @retried
    def _end(self, account_id: AccountId, session_id: SessionId) -> None:
        with self.unit_of_work() as tx:
            session = tx.sessions.get(session_id)
            if session.account_id != account_id:
                raise NotFoundError("session")
            session.revoke("the user signed out", now=self.clock.now())
            if session.has_unsaved_events:
                tx.sessions.save(session)


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """Sign out an account everywhere."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, account_id: AccountId, *, but: SessionId | None = None) -> int:
        """End all sessions except `but`, and return how many ended."""
        ended = self._end(account_id, but)
        self.cache.forget(*map(str, ended))
        return len(ended)

    @retried
    def _end(self, account_id: AccountId, but: SessionId | None) -> Sequence[SessionId]:
        with self.unit_of_work() as tx:
            return end_sessions(
                tx, account_id, "the user signed out everywhere", self.clock, but=but
            )


def end_sessions(
    tx: Transaction,
    account_id: AccountId,
    reason: str,
    clock: Clock,
    *,
    but: SessionId | None = None,
) -> Sequence[SessionId]:
    """End the sessions of an account, and return their ids, to be removed from the cache."""
    ended = [each for each in tx.sessions.of_account(account_id) if each.id != but]
    for session in ended:
        session.revoke(reason, now=clock.now())
        tx.sessions.save(session)
    return [session.id for session in ended]
