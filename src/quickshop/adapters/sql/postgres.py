"""The PostgreSQL dialect, the main database of QuickShop."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    bindparam,
    create_engine,
    event,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.stock_moves import (
    Change,
    Moved,
    Place,
    move_one_by_one,
    moved_of,
)
from quickshop.adapters.sql.stripes import move as move_striped
from quickshop.adapters.sql.stripes import stripe_level
from quickshop.adapters.sql.tables import idempotency_keys, metadata, order_numbers, stock_levels
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import MissingExtraError
from quickshop.domain.inventory import MAX_UNITS, LocationId
from quickshop.settings import Settings

IDLE_SECONDS: Final = 1.0
"""A connection that was idle for longer is checked before it is used."""

_NEXT_NUMBER: Final = select(order_numbers.next_value())
# The lock distinguishes a key that is being written from a free one: an INSERT alone would wait
# for the other transaction to end.
_LOCKED_ROW: Final[Select[Any]] = select(
    bindparam("scope"),
    bindparam("key"),
    bindparam("fingerprint"),
    bindparam("created_at", type_=idempotency_keys.c.created_at.type),
).where(
    func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("lock"), literal_column("0")))
)
_RESERVE: Final = (
    insert(idempotency_keys)
    .from_select(["scope", "key", "fingerprint", "created_at"], _LOCKED_ROW)
    .on_conflict_do_nothing()
    .returning(idempotency_keys.c.key)
)


# NO KEY: rows that refer to a level lock its key in share mode, and FOR UPDATE would wait.
_MOVE_ALL: Final = text("""
    WITH change AS (
        SELECT * FROM unnest(
            CAST(:variant AS uuid[]), CAST(:location AS uuid[]),
            CAST(:on_hand AS int[]), CAST(:allocated AS int[]), CAST(:held AS int[])
        ) WITH ORDINALITY AS c (variant_id, location_id, on_hand, allocated, held, turn)
    ), locked AS MATERIALIZED (
        SELECT change.* FROM change
        JOIN stock_levels level USING (variant_id, location_id)
        ORDER BY change.turn
        FOR NO KEY UPDATE OF level
    )
    UPDATE stock_levels level
    SET on_hand = level.on_hand + c.on_hand,
        allocated = level.allocated + c.allocated,
        held = level.held + c.held,
        version = level.version + 1
    FROM locked c
    WHERE level.variant_id = c.variant_id AND level.location_id = c.location_id
        AND level.on_hand + c.on_hand - level.allocated - c.allocated - level.held - c.held
            + level.backorder_limit >= 0
        AND level.on_hand + c.on_hand <= :most
        AND level.stripes = 0
    RETURNING level.variant_id, level.location_id, level.on_hand, level.allocated, level.held,
        level.backorder_limit, level.low_stock_threshold
""")


_STRIPED: Final = select(stock_levels.c.variant_id, stock_levels.c.location_id).where(
    stock_levels.c.variant_id.in_(bindparam("variants", expanding=True)),
    stock_levels.c.stripes > 0,
)


def _striped_among(connection: BatchingConnection, changes: Sequence[Change]) -> Collection[Place]:
    if not changes:
        return ()
    among = {"variants": list({change.variant for change in changes})}
    return {(row.variant_id, row.location_id) for row in connection.execute(_STRIPED, among)}


def _move_together(
    connection: BatchingConnection, changes: Sequence[Change]
) -> Mapping[Place, Moved]:
    if len(changes) <= 1:
        return move_one_by_one(connection, changes)
    columns = dict(zip(Change._fields, zip(*changes, strict=True), strict=True))
    arrays = {name: list(values) for name, values in columns.items()}
    rows = connection.execute(_MOVE_ALL, arrays | {"most": MAX_UNITS})
    return {(VariantId(r.variant_id), LocationId(r.location_id)): moved_of(r) for r in rows}


_DURABILITY: Final = text(
    "SELECT name FROM pg_settings WHERE setting = 'off'"
    " AND name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name"
)
"""The settings that are off in this session. Roles and databases can override them."""


@cache
def _insert_if_absent(table: str) -> Insert:
    return insert(metadata.tables[table]).on_conflict_do_nothing()


class PostgresDialect(SqlDialect):
    """PostgreSQL through psycopg 3."""

    migrates_itself = False

    @override
    def open_engine(self, settings: Settings) -> Engine:
        """Create a pool whose connections time out instead of hanging."""
        statement_ms = round(settings.database_timeout_seconds * 1000)
        lock_ms = round(settings.lock_timeout_seconds * 1000)
        try:
            engine = create_engine(
                driver_url(settings.database_url),
                pool_size=settings.database_pool_size,
                max_overflow=0,
                pool_timeout=settings.database_timeout_seconds,
                pool_use_lifo=True,
                json_deserializer=from_json,
                hide_parameters=True,
                connect_args={
                    "connect_timeout": max(2, round(settings.database_timeout_seconds)),
                    "tcp_user_timeout": statement_ms,
                    "keepalives_idle": 30,
                    "application_name": "quickshop",
                    "options": f"-c statement_timeout={statement_ms} -c lock_timeout={lock_ms}"
                    f" -c idle_in_transaction_session_timeout={statement_ms}"
                    " -c timezone=UTC",
                },
            )
        except ModuleNotFoundError as error:
            raise MissingExtraError("postgres", "a postgresql:// database") from error
        _ping_idle_connections(engine)
        return engine

    @override
    def autocommit(self, engine: Engine) -> Engine:
        """Return the pool in autocommit mode: no BEGIN and COMMIT around single statements."""
        return engine.execution_options(isolation_level="AUTOCOMMIT")

    @override
    def durability_warnings(self, engine: Engine) -> Sequence[str]:
        """Return a warning for each durability setting that is off."""
        with translated(), self.autocommit(engine).connect() as connection:
            off = connection.execute(_DURABILITY).scalars().all()
        return [
            f"the database must run with {name} = on: it may lose committed data" for name in off
        ]

    @override
    def next_order_number(self, connection: BatchingConnection) -> int:
        """Return a number from a sequence: without waiting, with gaps after rollbacks."""
        return int(connection.execute(_NEXT_NUMBER).scalar_one())

    @override
    def reserve_key(self, connection: BatchingConnection, row: dict[str, object]) -> bool:
        """Reserve a key in one statement, which never waits."""
        lock = {"lock": f"{row['scope']}\n{row['key']}"}
        return connection.execute(_RESERVE, row | lock).first() is not None

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
        """Move all unstriped levels in one statement, then the striped levels."""
        plain = [change for change in changes if change[:2] not in striped]
        moved: dict[Place, Moved | None] = dict(_move_together(connection, plain))
        missing = [change for change in plain if change[:2] not in moved]
        found = {*striped, *_striped_among(connection, missing)}
        for change in changes:
            if change[:2] in found and change[:2] not in moved:
                enough, after = move_striped(connection, change, low_stock_threshold)
                if enough:
                    moved[change.variant, change.location] = after
        return moved

    @override
    def stripe_level(
        self,
        connection: BatchingConnection,
        place: Place,
        stripes: int | None,
        *,
        low_stock_threshold: int | None,
    ) -> None:
        """Spread a level over rows that are locked one by one, or all if one has too few units."""
        stripe_level(connection, place, stripes, low_stock_threshold)

    @override
    def index_words(self, connection: BatchingConnection, product_id: UUID, words: str) -> None:
        """Do nothing: the index is on an expression over `products.search_text`."""

    @override
    def has_words(self, words: Sequence[str]) -> ColumnElement[bool]:
        """Return a full-text condition. Words have only letters and digits, so quotes suffice."""
        query = " & ".join(f"'{word}':*" for word in words)
        return text(f"{SEARCH_VECTOR} @@ CAST(:query AS tsquery)").bindparams(query=query)  # type: ignore[return-value]


SEARCH_VECTOR: Final = "array_to_tsvector(string_to_array(products.search_text, ' '))"
"""The expression of the search index."""


def driver_url(url: str) -> str:
    """Return the URL with the driver that QuickShop uses."""
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _ping_idle_connections(engine: Engine) -> None:
    """Check idle connections before use, so that requests survive a restart of the server."""

    @event.listens_for(engine, "checkin")
    def _remember(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        since = entry.info.get("idle_since")
        if since is None or time.monotonic() - since < IDLE_SECONDS:
            return
        if not _answers(engine, connection):
            raise DisconnectionError


def _answers(engine: Engine, connection: DBAPIConnection) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except (engine.dialect.loaded_dbapi.Error, DBAPIError):
        return False
