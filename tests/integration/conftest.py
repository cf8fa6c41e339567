"""Servers and databases for the tests that need real ones."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from redis import Redis
from sqlalchemy import create_engine

from quickshop.adapters.sql.migrations import migrate
from tests import servers
from tests.contracts.backend import Backend
from tests.fault_proxy import FaultProxy
from tests.integration.backends import copy_file, open_engine, sql_backend
from tests.integration.crossing import Crossing
from tests.integration.databases import Databases, create_database, drop_database, url_of
from tests.integration.stepping import TwoShops, deadlocks, open_two_shops

FIGURES: Final = "figures"
"""Name that a test gives to `record_property` for figures that people should see."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, each once."""
    recorded = dict.fromkeys(
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == FIGURES
    )
    if recorded:
        terminalreporter.section(FIGURES)
        for figures in recorded:
            terminalreporter.line(figures)


FOLDER = Path(__file__).parent
LONGEST = (
    *("test_celery_publisher", "test_chaos", "test_crashes", "test_worker", "test_typed_calls"),
    *("test_shopping_trip", "test_stripe_orders", "test_process_logs", "test_cli_processes"),
)
"""Modules with the longest tests. They begin first: no process waits for another's last test."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a fixture of their module in one process, which sets it up once."""
    for item in items:
        if FOLDER in item.path.parents and _shares_a_fixture(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def _shares_a_fixture(item: pytest.Item) -> bool:
    known = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined] # noqa: SLF001 - no other way
    return any(definitions[-1].scope == "module" for definitions in known.values())


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


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[servers.Server]:
    """A Valkey of the module's own, which its tests may kill and start."""
    with servers.run_valkey() as server:
        yield server


@pytest.fixture
def redis(own_valkey: servers.Server) -> Iterator[Redis]:
    """A client of it, which finds it empty."""
    with Redis.from_url(own_valkey.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def valkey_proxy(own_valkey: servers.Server) -> Iterator[FaultProxy]:
    """A way to it that can be cut."""
    with FaultProxy(own_valkey.port) as proxy:
        yield proxy


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes started in the background of a shell ignore interrupts, and so would theirs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture(scope="session")
def databases(postgres_server: str, database_template: str) -> Iterator[Databases]:
    """Migrated, empty PostgreSQL databases, one after the other."""
    databases = Databases(postgres_server, database_template)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """URL of a migrated, empty PostgreSQL database of one's own."""
    with databases.borrowed() as url:
        yield url


@contextmanager
def _two_shops_on(server: str, template: str, folder: Path, **more: object) -> Iterator[TwoShops]:
    name = f"quickshop_test_{uuid4().hex}"
    create_database(server, name, template=template)
    with open_two_shops(url_of(server, name), folder, **more) as shops:
        yield shops
    assert deadlocks(url_of(server, name)) == 0, "two stories waited for each other"
    drop_database(server, name)


@pytest.fixture(scope="module")
def two_shops(
    postgres_server: str, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwoShops]:
    """Two shops on one PostgreSQL database, in one of which stories can be stopped."""
    folder = tmp_path_factory.mktemp("shops")
    with _two_shops_on(postgres_server, database_template, folder) as shops:
        yield shops


@pytest.fixture(scope="module")
def two_patient_shops(
    postgres_server: str, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwoShops]:
    """The same, but money is only set aside until staff take it."""
    folder = tmp_path_factory.mktemp("shops")
    with _two_shops_on(postgres_server, database_template, folder, capture="manual") as shops:
        yield shops


@pytest.fixture
def crossing(two_shops: TwoShops, subtests: pytest.Subtests) -> Crossing:
    """Where stories meet in those."""
    return Crossing(two_shops, subtests)


@pytest.fixture
def patient_crossing(two_patient_shops: TwoShops, subtests: pytest.Subtests) -> Crossing:
    """Where stories meet in those that wait for staff to take the money."""
    return Crossing(two_patient_shops, subtests)
