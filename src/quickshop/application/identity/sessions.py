"""Use cases about being signed in."""

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
from quickshop.application.retries import retried
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
    """Sign a device in with e-mail address and password."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher
    identity: IdentityReader
    clock: Clock
    issuing: Issuing

    def __call__(
        self, *, email: str, password: str, device: str = "", address: str = ""
    ) -> SignedIn:
        """`device` is what it says of itself, `address` where it is; both for its owner to see.

        An unknown address costs and says the same as a wrong password.

        Raises:
            InvalidCredentialsError: whatever of it is wrong, or the account was disabled.
            InvalidValueError: the address is none, or the password longer than any can be.
            OverloadedError: too many are signing in right now.
        """
        mail = normalize_email(email)
        if not password or len(password) > MAX_PASSWORD_LENGTH:
            raise InvalidValueError("password", f"must have 1 to {MAX_PASSWORD_LENGTH} characters")
        kept = self._kept(mail)
        if not self.passwords.verify(password, kept) or kept is None:
            logger.warning("sign-in refused", extra={"address": address})
            raise InvalidCredentialsError
        better = self.passwords.hash(password) if self.passwords.is_outdated(kept) else None
        return self._open(mail, kept, better, device, address)

    def is_known(self, email: str, address: str) -> bool:
        """Whether somebody signed in to this account from there before.

        Raises:
            InvalidValueError: the e-mail address is none.
        """
        return self.identity.knows_address(normalize_email(email), address)

    @retried
    def _kept(self, email: str) -> str | None:
        with self.unit_of_work() as tx:
            account = tx.accounts.find(email)
            return account.password_hash if account and account.is_active else None

    @retried
    def _open(
        self, email: str, kept: str, better: str | None, device: str, address: str
    ) -> SignedIn:
        with self.unit_of_work() as tx:
            account = tx.accounts.find(email)
            if account is None or not account.is_active or account.password_hash != kept:
                raise InvalidCredentialsError
            if better is not None:
                account.rehash(better, now=self.clock.now())
                tx.accounts.save(account)
            return self.issuing.start_session(tx, account.id, device, address)


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Exchange a refresh token for the next pair."""

    unit_of_work: UnitOfWork
    clock: Clock
    issuing: Issuing
    cache: SessionCache

    def __call__(self, refresh_token: str) -> SignedIn:
        """Each token is good once. Repeated within 10 s it gets the same successor again.

        Used a second time later, or after its successor was used, it ends the whole session:
        somebody else has it, too.

        Raises:
            NotSignedInError: unknown, used up, or its session ended; which, is not told.
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
            # The account is not asked: disabling or erasing it ended its sessions.
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
            assert successor is not None, "a token that was used has a successor"
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
    """Tell who is behind a session or an API key, as the database has it now."""

    identity: IdentityReader
    cache: SessionCache
    clock: Clock
    tokens: AccessTokens

    def claims(self, access_token: str) -> AccessClaims:
        """What an access token says; whether its session still is one, is asked next.

        Raises:
            NotSignedInError: it was not issued here, or is too old.
        """
        return self.tokens.read(access_token, now=self.clock.now())

    def session(self, session_id: SessionId) -> Caller | None:
        """Whoever is signed in by it; None when it ended. A copy of the answer is kept."""
        caller = self.identity.signed_in(session_id, self.clock.now())
        self.cache.keep(str(session_id), copy_of(caller), seconds=COPY_SECONDS)
        return caller

    def api_key(self, api_key: str) -> Caller | None:
        """Whoever holds it; None when it opens nothing. A copy of the answer is kept."""
        key = digest(api_key)
        caller = self.identity.with_key(key, self.clock.now())
        self.cache.keep(key, copy_of(caller), seconds=COPY_SECONDS)
        return caller


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Show somebody where they are signed in."""

    identity: IdentityReader
    clock: Clock

    def __call__(self, account_id: AccountId) -> Sequence[SessionView]:
        """Live sessions, the one used last first."""
        return self.identity.sessions(account_id, self.clock.now())


@dataclass(frozen=True, slots=True)
class EndSession:
    """Sign a device out, as its owner."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        """Safe to repeat. It is believed nowhere any more within 5 seconds.

        Raises:
            NotFoundError: the account has no such session.
        """
        self._end(account_id, session_id)
        self.cache.forget(str(session_id))

    @retried
    def _end(self, account_id: AccountId, session_id: SessionId) -> None:
        with self.unit_of_work() as tx:
            session = tx.sessions.get(session_id)
            if session.account_id != account_id:
                raise NotFoundError("session")
            session.revoke("its owner signed out", now=self.clock.now())
            if session.has_unsaved_events:
                tx.sessions.save(session)


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """Sign an account out everywhere."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(self, account_id: AccountId, *, but: SessionId | None = None) -> int:
        """Tell how many sessions ended; the one in `but` goes on."""
        ended = self._end(account_id, but)
        self.cache.forget(*map(str, ended))
        return len(ended)

    @retried
    def _end(self, account_id: AccountId, but: SessionId | None) -> Sequence[SessionId]:
        with self.unit_of_work() as tx:
            return end_sessions(
                tx, account_id, "its owner signed out everywhere", self.clock, but=but
            )


def end_sessions(
    tx: Transaction,
    account_id: AccountId,
    reason: str,
    clock: Clock,
    *,
    but: SessionId | None = None,
) -> Sequence[SessionId]:
    """End the sessions of an account; their ids, for the copies of them to be forgotten."""
    ended = [each for each in tx.sessions.of_account(account_id) if each.id != but]
    for session in ended:
        session.revoke(reason, now=clock.now())
        tx.sessions.save(session)
    return [session.id for session in ended]
