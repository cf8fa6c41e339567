"""The SQL adapters as a contract's backend, on whichever database a URL names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, select, update

from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.jobs import SqlJobQueue, SqlSchedules
from quickshop.adapters.sql.postgres import PostgresDialect
from quickshop.adapters.sql.readers import sql_readers
from quickshop.adapters.sql.sqlite import SqliteDialect
from quickshop.adapters.sql.tables import metadata, stock_levels
from quickshop.adapters.sql.unit_of_work import SqlUnitOfWork
from quickshop.application.reactions import REACTIONS
from quickshop.domain.inventory import StockLevel
from quickshop.settings import Settings
from tests.contracts.backend import Backend


def dialect_of(url: str) -> SqlDialect:
    """What speaks to the database of this URL."""
    return PostgresDialect() if url.startswith("postgresql") else SqliteDialect()


@contextmanager
def open_engine(url: str) -> Iterator[Engine]:
    """An engine as a shop would have it, on a database that is migrated."""
    engine = dialect_of(url).open_engine(Settings.load(database_url=url))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def sql_backend(url: str) -> Iterator[Backend]:
    """Everything of one shop on the migrated database of this URL."""
    dialect = dialect_of(url)
    with open_engine(url) as engine:

        def tamper(level: StockLevel, counter: str, by: int) -> None:
            column = stock_levels.c[counter]
            this = (
                stock_levels.c.variant_id == level.variant_id,
                stock_levels.c.location_id == level.location_id,
            )
            with engine.begin() as connection:
                connection.execute(
                    update(stock_levels).where(*this).values({counter: column + by})
                )

        readers = sql_readers(engine, dialect)
        yield Backend(
            unit_of_work=SqlUnitOfWork(engine, dialect, REACTIONS),
            product_reader=readers.products,
            cart_reader=readers.carts,
            order_reader=readers.orders,
            customer_reader=readers.customers,
            identity_reader=readers.identity,
            stock_reader=readers.stock,
            import_reader=readers.imports,
            job_queue=SqlJobQueue(engine, dialect, REACTIONS),
            schedules=SqlSchedules(engine, dialect),
            tamper=tamper,
        )


def rows_by_table(url: str) -> dict[str, str]:
    """All that stands in each table, as text."""
    with open_engine(url) as engine, engine.connect() as connection:
        return {
            table.name: "\n".join(repr(row) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }


def copy_file(template: Path, folder: Path) -> str:
    """URL of a copy of a migrated SQLite file."""
    file = folder / "shop.db"
    shutil.copyfile(template, file)
    return f"sqlite:///{file}"
