"""Transactions that get in each other's way: none waits for ever, none is repeated for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from quickshop.domain.errors import ContentionError, TransientError
from quickshop.entrypoints.http.app import create_app
from tests.http_client import order_form
from tests.integration.buyers import open_buyers, problems, stock, until

DEADLOCK, SERIALIZATION, LOCK_TIMEOUT = "40P01", "40001", "55P03"
RACES = [DEADLOCK, SERIALIZATION, LOCK_TIMEOUT]
FOR_EVER = 1_000_000
TRIES = 3


@contextmanager
def losing_races(url: str, sqlstate: str, times: int) -> Iterator[psycopg.Connection]:
    """A database where the first so many orders fail with this error as they are written.

    Counted by a sequence, which no rollback takes back.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE tries")
        connection.execute(f"""
            CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('tries') <= {times} THEN
                    RAISE EXCEPTION 'another was faster' USING ERRCODE = '{sqlstate}';
                END IF;
                RETURN NEW;
            END $$""")
        connection.execute(
            "CREATE TRIGGER lose BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION lose()"
        )
        yield connection


def tries(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT last_value FROM tries").fetchone()
    assert found is not None
    return int(found[0])


def test_every_transaction_has_lock_statement_and_idle_timeouts(
    database_url: str, tmp_path: Path
) -> None:
    limits = {"database_timeout_seconds": 7, "lock_timeout_seconds": 3}
    with open_buyers(database_url, tmp_path, **limits) as buyers:
        with buyers.shop.orders.place.unit_of_work() as tx:
            rows = tx._connection.execute(  # type: ignore[attr-defined]  # noqa: SLF001
                text("SELECT name, setting FROM pg_settings WHERE name LIKE '%timeout'")
            )
            found = {row.name: row.setting for row in rows}
    assert found["lock_timeout"] == "3000"
    assert found["statement_timeout"] == "7000"
    assert found["idle_in_transaction_session_timeout"] == "7000"


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(600)", "LOCK TABLE orders"])
def test_a_transaction_that_waits_too_long_is_ended_by_the_database(
    database_url: str, tmp_path: Path, statement: str
) -> None:
    limits = {"database_timeout_seconds": 0.5, "lock_timeout_seconds": 0.2}
    with psycopg.connect(database_url) as rival:
        rival.execute("LOCK TABLE orders")
        with open_buyers(database_url, tmp_path, **limits) as buyers:
            work = buyers.shop.orders.place.unit_of_work
            with pytest.raises(Exception, match=r"is not available|was faster"), work() as tx:
                tx._connection.execute(text(statement))  # type: ignore[attr-defined]  # noqa: SLF001


def test_a_transaction_whose_process_fell_asleep_is_ended_by_the_database(
    database_url: str, tmp_path: Path
) -> None:
    with (
        psycopg.connect(database_url, autocommit=True) as observer,
        open_buyers(database_url, tmp_path, database_timeout_seconds=0.5) as buyers,
    ):
        work = buyers.shop.orders.place.unit_of_work

        with pytest.raises(TransientError), work() as tx:
            statement = text("SELECT pg_backend_pid()")
            pid = tx._connection.execute(statement).scalar_one()  # type: ignore[attr-defined]  # noqa: SLF001

            def is_ended() -> bool:
                sessions = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
                return observer.execute(sessions, [pid]).fetchone() is None

            until(is_ended, what="the end of the session")


def test_an_order_gives_up_on_a_level_that_somebody_keeps_locked(
    database_url: str, tmp_path: Path
) -> None:
    with open_buyers(database_url, tmp_path, lock_timeout_seconds=0.1) as buyers:
        stock(buyers.shop, "MUG", 5)
        cart = buyers.fill("MUG")
        with psycopg.connect(database_url) as rival:
            rival.execute("SELECT * FROM stock_levels FOR UPDATE")
            with pytest.raises(ContentionError):
                buyers.check_out(cart, key="one")
        assert not buyers.check_out(cart, key="one").replayed
        assert problems(buyers.shop) == []


@pytest.mark.parametrize("sqlstate", RACES)
def test_a_lost_race_is_run_again_whole(database_url: str, tmp_path: Path, sqlstate: str) -> None:
    with (
        losing_races(database_url, sqlstate, TRIES - 1) as connection,
        open_buyers(database_url, tmp_path) as buyers,
    ):
        stock(buyers.shop, "MUG", 5)
        assert buyers.check_out(buyers.fill("MUG"), key="one").order.status == "pending"
        assert tries(connection) == TRIES
        assert buyers.shop.inventory.list(sku="MUG").items[0].allocated == 1
        assert problems(buyers.shop) == []


@pytest.mark.parametrize("sqlstate", RACES)
def test_after_three_lost_races_a_client_is_told_when_to_come_back(
    database_url: str, tmp_path: Path, sqlstate: str
) -> None:
    with (
        losing_races(database_url, sqlstate, FOR_EVER) as connection,
        open_buyers(database_url, tmp_path) as buyers,
        TestClient(create_app(buyers.shop)) as client,
    ):
        stock(buyers.shop, "MUG", 5)
        new = buyers.fill("MUG")
        headers = {"X-Cart-Token": new.token, "Idempotency-Key": "one"}
        path = f"/v1/carts/{new.cart.id}/checkout"
        answer = client.post(path, json=order_form(), headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert tries(connection) == TRIES
        connection.execute("DROP TRIGGER lose ON orders")
        again = client.post(path, json=order_form(), headers=headers)
        assert (again.status_code, again.headers.get("idempotent-replayed")) == (201, None)
