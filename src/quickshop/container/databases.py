"""The database of a shop: its dialect and its connections."""

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
    """Return whether the database is PostgreSQL."""
    return settings.database_url.startswith("postgresql")


def dialect_of(settings: Settings) -> SqlDialect:
    """Return the SQL dialect of the database."""
    return PostgresDialect() if is_postgres(settings) else SqliteDialect()


def open_engine(dialect: SqlDialect, settings: Settings) -> Iterator[Engine]:
    """Open the connections; the schema must match this release."""
    engine = dialect.open_engine(settings)
    try:
        if dialect.migrates_itself:
            migrations.create_if_empty(engine)
        migrations.require_current(engine)
        yield engine
    finally:
        engine.dispose()


def open_signal(settings: Settings) -> Iterator[JobSignal]:
    """Open the signal that wakes workers when jobs arrive."""
    if is_postgres(settings):
        from quickshop.adapters.sql.listener import PostgresJobSignal  # noqa: PLC0415

        url = make_url(settings.database_url).set(drivername="postgresql")
        signal = PostgresJobSignal(url.render_as_string(hide_password=False))
        yield signal
        signal.close()
    else:
        yield MemoryJobSignal()


def durability_warnings(settings: Settings) -> Sequence[str]:
    """Return why committed data may be lost; empty for a database in memory.

    Raises:
        TransientError: the database cannot be reached.
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
    """Migrate the database of the settings to the schema of this release.

    Raises:
        TransientError: the database cannot be reached.
        AdapterError: the database refuses the migration.
    """
    dialect = dialect_of(settings)
    engine = dialect.open_engine(settings)
    try:
        migrations.migrate(engine)
    finally:
        engine.dispose()
