"""One effect per idempotency key, and the same answer each time."""

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
    """Whether this is the stored answer to an earlier request with the same key."""


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

    def run(
        self,
        unit_of_work: UnitOfWork,
        answer_type: type[T],
        now: datetime,
        work: Callable[[Transaction, Keep[T]], None],
    ) -> Answer[T]:
        """Do the work in one transaction, or return the answer that it gave before.

        `work` gets the transaction and `keep`. It calls `keep` with its answer once, before it
        moves stock, because a level stays locked until the transaction ends.

        Raises:
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        kept: list[T] = []
        with unit_of_work() as tx:
            if earlier := self.earlier(tx, answer_type, now):
                return Answer(earlier, replayed=True)
            work(tx, partial(self._keep, tx, kept))
        [value] = kept
        return Answer(value)

    def _keep(self, tx: Transaction, kept: list[T], answer: T) -> None:
        self.keep(tx, answer)
        kept.append(answer)

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
