"""Servers and databases for the tests that need real ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, make_url

from quickshop.adapters.sql.migrations import migrate
from tests import servers
from tests.contracts.backend import Backend
from tests.integration.backends import copy_file, open_engine, sql_backend


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server where databases may be created."""
    with servers.postgres_url() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """URL of a Valkey or Redis server that others may use, too: do not flush it."""
    with servers.redis_url() as url:
        yield url


@pytest.fixture(scope="session")
def database_template(postgres_server: str) -> Iterator[str]:
    """Name of a migrated, empty database to make copies of."""
    name = f"quickshop_template_{uuid4().hex}"
    create_database(postgres_server, name)
    engine = create_engine(url_of(postgres_server, name))
    try:
        migrate(engine)
    finally:
        engine.dispose()
    yield name
    drop_database(postgres_server, name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to make copies of."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    with open_engine(f"sqlite:///{file}") as engine:
        migrate(engine)
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated, empty SQLite file of one's own."""
    return copy_file(sqlite_template, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated, empty database of one's own, on each kind of database in turn."""
    name = "sqlite_url" if request.param == "sqlite" else "database_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def backend(any_database_url: str) -> Iterator[Backend]:
    """What contracts are run on: the SQL adapters, on each kind of database in turn."""
    with sql_backend(any_database_url) as backend:
        yield backend


@pytest.fixture
def database_url(postgres_server: str, database_template: str) -> Iterator[str]:
    """URL of a migrated, empty PostgreSQL database of one's own."""
    name = f"quickshop_test_{uuid4().hex}"
    create_database(postgres_server, name, template=database_template)
    yield url_of(postgres_server, name)
    drop_database(postgres_server, name)


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
