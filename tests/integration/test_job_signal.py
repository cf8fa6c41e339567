"""Hearing about jobs from PostgreSQL, also when it goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest

from quickshop.adapters.sql.listener import CHANNEL, PostgresJobSignal
from tests import servers
from tests.processes import eventually

LONG = 100.0
"""Longer than any of these tests may take: a wait that ends earlier was woken."""


@pytest.fixture
def signal(postgres_server: str) -> Iterator[PostgresJobSignal]:
    signal = PostgresJobSignal(postgres_server)
    yield signal
    signal.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def notify(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"NOTIFY {CHANNEL}")


def listeners(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quickshop-listener'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def hear_the_first_news(signal: PostgresJobSignal) -> None:
    """Wait until it listens, which counts as news."""
    signal.wait(LONG)


def test_a_job_written_elsewhere_ends_the_wait(
    signal: PostgresJobSignal, postgres_server: str, threads: ThreadPoolExecutor
) -> None:
    hear_the_first_news(signal)
    waiting = threads.submit(signal.wait, LONG)

    notify(postgres_server)

    waiting.result(LONG / 2)


def test_a_job_written_between_two_waits_is_not_missed(
    signal: PostgresJobSignal, postgres_server: str, threads: ThreadPoolExecutor
) -> None:
    threads.submit(hear_the_first_news, signal).result(LONG / 2)
    notify(postgres_server)

    threads.submit(signal.wait, LONG).result(LONG / 2)


def test_without_news_a_wait_ends_when_its_time_is_up(
    signal: PostgresJobSignal, threads: ThreadPoolExecutor
) -> None:
    hear_the_first_news(signal)

    threads.submit(signal.wait, 0.05).result(LONG / 2)


def test_every_waiting_thread_is_woken(
    signal: PostgresJobSignal, postgres_server: str, threads: ThreadPoolExecutor
) -> None:
    def wait_twice() -> None:
        hear_the_first_news(signal)
        signal.wait(LONG)

    waiting: list[Future[None]] = [threads.submit(wait_twice) for _ in range(4)]
    hear_the_first_news(signal)

    notify(postgres_server)

    for future in waiting:
        future.result(LONG / 2)


def test_a_process_can_wake_itself(signal: PostgresJobSignal, threads: ThreadPoolExecutor) -> None:
    hear_the_first_news(signal)
    waiting = threads.submit(signal.wait, LONG)

    signal.wake()

    waiting.result(LONG / 2)


def test_closing_ends_every_wait_and_the_connection(
    postgres_server: str, threads: ThreadPoolExecutor
) -> None:
    signal = PostgresJobSignal(postgres_server)
    hear_the_first_news(signal)
    waiting = threads.submit(signal.wait, LONG)

    signal.close()
    signal.close()

    waiting.result(LONG / 2)
    assert eventually(lambda: listeners(postgres_server) == 0)


def test_a_signal_that_nobody_waited_for_can_be_closed() -> None:
    PostgresJobSignal("host=127.0.0.1 port=1").close()


def test_a_database_that_is_not_there_makes_waits_last_and_nothing_else(
    threads: ThreadPoolExecutor,
) -> None:
    signal = PostgresJobSignal("host=127.0.0.1 port=1")
    try:
        signal.wait(0.05)
        signal.wake()
        threads.submit(signal.wait, LONG).result(LONG / 2)
    finally:
        signal.close()


def test_it_hears_again_after_the_database_was_killed_and_came_back(
    threads: ThreadPoolExecutor,
) -> None:
    with servers.run_postgres() as server:
        signal = PostgresJobSignal(server.url)
        try:
            threads.submit(hear_the_first_news, signal).result(LONG / 2)
            server.kill()
            signal.wait(0.05)
            server.start()

            # Jobs may have been written meanwhile.
            threads.submit(hear_the_first_news, signal).result(LONG / 2)
            notify(server.url)

            threads.submit(signal.wait, LONG).result(LONG / 2)
        finally:
            signal.close()
