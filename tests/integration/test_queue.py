"""Every job is done, once, whoever writes and whoever works at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

from quickshop import open_shop
from quickshop.adapters.sql.tables import jobs
from tests.integration.backends import open_engine
from tests.integration.buyers import open_buyers, problems, settings_for, stock, until


def test_no_job_is_missed_while_others_are_being_written(
    any_database_url: str, tmp_path: Path
) -> None:
    """Ids become visible out of order; a queue read by `id > last` would miss half of these."""
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 1_000)
        stop = Event()
        workers = [Thread(target=buyers.shop.work, args=(stop,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        try:
            with ThreadPoolExecutor(6) as pool:
                carts = list(pool.map(lambda _: buyers.fill("MUG"), range(60)))
                placed = list(pool.map(buyers.check_out, carts))
            until(
                lambda: all(buyers.shop.orders.get(p.order.id).status == "paid" for p in placed),
                what="every order to be paid",
            )
            until(
                lambda: len(list((tmp_path / "mail").glob("*.eml"))) >= len(placed),
                what="every mail to be sent",
            )
        finally:
            stop.set()
            for worker in workers:
                buyers.shop.wake()
                worker.join()
        assert len(list((tmp_path / "mail").glob("*.eml"))) == len(placed)
        assert buyers.shop.run_jobs() == 0
        assert problems(buyers.shop) == []


def test_a_shop_opened_with_a_worker_pays_its_orders_by_itself(
    any_database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(any_database_url, tmp_path)
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 10)
        with open_shop(settings=settings, worker=True):
            placed = buyers.check_out(buyers.fill("MUG"))
            until(
                lambda: buyers.shop.orders.get(placed.order.id).status == "paid",
                what="the order to be paid",
            )


def test_unanswered_payments_are_asked_about_again_by_the_sweeper(
    any_database_url: str, tmp_path: Path
) -> None:
    patience = {"payment_patience_seconds": 0.2, "sweep_seconds": 0.2, "poll_seconds": 0.1}
    settings = settings_for(any_database_url, tmp_path, **patience)
    with (
        open_buyers(any_database_url, tmp_path) as buyers,
        open_shop(settings=settings, worker=True),
    ):
        stock(buyers.shop, "MUG", 10)
        for token in ("tok_timeout_then_ok", "tok_timeout_lost"):
            placed = buyers.check_out(buyers.fill("MUG"), pay_with=token)
            until(
                lambda order_id=placed.order.id: buyers.shop.orders.get(order_id).status == "paid",
                what="the gateway to be asked again",
            )
        assert problems(buyers.shop) == []


def test_a_job_that_cannot_be_read_is_given_up_and_holds_up_no_other(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 10)
        strange, sound = (buyers.check_out(buyers.fill("MUG")).order for _ in range(2))
        with open_engine(any_database_url) as engine, engine.begin() as connection:
            this = jobs.c.subject == str(strange.id)
            connection.execute(jobs.update().where(this).values(event_kind="OfAnotherRelease"))
        buyers.shop.run_jobs()
        assert buyers.shop.orders.get(sound.id).status == "paid"
        (dead,) = buyers.shop.jobs.dead().items
        assert "OfAnotherRelease" in dead.error
