"""The migrations lead to the schema that the code was written for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.exc import IntegrityError

from quickshop import open_shop
from quickshop.adapters.sql import migrations
from quickshop.adapters.sql.column_types import SortedText
from quickshop.adapters.sql.tables import metadata
from quickshop.container import migrate_database
from quickshop.domain.errors import SchemaError
from quickshop.settings import Settings
from tests.integration.backends import open_engine
from tests.integration.buyers import open_buyers, stock
from tests.integration.databases import create_database, drop_database, url_of

ONLY_IN_THE_DATABASE = {"ix_products_words", "product_search"}
"""What one database has for search and the tables do not name."""


def differs(
    context: MigrationContext, _column: Any, _wanted: Any, found: Any, wanted: Any
) -> bool | None:
    """Alembic does not look at the collation of a custom type; None leaves the rest to it."""
    if isinstance(wanted, SortedText):
        return context.dialect.name == "postgresql" and found.collation != "C"
    return None


@pytest.fixture
def empty_postgres(postgres_server: str) -> str:
    name = "quickshop_empty"
    drop_database(postgres_server, name)
    create_database(postgres_server, name)
    return url_of(postgres_server, name)


def test_an_empty_database_is_migrated_to_exactly_the_tables(any_database_url: str) -> None:
    with open_engine(any_database_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": differs})
        found = [
            change
            for change in compare_metadata(context, metadata)
            if not str(change[1].name).startswith(tuple(ONLY_IN_THE_DATABASE))
        ]
        assert found == []
        assert migrations.revision(engine) == migrations.HEAD


def conditions(connection: Connection, schema: str | None = None) -> dict[str, str]:
    """What Alembic does not compare: the condition of each partial index and of each CHECK."""
    look, kind = inspect(connection), connection.dialect.name
    found = {}
    for table in metadata.tables:
        for check in look.get_check_constraints(table, schema=schema):
            found[f"{table}: {check['name']}"] = check["sqltext"]
        for index in look.get_indexes(table, schema=schema):
            where = index.get("dialect_options", {}).get(f"{kind}_where")
            if where is not None:
                found[str(index["name"])] = str(where)
    return found


def wanted_conditions(connection: Connection) -> dict[str, str]:
    """The same, of tables made from what the code says; PostgreSQL rewrites what it is told."""
    if connection.dialect.name == "sqlite":
        with create_engine("sqlite://").connect() as fresh:
            metadata.create_all(fresh)
            return conditions(fresh)
    connection.exec_driver_sql("CREATE SCHEMA wanted")
    metadata.create_all(connection.execution_options(schema_translate_map={None: "wanted"}))
    return conditions(connection, "wanted")


def test_migrations_make_every_condition_that_the_tables_have(any_database_url: str) -> None:
    with open_engine(any_database_url) as engine, engine.connect() as connection:
        found, wanted = conditions(connection), wanted_conditions(connection)
        connection.rollback()
    assert found == wanted != {}


def test_the_revision_that_the_code_needs_is_the_last_one_shipped() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_a_server_that_was_not_migrated_is_refused_with_the_command_to_run(
    empty_postgres: str,
) -> None:
    with pytest.raises(SchemaError, match="quickshop migrate"):
        open_shop(empty_postgres)


def test_several_who_migrate_at_once_take_turns(empty_postgres: str) -> None:
    settings = Settings.load(database_url=empty_postgres)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate_database, [settings] * 4))
    with open_shop(empty_postgres) as shop:
        assert shop.products.list().items == []


def test_several_who_open_a_new_file_at_once_take_turns(tmp_path: Path) -> None:
    def open_and_close(_: int) -> int:
        with open_shop(f"sqlite:///{tmp_path}/new.db") as shop:
            return len(shop.products.list().items)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_and_close, range(4))) == [0] * 4


def test_a_schema_from_the_future_is_refused(sqlite_url: str) -> None:
    with open_engine(sqlite_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="9999"):
        open_shop(sqlite_url)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("payments", "captured_minor", 1251),  # more than was authorized
        ("payments", "refunded_minor", 1251),  # more than was captured
        ("orders", "total_minor", 1251),  # not what lines, tax, shipping and discount add up to
        ("allocations", "shipped", 2),  # more than was promised
        ("allocations", "quantity", 0),
        ("stock_levels", "held", -1),
        ("stock_levels", "allocated", 6),  # more than there is
    ],
)
def test_the_database_itself_refuses_numbers_that_cannot_be(
    any_database_url: str, tmp_path: Path, table: str, column: str, value: int
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 5)
        buyers.check_out(buyers.fill("MUG"))
        buyers.shop.run_jobs()
    with open_engine(any_database_url) as engine, pytest.raises(IntegrityError):
        with engine.begin() as connection:
            connection.execute(metadata.tables[table].update().values({column: value}))
