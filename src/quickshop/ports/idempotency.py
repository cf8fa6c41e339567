"""Remembered answers, so that repeating a request has no second effect."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class IdempotencyRepository(Protocol):
    """The idempotency keys, as seen from inside the transaction that does the work."""

    def claim(
        self, scope: str, key: str, *, fingerprint: str, answer_type: type[T], now: datetime
    ) -> T | None:
        """Reserve `key` within `scope`; the answer stored earlier when it is not the first time.

        The reservation stands or falls with the transaction. Keys are kept for `KEY_LIFETIME`.

        Raises:
            IdempotencyMismatchError: it was used with another fingerprint.
            IdempotencyInProgressError: another transaction holds it right now.
        """
        ...

    def store(self, scope: str, key: str, answer: object) -> None:
        """Keep the answer, a dataclass, for the key claimed in this transaction."""
        ...

    def purge_expired(self, now: datetime) -> int:
        """Delete keys past their `KEY_LIFETIME`; the number of them."""
        ...

    def forget_of(self, asker: str) -> int:
        """Delete the keys of one asker, by the end of their scopes; tell how many."""
        ...
