"""The worker's own promises: it starts when it can, stops when told, and trips over nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import make_url

from quickshop.adapters.celery.jobs import QUEUE, RUN_JOB, make_celery
from quickshop.domain.orders import OrderId
from quickshop.entrypoints.worker.app import build_worker_app
from quickshop.entrypoints.worker.run import run_relay
from quickshop.settings import SettingsError
from tests import processes
from tests.fault_proxy import FaultProxy
from tests.integration.buyers import Buyers, open_buyers, settings_for, stock, until
from tests.integration.shop_processes import running, variables
from tests.servers import run_valkey

PATIENT = {"poll_seconds": 60, "job_lease_seconds": 3}
"""Between two looks at the queue a test would time out: who is quicker was woken."""


@pytest.fixture
def broker() -> Iterator[str]:
    """A Valkey of one's own."""
    with run_valkey() as server:
        yield server.url


def environment(url: str, folder: Path, **more: object) -> dict[str, str]:
    return variables(
        database_url=url, mail_dir=folder / "mail", sandbox_book=folder / "sandbox.db", **more
    )


def order(buyers: Buyers) -> OrderId:
    return buyers.check_out(buyers.fill("MUG")).order.id


def until_paid(buyers: Buyers, order_id: OrderId) -> None:
    until(lambda: buyers.shop.orders.get(order_id).status == "paid", what="the payment")


def test_a_worker_that_sleeps_stops_at_once_when_told_to(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 5)
        paid = order(buyers)
        env = environment(any_database_url, tmp_path, **PATIENT)
        with running(tmp_path, env, "worker", "--concurrency", "3") as worker:
            until_paid(buyers, paid)

            assert worker.stop() == 0


def test_a_worker_is_woken_by_the_database(database_url: str, tmp_path: Path) -> None:
    with open_buyers(database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 5)
        env = environment(database_url, tmp_path, **PATIENT)
        with running(tmp_path, env, "worker", "--concurrency", "1"):
            until_paid(buyers, order(buyers))
            until_paid(buyers, order(buyers))


@pytest.mark.parametrize("with_broker", [True, False])
def test_a_worker_started_before_its_database_waits_for_it(
    database_url: str, broker: str, tmp_path: Path, *, with_broker: bool
) -> None:
    more = {"broker_url": broker} if with_broker else {}
    with (
        FaultProxy(make_url(database_url).port or 5432) as proxy,
        open_buyers(database_url, tmp_path, **more) as buyers,
    ):
        stock(buyers.shop, "MUG", 5)
        placed = order(buyers)
        proxy.refuse()
        env = environment(proxy.through(database_url), tmp_path, poll_seconds=0.1, **more)
        with running(tmp_path, env, "worker", "--concurrency", "1") as worker:
            until(lambda: "cannot be opened yet" in worker.output, what="the worker to try")
            proxy.forward()
            if with_broker:
                buyers.shop.jobs.relay()
            until_paid(buyers, placed)


def test_celerys_own_command_starts_a_worker_too(
    sqlite_url: str, broker: str, tmp_path: Path
) -> None:
    env = environment(sqlite_url, tmp_path, broker_url=broker)
    words = ("-A", "quickshop.entrypoints.worker.app", "worker", "--pool", "threads")
    with (
        open_buyers(sqlite_url, tmp_path, broker_url=broker) as buyers,
        processes.running(
            *("-m", "celery", *words, "--concurrency", "1"),
            log=tmp_path / "celery.log",
            environment=env,
        ) as worker,
    ):
        stock(buyers.shop, "MUG", 5)
        placed = order(buyers)
        buyers.shop.jobs.relay()
        until_paid(buyers, placed)
        worker.terminate()

        assert worker.wait(processes.PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_messages_that_name_no_job_are_dropped(
    sqlite_url: str, broker: str, tmp_path: Path, pool: str
) -> None:
    with make_celery(broker) as app:
        rubbish = ["", "'; DROP TABLE jobs", 7, None, ["x"], "0" * 32]
        for arguments in (*([thing] for thing in rubbish), [], ["too", "many"]):
            app.send_task(RUN_JOB, args=arguments)
    env = environment(sqlite_url, tmp_path, broker_url=broker)
    with (
        open_buyers(sqlite_url, tmp_path, broker_url=broker) as buyers,
        running(tmp_path, env, "worker", "--pool", pool, "--concurrency", "1"),
        Redis.from_url(broker) as redis,
    ):
        stock(buyers.shop, "MUG", 5)
        placed = order(buyers)
        buyers.shop.jobs.relay()
        until_paid(buyers, placed)
        until(
            lambda: not redis.llen(QUEUE) and not redis.hlen(f"{QUEUE}.unacked"),
            what="the broker to be empty",
        )


def test_a_relay_without_a_broker_says_which_setting_is_missing(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = settings_for(sqlite_url, tmp_path)

    with pytest.raises(SettingsError, match="QUICKSHOP_BROKER_URL"):
        run_relay(settings)
    with pytest.raises(SettingsError, match="QUICKSHOP_BROKER_URL"):
        build_worker_app(settings)
