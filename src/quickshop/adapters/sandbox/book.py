"""The sandbox gateway's own record of what happened, independent of the shop's database."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from quickshop.domain.errors import AdapterError, PaymentUnknownError
from quickshop.domain.money import Money, total
from quickshop.ports.payments import Charge, ChargeState

MEMORY: Final = ":memory:"

_BUSY_SECONDS: Final = 10
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS charges (
    key TEXT NOT NULL PRIMARY KEY,
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('authorized', 'captured', 'canceled', 'declined', 'lost')),
    reference TEXT UNIQUE,
    reason TEXT NOT NULL,
    captured_minor INTEGER NOT NULL DEFAULT 0,
    refunded_minor INTEGER NOT NULL DEFAULT 0,
    CHECK ((status IN ('declined', 'lost')) = (reference IS NULL)),
    CHECK (captured_minor BETWEEN 0 AND CASE status WHEN 'captured' THEN minor ELSE 0 END),
    CHECK (refunded_minor BETWEEN 0 AND captured_minor)
);
CREATE TABLE IF NOT EXISTS refunds (
    key TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL REFERENCES charges (reference),
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL
);
"""
_CHARGES: Final = (
    "SELECT key, minor, currency, status, reference, reason, captured_minor, refunded_minor"
    " FROM charges"
)


class EntryStatus(StrEnum):
    """The outcome of the requests with one key."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELED = "canceled"
    DECLINED = "declined"
    LOST = "lost"
    """The request was lost: no money moved, and the next request succeeds."""


_STATES: Final = {
    EntryStatus.AUTHORIZED: ChargeState.AUTHORIZED,
    EntryStatus.CAPTURED: ChargeState.CAPTURED,
    EntryStatus.CANCELED: ChargeState.CANCELED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key and what the gateway did for it."""

    key: str
    amount: Money
    status: EntryStatus
    reference: str | None
    """Id of the authorized or captured payment; None if there is none."""
    reason: str
    """Why the payment was declined; empty if it was not."""
    captured: Money
    """The amount captured with this key."""
    refunded: Money

    def as_charge(self) -> Charge:
        """Return the entry as the port's charge."""
        assert self.reference is not None, "only an entry with a reference is a charge"
        return Charge(reference=self.reference, state=_STATES[self.status], captured=self.captured)


@dataclass(frozen=True, slots=True)
class Book:
    """All entries of the gateway, oldest first."""

    charges: tuple[Entry, ...]

    def captured(self, currency: str) -> Money:
        """Return the total captured in this currency."""
        return total([c.captured for c in self._in(currency)], currency)

    def refunded(self, currency: str) -> Money:
        """Return the total refunded in this currency."""
        return total([c.refunded for c in self._in(currency)], currency)

    def _in(self, currency: str) -> tuple[Entry, ...]:
        return tuple(c for c in self.charges if c.amount.currency == currency)


class BookFile:
    """A SQLite file of entries, shared by every process that uses the same path."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._memory = _open(MEMORY) if path == MEMORY else None

    def entries(self) -> tuple[Entry, ...]:
        """Return every entry, oldest first."""
        with self._connection() as db:
            return tuple(_to_entry(row) for row in db.execute(f"{_CHARGES} ORDER BY rowid"))

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key, if any."""
        with self._connection() as db:
            return entry_of(db, key)

    def try_opening(self) -> bool:
        """Take and release the write lock. Return False if there is no book yet; creates none.

        Raises:
            PaymentUnknownError: the book cannot be opened, written to or created.
        """
        if self._memory is None and not Path(self.path).exists():
            self._require_room()
            return False
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                db.execute("SELECT 1 FROM charges LIMIT 1")
            finally:
                db.execute("ROLLBACK")
        return True

    def close(self) -> None:
        """Close the book; a book in memory is lost."""
        if self._memory is not None:
            self._memory.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction.

        Raises:
            PaymentUnknownError: the book cannot be opened or written.
        """
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            with db:  # commits, or rolls back when something is raised
                yield db

    def _require_room(self) -> None:
        folder = Path(self.path).absolute().parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise PaymentUnknownError(f"the sandbox's book {self.path}: {folder} takes no files")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._memory is not None:
                with self._lock:
                    yield self._memory
            else:
                # One connection per transaction: SQLite connections must not cross a fork.
                with closing(_open(self.path)) as db:
                    yield db
        except (sqlite3.Error, OSError) as error:
            raise PaymentUnknownError(f"the sandbox's book {self.path}: {error}") from error


def _open(path: str) -> sqlite3.Connection:
    if path != MEMORY:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        # If several processes open a new book at once, one of them switches it to WAL. The others
        # fail immediately, despite the busy timeout, and find it in WAL mode afterwards.
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
        _create_tables(db)
        db.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _create_tables(db: sqlite3.Connection) -> None:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'refunds'").fetchone():
        return
    db.execute("BEGIN IMMEDIATE")
    with db:
        for statement in _SCHEMA.split(";"):
            db.execute(statement)


def entry_of(db: sqlite3.Connection, key: str) -> Entry | None:
    """Return the entry of a key, if any."""
    row = db.execute(f"{_CHARGES} WHERE key = ?", (key,)).fetchone()
    return _to_entry(row) if row else None


def known(db: sqlite3.Connection, reference: str, currency: str | None) -> Entry:
    """Return the entry of a reference.

    Raises:
        AdapterError: no entry has this reference, or its currency differs.
    """
    row = db.execute(f"{_CHARGES} WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        raise AdapterError("there is no such payment")
    entry = _to_entry(row)
    if currency not in {None, entry.amount.currency}:
        raise AdapterError(f"the payment was made in {entry.amount.currency}")
    return entry


def _to_entry(row: tuple[str, int, str, str, str | None, str, int, int]) -> Entry:
    key, minor, currency, status, reference, reason, captured_minor, refunded_minor = row
    return Entry(
        key=key,
        amount=Money(minor, currency),
        status=EntryStatus(status),
        reference=reference,
        reason=reason,
        captured=Money(captured_minor, currency),
        refunded=Money(refunded_minor, currency),
    )


def insert(db: sqlite3.Connection, entry: Entry) -> None:
    """Insert an entry."""
    db.execute(
        "INSERT INTO charges (key, minor, currency, status, reference, reason, captured_minor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            entry.key,
            entry.amount.minor,
            entry.amount.currency,
            entry.status.value,
            entry.reference,
            entry.reason,
            entry.captured.minor,
        ),
    )


def update(db: sqlite3.Connection, entry: Entry) -> None:
    """Update the status, reference and captured amount of an entry."""
    db.execute(
        "UPDATE charges SET status = ?, reference = ?, captured_minor = ? WHERE key = ?",
        (entry.status.value, entry.reference, entry.captured.minor, entry.key),
    )


def require_refundable(db: sqlite3.Connection, reference: str, amount: Money) -> None:
    """Validate the amount of a refund.

    Raises:
        AdapterError: no payment has this reference, or the amount exceeds the refundable amount.
    """
    entry = known(db, reference, amount.currency)
    if not 0 < amount.minor <= entry.captured.minor - entry.refunded.minor:
        raise AdapterError("the refund must be more than zero and at most the refundable amount")
