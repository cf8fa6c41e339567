"""One effect per idempotency key, and the same answer each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from quickshop.domain.idempotency import require_key
from quickshop.ports.unit_of_work import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to have one effect. Without a key every call counts for itself."""

    scope: str
    """Who asks, and for what: the same key in another scope is another key."""
    key: str | None
    fingerprint: str
    """Digest of what is asked for."""

    def __post_init__(self) -> None:
        """Refuse keys that could not be stored.

        Raises:
            InvalidValueError: blank, too long, or not printable.
        """
        if self.key is not None:
            require_key(self.key)

    def earlier(self, tx: Transaction, answer_type: type[T], now: datetime) -> T | None:
        """The answer that was given before, if there was one; else the key is ours.

        Raises:
            IdempotencyMismatchError: the key was used to ask for something else.
            IdempotencyInProgressError: the same request is still running.
        """
        if self.key is None:
            return None
        return tx.idempotency.claim(
            self.scope, self.key, fingerprint=self.fingerprint, answer_type=answer_type, now=now
        )

    def keep(self, tx: Transaction, answer: object) -> None:
        """Remember the answer, in the transaction that brings it about."""
        if self.key is not None:
            tx.idempotency.store(self.scope, self.key, answer)
