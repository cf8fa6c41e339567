"""Idempotency: one effect per key, and the same answer each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from quickshop.domain.idempotency import require_key
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

T = TypeVar("T")

Keep: TypeAlias = Callable[[T], None]
"""Stores the answer of a request."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The answer to a request that may carry an idempotency key."""

    value: T
    replayed: bool = False
    """Whether this is the stored answer of an earlier call with the same key."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that has one effect per key. Without a key, every call has its own effect."""

    scope: str
    """The caller and the operation. Equal keys of other scopes are separate."""
    key: str | None
    fingerprint: str
    """A digest of the arguments."""

    def __post_init__(self) -> None:
        """Validate the key.

        Raises:
            InvalidValueError: blank, too long, or not printable.
        """
        if self.key is not None:
            require_key(self.key)

    def run(
        self,
        unit_of_work: UnitOfWork,
        answer_type: type[T],
        now: datetime,
        work: Callable[[Transaction, Keep[T]], None],
    ) -> Answer[T]:
        """Do the work in one transaction, or return the stored answer.

        `work` gets the transaction and `keep`. It calls `keep` once with its answer, before it
        moves stock, because a stock level stays locked until the transaction ends.

        Raises:
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        kept: list[T] = []
        with unit_of_work() as tx:
            if earlier := self.earlier(tx, answer_type, now):
                return Answer(earlier, replayed=True)
            work(tx, partial(self._keep, tx, kept))
            assert len(kept) == 1, "the work keeps one answer"
        return Answer(kept[0])

    def _keep(self, tx: Transaction, kept: list[T], answer: T) -> None:
        self.keep(tx, answer)
        kept.append(answer)

    def earlier(self, tx: Transaction, answer_type: type[T], now: datetime) -> T | None:
        """Return the stored answer. If there is none, claim the key and return None.

        Raises:
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        if self.key is None:
            return None
        return tx.idempotency.claim(
            self.scope, self.key, fingerprint=self.fingerprint, answer_type=answer_type, now=now
        )

    def keep(self, tx: Transaction, answer: object) -> None:
        """Store the answer in the transaction of the work."""
        if self.key is not None:
            tx.idempotency.store(self.scope, self.key, answer)
