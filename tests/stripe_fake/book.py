"""The book: one SQLite file, one row per intent, refund and key, committed before any answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS intents (
    id TEXT PRIMARY KEY, quickshop_key TEXT, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    capture_method TEXT NOT NULL, status TEXT NOT NULL,
    captured INTEGER NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    payment_method TEXT, metadata TEXT NOT NULL, return_url TEXT, error TEXT,
    cancellation_reason TEXT, created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS intents_by_key ON intents (quickshop_key);
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY, intent_id TEXT NOT NULL REFERENCES intents (id), quickshop_key TEXT,
    amount INTEGER NOT NULL CHECK (amount > 0), currency TEXT NOT NULL, status TEXT NOT NULL,
    metadata TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER, body TEXT
);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    intent_id TEXT NOT NULL, body TEXT NOT NULL, due_at REAL NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS lies (kind TEXT PRIMARY KEY, told INTEGER NOT NULL);
"""


class Book:
    """Transactions on the file, one at a time."""

    def __init__(self, path: str) -> None:
        self._lock = RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        self._db.execute("DELETE FROM idempotency_keys WHERE status IS NULL")  # killed on the way

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, committed at the end."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                yield self._db

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """What a query finds."""
        with self._lock:
            return [dict(row) for row in self._db.execute(statement, values)]

    def count_lie(self, kind: str) -> None:
        """One more of this kind was told."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO lies VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET told = told + 1",
                (kind,),
            )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
