"""The fault proxy itself: a test that relies on it must not pass because it did nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.fault_proxy import FaultProxy
from tests.integration.databases import create_database, drop_database


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    name = f"fault_proxy_{uuid4().hex}"
    create_database(postgres_server, name)
    url = urlsplit(postgres_server)._replace(path=f"/{name}").geturl()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (number int PRIMARY KEY)")
    yield url
    drop_database(postgres_server, name)


@pytest.fixture
def proxy(database: str) -> Iterator[FaultProxy]:
    with FaultProxy(urlsplit(database).port or 5432) as proxy:
        yield proxy


def orders(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM orders").fetchone()
    assert row is not None
    return int(row[0])


def place(connection: psycopg.Connection[tuple[object, ...]], number: int) -> None:
    connection.execute("INSERT INTO orders VALUES (%s)", [number])


def test_a_commit_that_never_arrives_did_not_happen(proxy: FaultProxy, database: str) -> None:
    proxy.cut_before_commit()
    with (
        pytest.raises(psycopg.OperationalError),
        psycopg.connect(proxy.through(database)) as connection,
    ):
        place(connection, 1)

    assert orders(database) == 0
    assert proxy.commits_cut == 1


def test_a_commit_whose_answer_got_lost_did_happen(proxy: FaultProxy, database: str) -> None:
    proxy.cut_after_commit()
    with (
        pytest.raises(psycopg.OperationalError),
        psycopg.connect(proxy.through(database)) as connection,
    ):
        place(connection, 1)

    assert orders(database) == 1
    assert proxy.commits_cut == 1


def test_only_the_next_commit_meets_the_fault(proxy: FaultProxy, database: str) -> None:
    with psycopg.connect(proxy.through(database)) as connection:
        for number in range(20):
            place(connection, number)
            connection.commit()
        proxy.cut_before_commit()
        place(connection, 20)
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    with psycopg.connect(proxy.through(database)) as connection:
        place(connection, 20)

    assert orders(database) == 21


@pytest.mark.parametrize("lost", [True, False])
def test_a_commit_in_a_pipeline_is_seen_too(
    proxy: FaultProxy, database: str, *, lost: bool
) -> None:
    with psycopg.connect(proxy.through(database)) as connection:
        if lost:
            proxy.cut_before_commit()
        else:
            proxy.cut_after_commit()
        with pytest.raises(psycopg.OperationalError), connection.pipeline():
            place(connection, 1)
            connection.commit()

    assert orders(database) == (0 if lost else 1)


def test_a_cut_ends_connections_and_new_ones_work(proxy: FaultProxy, database: str) -> None:
    connection = psycopg.connect(proxy.through(database))
    proxy.cut()

    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    assert orders(proxy.through(database)) == 0
    connection.close()


def test_nobody_connects_while_it_refuses(proxy: FaultProxy, database: str) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), 5)

    proxy.forward()
    assert orders(proxy.through(database)) == 0


def test_nothing_comes_out_of_a_black_hole(proxy: FaultProxy, database: str) -> None:
    proxy.black_hole()
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as connection:
        connection.sendall(b"anyone there?")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)

    proxy.forward()
    assert orders(proxy.through(database)) == 0
