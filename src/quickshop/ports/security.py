"""Ports that hash passwords, and issue and read access tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from quickshop.domain.identity import AccountId, SessionId


class PasswordHasher(Protocol):
    """Hashes passwords. It is slow on purpose, and limits concurrent calls.

    Every call of `hash` and `verify` takes the same time.
    """

    def hash(self, password: str) -> str:
        """Return the hash of a password of 1 to 128 characters. Every character counts.

        Raises:
            OverloadedError: too many calls are running.
        """
        ...

    def verify(self, password: str, kept: str | None) -> bool:
        """Return whether the hash is that of the password.

        With None, for an unknown account, it takes as long and returns False.

        Raises:
            OverloadedError: too many calls are running.
        """
        ...

    def is_guessable(self, password: str) -> bool:
        """Return whether an attacker guesses the password within a million tries.

        Raises:
            OverloadedError: too many calls are running.
        """
        ...

    def is_outdated(self, kept: str) -> bool:
        """Return whether the password should be hashed again, with another cost or key."""
        ...


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The content of an access token."""

    session_id: SessionId
    account_id: AccountId
    expires_at: datetime


class AccessTokens(Protocol):
    """Short-lived signed tokens, which are verified without a look-up."""

    def issue(self, session_id: SessionId, account_id: AccountId, *, now: datetime) -> str:
        """Return a token for a session, valid for at most 15 minutes."""
        ...

    def read(self, token: str, *, now: datetime) -> AccessClaims:
        """Return the claims of a token.

        Raises:
            NotSignedInError: the token is forged or has expired; the error does not say which.
        """
        ...

    @property
    def lasts_seconds(self) -> int:
        """The lifetime of a token, in seconds."""
        ...
