"""Whatever dies, no order is lost and no card is charged twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from quickshop.adapters.celery.jobs import QUEUE
from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.domain.orders import OrderId
from tests.fault_proxy import FaultProxy
from tests.integration.buyers import Buyers, open_buyers, problems, stock, until
from tests.integration.shop_processes import ShopProcess, running, variables
from tests.landing import share
from tests.servers import Server, run_valkey

SOON = {"job_lease_seconds": 3, "poll_seconds": 0.2, "sweep_seconds": 0.5}
SLOW = {"sandbox_slow_seconds": 60}
FAST = {"sandbox_slow_seconds": 0}


@pytest.fixture
def valkey() -> Iterator[Server]:
    """A Valkey of one's own, to be flushed and killed."""
    with run_valkey() as server:
        yield server


@pytest.fixture
def broker(valkey: Server) -> str:
    """Its address."""
    return valkey.url


def environment(url: str, folder: Path, **more: object) -> dict[str, str]:
    """The settings that every process of one shop shares."""
    return variables(
        database_url=url,
        mail_dir=folder / "mail",
        sandbox_book=folder / "sandbox.db",
        **SOON,
        **more,
    )


def charges(folder: Path) -> int:
    """How often money moved, in the gateway's own book."""
    book = SandboxGateway(str(folder / "sandbox.db"), slow_seconds=0).book()
    return sum(1 for charge in book.charges if charge.captured.minor)


def until_paid(buyers: Buyers, order_id: OrderId, *processes: ShopProcess) -> None:
    """Wait for an order to be paid; on failure tell what the processes said."""
    try:
        until(lambda: buyers.shop.orders.get(order_id).status == "paid", what="the payment")
    except AssertionError as error:
        raise AssertionError("\n".join(p.output[-3000:] for p in processes)) from error


def test_a_worker_killed_while_it_pays_is_followed_by_one_that_charges_once(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 5)
        placed = buyers.check_out(buyers.fill("MUG"), pay_with="tok_slow")
        slow = environment(any_database_url, tmp_path, **SLOW)
        with running(tmp_path, slow, "worker", "--concurrency", "1") as worker:
            until(lambda: _is_being_paid(buyers, placed.order.id), what="the gateway to be called")
            worker.kill()
        fast = environment(any_database_url, tmp_path, **FAST)
        with running(tmp_path, fast, "worker", "--concurrency", "2") as successor:
            until_paid(buyers, placed.order.id, successor)
            assert successor.stop() == 0
        assert charges(tmp_path) == 1
        assert problems(buyers.shop) == []


def _is_being_paid(buyers: Buyers, order_id: OrderId) -> bool:
    with buyers.shop.orders.place.unit_of_work() as tx:
        return tx.payments.of_order(order_id)[0].status == "processing"


@pytest.mark.sampled
@pytest.mark.parametrize("pool", share(["prefork", "threads"], 2))
def test_celery_pays_what_the_relay_hands_over(
    database_url: str, broker: str, tmp_path: Path, pool: str
) -> None:
    env = environment(database_url, tmp_path, broker_url=broker)
    with (
        open_buyers(database_url, tmp_path) as buyers,
        running(tmp_path, env, "relay") as relay,
        running(tmp_path, env, "worker", "--pool", pool, "--concurrency", "2") as worker,
    ):
        stock(buyers.shop, "MUG", 50)
        orders = [buyers.check_out(buyers.fill("MUG")).order.id for _ in range(20)]
        for order_id in orders:
            until_paid(buyers, order_id, relay, worker)
        until(
            lambda: len(list((tmp_path / "mail").glob("*.eml"))) == len(orders),
            what="a mail for each order",
        )
        assert relay.stop() == 0
        assert charges(tmp_path) == len(orders)
        assert problems(buyers.shop) == []


def test_a_celery_worker_killed_with_its_pool_in_mid_task_loses_nothing(
    database_url: str, broker: str, tmp_path: Path
) -> None:
    env = environment(database_url, tmp_path, broker_url=broker)
    with (
        open_buyers(database_url, tmp_path) as buyers,
        running(tmp_path, env, "relay") as relay,
    ):
        stock(buyers.shop, "MUG", 5)
        with running(
            tmp_path, env | variables(**SLOW), "worker", "--pool", "prefork", "--concurrency", "1"
        ) as worker:
            slow = buyers.check_out(buyers.fill("MUG"), pay_with="tok_slow").order.id
            until(lambda: _is_being_paid(buyers, slow), what="the gateway to be called")
            for child in worker.children:
                os.kill(child, signal.SIGKILL)
            worker.kill()
        with running(
            tmp_path, env | variables(**FAST), "worker", "--concurrency", "2"
        ) as successor:
            until_paid(buyers, slow, relay, successor)
        assert charges(tmp_path) == 1
        assert problems(buyers.shop) == []


def test_a_broker_that_forgets_everything_is_sent_it_again(
    database_url: str, broker: str, tmp_path: Path
) -> None:
    env = environment(database_url, tmp_path, broker_url=broker)
    with (
        open_buyers(database_url, tmp_path) as buyers,
        running(tmp_path, env, "relay") as relay,
    ):
        stock(buyers.shop, "MUG", 50)
        orders = [buyers.check_out(buyers.fill("MUG")).order.id for _ in range(5)]
        with redis.Redis.from_url(broker) as connection:
            until(lambda: bool(connection.llen(QUEUE)), what="messages to arrive")
            connection.flushall()
        with running(tmp_path, env, "worker", "--concurrency", "2") as worker:
            for order_id in orders:
                until_paid(buyers, order_id, relay, worker)
        assert charges(tmp_path) == len(orders)
        assert problems(buyers.shop) == []


def test_a_relay_that_is_killed_is_followed_by_another(
    database_url: str, broker: str, tmp_path: Path
) -> None:
    env = environment(database_url, tmp_path, broker_url=broker)
    with open_buyers(database_url, tmp_path) as buyers, redis.Redis.from_url(broker) as queue:
        stock(buyers.shop, "MUG", 50)
        with running(tmp_path, env, "relay") as relay:
            orders = [buyers.check_out(buyers.fill("MUG")).order.id for _ in range(5)]
            until(lambda: bool(queue.llen(QUEUE)), what="messages to arrive")
            relay.kill()
        orders += [buyers.check_out(buyers.fill("MUG")).order.id for _ in range(5)]
        with (
            running(tmp_path, env, "relay") as successor,
            running(tmp_path, env, "worker", "--concurrency", "2") as worker,
        ):
            for order_id in orders:
                until_paid(buyers, order_id, successor, worker)
        assert charges(tmp_path) == len(orders)
        assert problems(buyers.shop) == []


TROUBLES: dict[str, Callable[[FaultProxy, Server], object]] = {
    "black-holed": lambda proxy, _: (proxy.black_hole(), proxy.cut()),
    "refused": lambda proxy, _: proxy.refuse(),
    "killed": lambda _, valkey: valkey.kill(),
    "flushed": lambda _, valkey: redis.Redis.from_url(valkey.url).flushall(),
}


@pytest.mark.sampled
@pytest.mark.parametrize("trouble", share([*TROUBLES], 2))
def test_orders_are_placed_while_redis_is_away(
    database_url: str, valkey: Server, tmp_path: Path, trouble: str
) -> None:
    with FaultProxy(valkey.port) as proxy:
        url = proxy.through(valkey.url)
        with open_buyers(database_url, tmp_path, redis_url=url, broker_url=url) as buyers:
            stock(buyers.shop, "MUG", 50)
            before, during = ([buyers.fill("MUG") for _ in range(20)] for _ in range(2))
            assert buyers.all_at_once(before, clients=4) == {"placed": 20}
            buyers.shop.jobs.relay()
            TROUBLES[trouble](proxy, valkey)
            assert buyers.all_at_once(during, clients=4) == {"placed": 20}
            page = buyers.shop.products.page("product-mug", lambda view: view.title.encode())
            assert page.body == b"Product MUG"
            assert buyers.shop.jobs.run_due() > 0
            assert problems(buyers.shop) == []
