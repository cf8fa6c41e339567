"""What a client was told stays true; what it was not told it can ask again, whatever died."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import httpx2 as httpx
import psycopg
import pytest
from sqlalchemy import func, make_url, select

from quickshop.adapters.sql.tables import metadata
from quickshop.application.cart import NewCart
from quickshop.container import migrate_database
from quickshop.domain.errors import TransientError
from quickshop.settings import Settings
from tests.fault_proxy import FaultProxy
from tests.http_client import order_form
from tests.integration.backends import open_engine
from tests.integration.buyers import Buyers, open_buyers, problems, stock, until
from tests.integration.shop_processes import running, variables
from tests.servers import Server, free_port, run_postgres

CARTS = 40
CLIENTS = 4
KILLED_AFTER = 8
"""Answers that clients have by then."""


@dataclass(slots=True)
class Crowd:
    """Clients who each order one cart with one key, and write down what they are told."""

    told: dict[str, str] = field(default_factory=dict)
    """The order's id that a cart's client was answered with."""
    enough: Event = field(default_factory=Event)

    def hear(self, cart: NewCart, order_id: str) -> None:
        first = self.told.setdefault(str(cart.cart.id), order_id)
        assert first == order_id, "a client was told of two orders"
        if len(self.told) >= KILLED_AFTER:
            self.enough.set()


def assert_one_outcome_each(buyers: Buyers, carts: list[NewCart], crowd: Crowd) -> None:
    """Every cart became the one order that its client knows of."""
    assert set(crowd.told) == {str(new.cart.id) for new in carts}
    orders = [str(order.id) for order in buyers.shop.orders.list(limit=100).items]
    assert sorted(orders) == sorted(crowd.told.values())
    assert buyers.shop.inventory.list(sku="MUG").items[0].allocated == len(carts)
    assert problems(buyers.shop) == []


def test_an_api_process_killed_while_it_takes_orders_loses_none_and_doubles_none(
    database_url: str, tmp_path: Path
) -> None:
    env = variables(
        database_url=database_url,
        mail_dir=tmp_path / "mail",
        sandbox_book=tmp_path / "sandbox.db",
    )
    crowd, ports = Crowd(), (free_port(), free_port())

    def check_out(door: httpx.Client, new: NewCart) -> None:
        headers = {"X-Cart-Token": new.token, "Idempotency-Key": "one"}
        path = f"/v1/carts/{new.cart.id}/checkout"
        answer = door.post(path, json=order_form(), headers=headers)
        assert answer.status_code == 201, answer.text
        crowd.hear(new, answer.json()["id"])

    with open_buyers(database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 2 * CARTS)
        carts = [buyers.fill("MUG") for _ in range(CARTS)]
        with (
            running(tmp_path, env, "serve", "--port", str(ports[0])) as api,
            httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", timeout=30) as door,
            ThreadPoolExecutor(CLIENTS) as pool,
        ):
            until(lambda: is_open(door), what="the API")
            asked = [pool.submit(check_out, door, new) for new in carts]
            assert crowd.enough.wait(60)
            api.kill()
            assert any(failed(each) for each in asked), "it was killed too late"
        with (
            running(tmp_path, env, "serve", "--port", str(ports[1])),
            httpx.Client(base_url=f"http://127.0.0.1:{ports[1]}", timeout=30) as door,
        ):
            until(lambda: is_open(door), what="the API")
            for new in carts:
                check_out(door, new)
        buyers.shop.run_jobs()
        assert_one_outcome_each(buyers, carts, crowd)


def is_open(door: httpx.Client) -> bool:
    try:
        return door.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def failed(asked: Future[None]) -> bool:
    return isinstance(asked.exception(60), httpx.TransportError)


@pytest.fixture
def postgres() -> Iterator[Server]:
    """A PostgreSQL of one's own, to be killed."""
    with run_postgres(durable=True) as server:
        migrate_database(Settings.load(database_url=server.url))
        yield server


def test_a_database_killed_while_it_takes_orders_loses_none_and_needs_no_restart_of_the_shop(
    postgres: Server, tmp_path: Path
) -> None:
    crowd = Crowd()
    with open_buyers(postgres.url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 2 * CARTS)
        carts = [buyers.fill("MUG") for _ in range(CARTS)]

        def check_out(new: NewCart) -> bool:
            try:
                crowd.hear(new, str(buyers.check_out(new, key="one").order.id))
            except TransientError:
                return False
            return True

        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = [pool.submit(check_out, new) for new in carts]
            assert crowd.enough.wait(60)
            postgres.kill()
            assert not all(each.result(60) for each in asked), "it was killed too late"
        postgres.start()
        for new in carts:
            until(lambda new=new: check_out(new), what="an answer")  # type: ignore[misc]
        buyers.shop.run_jobs()
        assert_one_outcome_each(buyers, carts, crowd)


def test_an_order_is_one_transaction_which_leaves_all_or_nothing(
    database_url: str, tmp_path: Path
) -> None:
    with open_buyers(database_url, tmp_path) as direct:
        stock(direct.shop, "MUG", 10)
    with FaultProxy(make_url(database_url).port or 0) as proxy:
        with open_buyers(proxy.through(database_url), tmp_path) as buyers:
            cart = buyers.fill("MUG")
            before = rows(database_url)
            proxy.cut_before_commit()
            with pytest.raises(TransientError):
                buyers.check_out(cart, key="one")
            assert rows(database_url) == before
            proxy.cut_after_commit()
            with pytest.raises(TransientError):
                buyers.check_out(cart, key="one")
            assert proxy.commits_cut == 2
    after = rows(database_url)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == dict.fromkeys(
        (
            "allocations",
            "idempotency_keys",
            "jobs",
            "order_events",
            "order_lines",
            "orders",
            "payments",
            "stock_movements",
        ),
        1,
    )


def rows(url: str) -> dict[str, int]:
    """How many there are in every table."""
    with open_engine(url) as engine, engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def test_a_request_that_still_runs_is_not_run_again_by_its_key(
    database_url: str, tmp_path: Path
) -> None:
    with open_buyers(database_url, tmp_path) as buyers, ThreadPoolExecutor(1) as pool:
        stock(buyers.shop, "MUG", 10)
        cart = buyers.fill("MUG")
        with psycopg.connect(database_url) as rival:
            rival.execute("SELECT * FROM stock_levels FOR UPDATE")
            running_one = pool.submit(buyers.check_out, cart, key="one")
            until(lambda: somebody_waits(rival), what="the first request to wait for its stock")
            outcomes = buyers.all_at_once([cart] * 5, clients=5, key="one")
            assert outcomes == {"idempotency_in_progress": 5}
        placed = running_one.result(60)
        again = buyers.check_out(cart, key="one")
        assert (again.replayed, again.order) == (True, placed.order)


def somebody_waits(connection: psycopg.Connection) -> bool:
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    return connection.execute(waiting).fetchone() is not None
