"""A payment gateway that moves no real money and lets anyone try every path.

What it does is decided by the token it is shown (see `SandboxGateway`). Like a real gateway it
keeps its own book, apart from the shop's database: the shop may crash, roll back or ask twice, and
the book still says what truly happened.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import uuid4

from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money, total
from quickshop.domain.payments import PaymentSource

MEMORY: Final = ":memory:"

_DECLINES: Final = {
    "tok_declined": "card_declined",
    "tok_insufficient_funds": "insufficient_funds",
    "tok_error": "processing_error",
}
_CAPTURES: Final = frozenset({"tok_ok", "tok_slow", "tok_timeout_then_ok"})
_SLOW: Final = "tok_slow"
_TIMEOUT_THEN_OK: Final = "tok_timeout_then_ok"
_TIMEOUT_LOST: Final = "tok_timeout_lost"

_BUSY_SECONDS: Final = 10
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS charges (
    key TEXT NOT NULL PRIMARY KEY,
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('captured', 'declined', 'lost')),
    reference TEXT UNIQUE,
    reason TEXT NOT NULL,
    refunded_minor INTEGER NOT NULL DEFAULT 0,
    CHECK ((status = 'captured') = (reference IS NOT NULL)),
    CHECK (refunded_minor BETWEEN 0 AND CASE status WHEN 'captured' THEN minor ELSE 0 END)
);
CREATE TABLE IF NOT EXISTS refunds (
    key TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL REFERENCES charges (reference),
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL
);
"""
_CHARGES: Final = (
    "SELECT key, minor, currency, status, reference, reason, refunded_minor FROM charges"
)


class ChargeStatus(StrEnum):
    """What came of the asks under one key."""

    CAPTURED = "captured"
    DECLINED = "declined"
    LOST = "lost"
    """The ask got lost on its way: nothing moved, and the next one goes through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One key, and what the gateway did under it."""

    key: str
    amount: Money
    status: ChargeStatus
    reference: str | None
    """Names the captured payment; None while nothing moved."""
    reason: str
    """Why it was declined; empty when it was not."""
    refunded: Money

    @property
    def captured(self) -> Money:
        """What moved under this key."""
        moved = self.status is ChargeStatus.CAPTURED
        return self.amount if moved else Money.zero(self.amount.currency)


@dataclass(frozen=True, slots=True)
class Book:
    """All that the gateway was ever asked, oldest first."""

    charges: tuple[Charge, ...]

    def captured(self, currency: str) -> Money:
        """What was taken from shoppers in this currency."""
        return total([c.captured for c in self._in(currency)], currency)

    def refunded(self, currency: str) -> Money:
        """What of it was sent back."""
        return total([c.refunded for c in self._in(currency)], currency)

    def _in(self, currency: str) -> tuple[Charge, ...]:
        return tuple(c for c in self.charges if c.amount.currency == currency)


class SandboxGateway:
    """A `PaymentGateway` that decides by the token.

    - `tok_ok`: captured.
    - `tok_declined`, `tok_insufficient_funds`, `tok_error`: declined, as `card_declined`,
      `insufficient_funds` and `processing_error`.
    - `tok_timeout_then_ok`: the money moves, but the first ask gets no answer.
    - `tok_timeout_lost`: the first ask gets no answer and moves nothing; the next one captures.
    - `tok_slow`: captured after `slow_seconds`.
    - any other: declined, as `unknown_token`.

    `book` is a SQLite file, shared by every process that is given the same one; each step is
    committed before it is answered, so kill -9 loses none. `:memory:` keeps the book for as long
    as this object lives. Safe to share between threads, and to use after a fork.
    """

    def __init__(
        self,
        book: str,
        *,
        slow_seconds: float,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = book
        self._slow_seconds = slow_seconds
        self._wait = wait
        self._lock = threading.Lock()
        self._memory = _open(MEMORY) if book == MEMORY else None

    def capture(self, amount: Money, source: PaymentSource, *, key: str) -> str:
        """As `PaymentGateway.capture`.

        Raises:
            PaymentDeclinedError: by the token.
            PaymentUnknownError: by the token, or the book cannot be reached.
            AdapterError: the key was used for another amount.
        """
        if source.token == _SLOW and self._find(key) is None:
            self._wait(self._slow_seconds)
        with self._transaction() as db:
            before = _charge(db, key)
            if before is None:
                charge = _decide(source.token, amount, key)
                _insert(db, charge)
            else:
                charge = _asked_again(before, amount)
                _update(db, charge)
        return _answer(charge, source.token, first=before is None)

    def find(self, key: str) -> str | None:
        """As `PaymentGateway.find`.

        Raises:
            PaymentUnknownError: the book cannot be reached.
        """
        charge = self._find(key)
        return charge.reference if charge else None

    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        """As `PaymentGateway.refund`.

        Raises:
            PaymentUnknownError: the book cannot be reached.
            AdapterError: there is no such payment, it is more than is left of it, or the key was
                used for another refund.
        """
        wanted = (reference, amount.minor, amount.currency)
        with self._transaction() as db:
            row = db.execute(
                "SELECT reference, minor, currency FROM refunds WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                _require_refundable(db, reference, amount)
                db.execute("INSERT INTO refunds VALUES (?, ?, ?, ?)", (key, *wanted))
                db.execute(
                    "UPDATE charges SET refunded_minor = refunded_minor + ? WHERE reference = ?",
                    (amount.minor, reference),
                )
            elif tuple(row) != wanted:
                raise AdapterError("the refund key was used for another refund")

    def book(self) -> Book:
        """What truly happened, for tests and demonstrations.

        Raises:
            PaymentUnknownError: the book cannot be reached.
        """
        with self._connection() as db:
            return Book(tuple(_to_charge(row) for row in db.execute(f"{_CHARGES} ORDER BY rowid")))

    def close(self) -> None:
        """Let go of a book kept in memory, and forget it."""
        if self._memory is not None:
            self._memory.close()

    def _find(self, key: str) -> Charge | None:
        with self._connection() as db:
            return _charge(db, key)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            with db:  # commits, or rolls back when something is raised
                yield db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._memory is not None:
                with self._lock:
                    yield self._memory
            else:
                # One connection per step: SQLite forbids carrying one across a fork.
                with closing(_open(self._path)) as db:
                    yield db
        except (sqlite3.Error, OSError) as error:
            raise PaymentUnknownError(f"the sandbox's book {self._path}: {error}") from error


def _open(path: str) -> sqlite3.Connection:
    if path != MEMORY:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        # Of those who open a new book at once one may make it WAL; the others are refused at once,
        # busy timeout or not, and find it WAL afterwards.
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _charge(db: sqlite3.Connection, key: str) -> Charge | None:
    row = db.execute(f"{_CHARGES} WHERE key = ?", (key,)).fetchone()
    return _to_charge(row) if row else None


def _to_charge(row: tuple[str, int, str, str, str | None, str, int]) -> Charge:
    key, minor, currency, status, reference, reason, refunded_minor = row
    return Charge(
        key=key,
        amount=Money(minor, currency),
        status=ChargeStatus(status),
        reference=reference,
        reason=reason,
        refunded=Money(refunded_minor, currency),
    )


def _decide(token: str, amount: Money, key: str) -> Charge:
    nothing = Money.zero(amount.currency)
    status, reference, reason = ChargeStatus.DECLINED, None, ""
    if token in _CAPTURES:
        status, reference = ChargeStatus.CAPTURED, _new_reference()
    elif token == _TIMEOUT_LOST:
        status = ChargeStatus.LOST
    else:
        reason = _DECLINES.get(token, "unknown_token")
    return Charge(
        key=key,
        amount=amount,
        status=status,
        reference=reference,
        reason=reason,
        refunded=nothing,
    )


def _asked_again(charge: Charge, amount: Money) -> Charge:
    if charge.amount != amount:
        raise AdapterError("the payment key was used for another amount")
    if charge.status is not ChargeStatus.LOST:
        return charge
    return Charge(
        key=charge.key,
        amount=amount,
        status=ChargeStatus.CAPTURED,
        reference=_new_reference(),
        reason="",
        refunded=charge.refunded,
    )


def _new_reference() -> str:
    return f"sandbox_{uuid4().hex}"


def _insert(db: sqlite3.Connection, charge: Charge) -> None:
    db.execute(
        "INSERT INTO charges (key, minor, currency, status, reference, reason)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            charge.key,
            charge.amount.minor,
            charge.amount.currency,
            charge.status.value,
            charge.reference,
            charge.reason,
        ),
    )


def _update(db: sqlite3.Connection, charge: Charge) -> None:
    db.execute(
        "UPDATE charges SET status = ?, reference = ? WHERE key = ?",
        (charge.status.value, charge.reference, charge.key),
    )


def _answer(charge: Charge, token: str, *, first: bool) -> str:
    if charge.status is ChargeStatus.DECLINED:
        raise PaymentDeclinedError(charge.reason)
    if charge.reference is None or (first and token == _TIMEOUT_THEN_OK):
        raise PaymentUnknownError("the payment gateway gave no answer in time")
    return charge.reference


def _require_refundable(db: sqlite3.Connection, reference: str, amount: Money) -> None:
    row = db.execute(f"{_CHARGES} WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        raise AdapterError("there is no such payment to refund")
    charge = _to_charge(row)
    if amount.currency != charge.amount.currency:
        raise AdapterError(f"the payment was made in {charge.amount.currency}")
    if not 0 < amount.minor <= charge.captured.minor - charge.refunded.minor:
        raise AdapterError("the refund is more than is left of the payment, or nothing")
