"""The migrations of the schema, shipped with the package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect, text

from quickshop.adapters.sql.errors import translated
from quickshop.domain.errors import SchemaError

HEAD: Final = "0001"
"""The revision that this code requires. A test compares it with the files."""

SCRIPTS: Final = Path(__file__).parent
"""The folder of Alembic's `env.py` and `versions`."""

_REVISION: Final = text("SELECT version_num FROM alembic_version")
_NO_HURRY: Final = text("SET LOCAL statement_timeout = 0")
_LOCK: Final = text("SELECT pg_advisory_xact_lock(7177810)")


def revision(engine: Engine) -> str | None:
    """Return the revision of the database; None before the first.

    Raises:
        TransientError: the database cannot be reached.
    """
    reading = engine.execution_options(quickshop_autocommit=True)
    try:
        with translated(), reading.connect() as connection:
            return connection.execute(_REVISION).scalar_one_or_none()
    except SchemaError:
        return None


def require_current(engine: Engine) -> None:
    """Check that the schema is at the revision that this code requires.

    Raises:
        SchemaError: the schema is older, newer, or missing.
    """
    found = revision(engine)
    if found is None:
        raise SchemaError("the database has no QuickShop schema: run `quickshop migrate`")
    if found < HEAD:
        raise SchemaError(
            f"the database is at revision {found}, not {HEAD}: run `quickshop migrate`"
        )
    if found > HEAD:
        raise SchemaError(
            f"the database is at revision {found}, newer than {HEAD} of this release"
        )


def create_if_empty(engine: Engine) -> None:
    """Create the schema in an empty database; leave any other database unchanged.

    Raises:
        SchemaError: the database is not empty and has no QuickShop schema.
    """
    if revision(engine) is not None:
        return
    reading = engine.execution_options(quickshop_autocommit=True)
    with translated(), reading.connect() as connection:
        if inspect(connection).get_table_names() and revision(engine) is None:
            raise SchemaError(
                "the database is not empty and has no QuickShop schema: use another one"
            )
    migrate(engine)


def migrate(engine: Engine, scripts: Path = SCRIPTS) -> None:
    """Upgrade the schema to the newest revision. Concurrent calls run one after the other.

    Raises:
        SchemaError: the database is at a revision that this release does not know, or a migration
            left rows that refer to missing ones. Nothing was changed.
        AdapterError: the database rejected a statement. On PostgreSQL nothing was changed.
    """
    # Alembic is slow to import, so it is imported only for a migration.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with translated(), _without_foreign_keys(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(_NO_HURRY)
            connection.execute(_LOCK)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SchemaError(
                "the database is at a revision that this release does not know"
            ) from error
        _require_whole(connection)


def _require_whole(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise SchemaError(f"a migration left rows that refer to missing ones: {dangling}")


@contextmanager
def _without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """Yield a connection on which tables can be rebuilt: on SQLite foreign keys are off.

    Foreign keys are checked at the end. The pragma has an effect only outside a transaction.
    """
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            yield connection
        finally:
            driver.execute("PRAGMA foreign_keys = ON")
