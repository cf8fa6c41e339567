"""The SQLite dialect: the shop in one file, without a server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.stock_moves import Change, Moved, Place, move_one_by_one
from quickshop.adapters.sql.tables import idempotency_keys, metadata, orders
from quickshop.domain.errors import InvalidValueError
from quickshop.settings import Settings

FIRST_ORDER_NUMBER: Final = 1001

_LAST_NUMBER: Final = select(func.max(orders.c.number))


@cache
def _insert_if_absent(table: str) -> Insert:
    return insert(metadata.tables[table]).on_conflict_do_nothing()


class SqliteDialect(SqlDialect):
    """SQLite with a write-ahead log: readers never wait, writers take turns."""

    migrates_itself = True

    @override
    def open_engine(self, settings: Settings) -> Engine:
        """Open the file; its folder must exist.

        Raises:
            InvalidValueError: the URL names no file, or its folder does not exist.
        """
        path = make_url(settings.database_url).database
        if not path or path == ":memory:":
            raise InvalidValueError(
                "QUICKSHOP_DATABASE_URL",
                "must name a file, such as sqlite:///shop.db; to store nothing, use memory://",
            )
        if not Path(path).absolute().parent.is_dir():
            raise InvalidValueError(
                "QUICKSHOP_DATABASE_URL", "must name a file in an existing folder"
            )
        engine = create_engine(
            f"sqlite:///{path}",
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=settings.database_timeout_seconds,
            json_deserializer=from_json,
            hide_parameters=True,
            connect_args={
                "timeout": settings.lock_timeout_seconds,
                "check_same_thread": False,
                "isolation_level": None,
            },
        )
        event.listen(engine, "do_connect", _creating_for_owner_only(Path(path)))
        event.listen(engine, "connect", _prepare(synchronous=_SYNCHRONOUS[settings.mode]))
        event.listen(engine, "begin", _begin)
        return engine

    @override
    def autocommit(self, engine: Engine) -> Engine:
        """Return the pool in autocommit mode: without BEGIN, reading takes no lock."""
        return engine.execution_options(quickshop_autocommit=True)

    @override
    def durability_warnings(self, engine: Engine) -> Sequence[str]:
        """Return no warnings: each connection is opened with the settings of the mode."""
        return ()

    @override
    def next_order_number(self, connection: BatchingConnection) -> int:
        """Return the highest number plus one: this transaction is the only writer."""
        last = connection.execute(_LAST_NUMBER).scalar_one()
        return FIRST_ORDER_NUMBER if last is None else last + 1

    @override
    def reserve_key(self, connection: BatchingConnection, row: dict[str, object]) -> bool:
        """Reserve a key. This transaction is the only writer, so an existing key is committed."""
        return self.insert_if_absent(connection, idempotency_keys.name, row)

    @override
    def insert_if_absent(
        self, connection: BatchingConnection, table: str, row: dict[str, object]
    ) -> bool:
        """Insert with `ON CONFLICT DO NOTHING`."""
        statement = _insert_if_absent(table)
        inserted = connection.execute(
            statement, row, execution_options={"preserve_rowcount": True}
        )
        return inserted.rowcount == 1

    @override
    def move_levels(
        self,
        connection: BatchingConnection,
        changes: Sequence[Change],
        *,
        striped: Collection[Place] = (),
        low_stock_threshold: int | None,
    ) -> Mapping[Place, Moved | None]:
        """Move the levels one by one: there are no round trips to save."""
        return dict(move_one_by_one(connection, changes))

    @override
    def stripe_level(
        self,
        connection: BatchingConnection,
        place: Place,
        stripes: int | None,
        *,
        low_stock_threshold: int | None,
    ) -> None:
        """Do nothing: there is one writer at a time for the whole file."""

    @override
    def index_words(self, connection: BatchingConnection, product_id: UUID, words: str) -> None:
        """Write the words to the full-text index."""
        connection.execute(_FORGET_WORDS, {"id": f'product_id:"{product_id.hex}"'})
        connection.execute(_INDEX_WORDS, {"id": product_id.hex, "words": words})

    @override
    def has_words(self, words: Sequence[str]) -> ColumnElement[bool]:
        """Return a full-text condition. Words have only letters and digits, so quotes suffice."""
        query = " AND ".join(f'words:"{word}"*' for word in words)
        return text(  # type: ignore[return-value]
            "products.id IN (SELECT product_id FROM product_search WHERE product_search MATCH :q)"
        ).bindparams(q=query)


_FORGET_WORDS: Final = text("DELETE FROM product_search WHERE product_search MATCH :id")
_INDEX_WORDS: Final = text("INSERT INTO product_search (product_id, words) VALUES (:id, :words)")


# NORMAL with a write-ahead log survives any crash of the process; a power failure may lose only
# the last transactions, each as a whole.
_SYNCHRONOUS: Final = {"development": "NORMAL", "production": "FULL"}


def _creating_for_owner_only(path: Path) -> Callable[..., None]:
    """Create a new file so that only its owner can read it.

    It contains addresses and password hashes. SQLite gives its log the same mode. An existing file
    keeps its mode; if the file cannot be created, SQLite reports why.
    """

    def create(*_connecting: object) -> None:
        with suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    return create


def _prepare(*, synchronous: str) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            _write_ahead(connection)
        for pragma in (f"synchronous = {synchronous}", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return prepare


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    stop=stop_after_delay(5),
    wait=wait_random(0.01, 0.05),
    reraise=True,
)
def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to a write-ahead log, with retries, because SQLite does not wait here."""
    connection.execute("PRAGMA journal_mode = WAL")


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("quickshop_autocommit"):
        # IMMEDIATE: a transaction that reads before it writes could fail at the first write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
