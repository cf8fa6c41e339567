"""The port that stores idempotency keys, so that a repeated request has no second effect."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class IdempotencyRepository(Protocol):
    """The idempotency keys in the transaction that does the work."""

    def claim(
        self, scope: str, key: str, *, fingerprint: str, answer_type: type[T], now: datetime
    ) -> T | None:
        """Reserve `key` within `scope`, or return the answer stored for it earlier.

        The reservation is committed or rolled back with the transaction. Keys are stored for
        `KEY_LIFETIME`.

        Raises:
            IdempotencyMismatchError: the key was used with another fingerprint.
            IdempotencyInProgressError: another running transaction has reserved the key.
        """
        ...

    def store(self, scope: str, key: str, answer: object) -> None:
        """Store the answer, a dataclass, for the key claimed in this transaction."""
        ...

    def purge_expired(self, now: datetime) -> int:
        """Delete keys older than `KEY_LIFETIME`; return how many."""
        ...

    def delete_of(self, asker: str) -> int:
        """Delete the keys of one caller, by the end of their scopes; return how many."""
        ...
