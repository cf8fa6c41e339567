"""Passwords and tokens, as the shop needs them kept and checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from quickshop.domain.identity import AccountId, SessionId


class PasswordHasher(Protocol):
    """Keeps passwords so that nobody can read them. Slow on purpose, and only so many at once.

    Every call takes as long as any other.
    """

    def hash(self, password: str) -> str:
        """What is kept of a password of 1 to 128 characters; none of them is left out.

        Raises:
            OverloadedError: too many are being hashed already.
        """
        ...

    def verify(self, password: str, kept: str | None) -> bool:
        """Whether it is the password; None, for whom nobody knows, takes as long and is False.

        Raises:
            OverloadedError: too many are being hashed already.
        """
        ...

    def is_guessable(self, password: str) -> bool:
        """Whether an attacker guesses it within a million tries.

        Raises:
            OverloadedError: too many are being hashed already.
        """
        ...

    def is_outdated(self, kept: str) -> bool:
        """Whether it should be kept anew: at another cost, or under another key."""
        ...


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says, and when it stops saying so."""

    session_id: SessionId
    account_id: AccountId
    expires_at: datetime


class AccessTokens(Protocol):
    """Short-lived tokens that need no look-up to be told from forgeries."""

    def issue(self, session_id: SessionId, account_id: AccountId, *, now: datetime) -> str:
        """A token for a session, at most 15 minutes valid."""
        ...

    def read(self, token: str, *, now: datetime) -> AccessClaims:
        """What a token says.

        Raises:
            NotSignedInError: it was not issued here, or is too old; which, is not told.
        """
        ...

    @property
    def lasts_seconds(self) -> int:
        """How long a token is valid from when it is issued."""
        ...
