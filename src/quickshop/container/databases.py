"""The database of a shop: which kind it is, and opening it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from quickshop.adapters.memory.jobs import MemoryJobSignal
from quickshop.adapters.sql import migrations
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.postgres import PostgresDialect
from quickshop.adapters.sql.sqlite import SqliteDialect
from quickshop.ports.jobs import JobSignal
from quickshop.settings import Settings


def is_postgres(settings: Settings) -> bool:
    """Whether it is on a PostgreSQL server."""
    return settings.database_url.startswith("postgresql")


def dialect_of(settings: Settings) -> SqlDialect:
    """What is particular to its kind."""
    return PostgresDialect() if is_postgres(settings) else SqliteDialect()


def open_engine(dialect: SqlDialect, settings: Settings) -> Iterator[Engine]:
    """Its connections, to a schema that this release knows."""
    engine = dialect.open_engine(settings)
    try:
        if dialect.migrates_itself:
            migrations.create_if_empty(engine)
        migrations.require_current(engine)
        yield engine
    finally:
        engine.dispose()


def open_signal(settings: Settings) -> Iterator[JobSignal]:
    """What wakes those who wait for jobs in it."""
    if is_postgres(settings):
        from quickshop.adapters.sql.listener import PostgresJobSignal  # noqa: PLC0415

        url = make_url(settings.database_url).set(drivername="postgresql")
        signal = PostgresJobSignal(url.render_as_string(hide_password=False))
        yield signal
        signal.close()
    else:
        yield MemoryJobSignal()


def durability_warnings(settings: Settings) -> Sequence[str]:
    """Why what is committed in it may be lost; nothing of one in memory, which keeps nothing.

    Raises:
        TransientError: it cannot be reached.
    """
    if settings.database_url.startswith("memory"):
        return ()
    dialect = dialect_of(settings)
    engine = dialect.open_engine(settings)
    try:
        return dialect.durability_warnings(engine)
    finally:
        engine.dispose()


def migrate_database(settings: Settings) -> None:
    """Bring the database of the settings up to date.

    Raises:
        TransientError: it cannot be reached.
        AdapterError: it refused.
    """
    dialect = dialect_of(settings)
    engine = dialect.open_engine(settings)
    try:
        migrations.migrate(engine)
    finally:
        engine.dispose()
