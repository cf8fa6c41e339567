"""PostgreSQL databases for tests: created from a template, and emptied to be used again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import psycopg
from psycopg import Connection, sql
from sqlalchemy import make_url

from quickshop.adapters.sql.tables import metadata

WORTH_A_VACUUM: Final = 500
"""Rows that were deleted from a table: more would slow down the tests that come."""

_TABLES: Final = [table.name for table in metadata.sorted_tables]
_FULL_TABLES: Final = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in _TABLES
)
_END_OTHERS: Final = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_RESTART_NUMBERS: Final = """
    SELECT setval(quote_ident(sequencename), start_value, false) FROM pg_sequences
    WHERE last_value IS NOT NULL
"""
_SCHEMA: Final = " UNION ALL ".join(
    f"SELECT '{catalog}', {catalog}.{name}::text, {catalog}.xmin::text FROM {catalog} {only}"
    for catalog, name, only in (
        ("pg_class", "oid", "WHERE relnamespace = 'public'::regnamespace"),
        ("pg_proc", "oid", "WHERE pronamespace = 'public'::regnamespace"),
        ("pg_constraint", "oid", "WHERE connamespace = 'public'::regnamespace"),
        ("pg_trigger", "oid", ""),
        ("pg_namespace", "oid", "WHERE nspname NOT LIKE 'pg\\_%'"),
        ("alembic_version", "version_num", ""),
    )
)
"""What is there, and the transaction that wrote it: any change shows."""


@dataclass(slots=True)
class Databases:
    """Migrated, empty databases of one server.

    To empty one takes a tenth of the time that it takes to create and drop one. A database whose
    schema a test changed is dropped.
    """

    server_url: str
    template: str
    _free: list[str] = field(default_factory=list, init=False)
    _schemas: dict[str, set[tuple[str, ...]]] = field(default_factory=dict, init=False)

    @contextmanager
    def borrowed(self) -> Iterator[str]:
        """URL of a migrated, empty database for the length of a block."""
        name = self._free.pop() if self._free else self._create()
        url = url_of(self.server_url, name)
        yield url
        if self._is_as_new_when_emptied(name):
            self._free.append(name)
        else:
            drop_database(self.server_url, name)

    def close(self) -> None:
        """Drop what is left."""
        for name in self._free:
            drop_database(self.server_url, name)

    def _is_as_new_when_emptied(self, name: str) -> bool:
        url = url_of(self.server_url, name)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                _empty(connection)
                return _schema(connection) == self._schemas[name]
        except psycopg.Error:  # the test dropped it, or the user may not empty it
            return False

    def _create(self) -> str:
        name = f"quickshop_test_{uuid4().hex}"
        create_database(self.server_url, name, template=self.template)
        with psycopg.connect(url_of(self.server_url, name)) as connection:
            self._schemas[name] = _schema(connection)
        return name


def _schema(connection: Connection[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return set(connection.execute(_SCHEMA))


def _empty(connection: Connection[tuple[str, ...]]) -> None:
    """Delete every row, and have numbers begin again."""
    connection.execute(_END_OTHERS)
    # Neither triggers nor foreign keys.
    connection.execute("SET session_replication_role = replica")
    for (name,) in connection.execute(_FULL_TABLES).fetchall():
        table = sql.Identifier(name)
        deleted = connection.execute(sql.SQL("DELETE FROM {}").format(table)).rowcount
        if deleted > WORTH_A_VACUUM:
            connection.execute(sql.SQL("VACUUM {}").format(table))
    connection.execute(_RESTART_NUMBERS)
    connection.execute("SELECT pg_stat_reset()")


def create_database(server_url: str, name: str, *, template: str = "template0") -> None:
    """Create a database as a copy of another one."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, whoever is still connected to it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def url_of(server_url: str, database: str) -> str:
    """URL of another database on the same server."""
    url = make_url(server_url).set(database=database)
    return url.render_as_string(hide_password=False)
