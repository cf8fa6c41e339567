"""Whatever comes between two statements about an order, stock and money end up where they belong.

Each test runs a story and its rival on real PostgreSQL, once for every point at which the rival
can come in.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from quickshop import Shop
from tests.integration.crossing import (
    Crossing,
    Scene,
    guest_cancels,
    pays_again,
    staff_cancels,
    sweeps,
    works,
)
from tests.integration.stepping import Story, TwoShops

pytestmark = pytest.mark.sampled


def test_an_order_is_canceled_by_its_guest_or_by_staff(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order(made.sells(5), 2)
        return guest_cancels(placed), staff_cancels(placed)

    crossing.both_ways(scene, {("canceled", "order_state"), ("order_state", "canceled")})


def test_a_paid_order_is_canceled_and_refunded_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return guest_cancels(placed), staff_cancels(placed)

    crossing.both_ways(scene, {("canceled", "order_state"), ("order_state", "canceled")})


@pytest.mark.parametrize("token", ["tok_ok", "tok_declined", "tok_silent", "tok_lost"])
def test_an_order_canceled_while_it_is_paid_keeps_neither_money_nor_stock(
    crossing: Crossing, token: str
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        return works, staff_cancels(made.order(made.sells(5), 2, token))

    crossing.both_ways(scene, {("worked", "canceled")})


def test_an_order_canceled_while_it_is_paid_again_keeps_neither_money_nor_stock(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_declined")
        return pays_again(placed), guest_cancels(placed)

    crossing.both_ways(scene, {("pending", "canceled"), ("order_state", "canceled")})


def test_an_order_is_paid_again_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_declined")
        return pays_again(placed), pays_again(placed)

    crossing.one_way(scene, {("pending", "order_state"), ("order_state", "pending")})


def test_two_workers_take_the_money_once_and_mail_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.order(made.sells(5), 2)
        return works, works

    crossing.one_way(scene, {("worked", "worked")})


@pytest.mark.parametrize("token", ["tok_ok", "tok_declined", "tok_silent", "tok_lost"])
def test_a_worker_that_outlives_its_lease_takes_the_money_once(
    crossing: Crossing, token: str
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.order(made.sells(5), 2, token)
        return works, made.later(works, seconds=61)

    crossing.one_way(scene, {("worked", "worked")}, mailing_twice=True)


def test_a_job_that_the_broker_delivers_twice_is_done_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.order(made.sells(5), 2)
        queue, now = crossing.shops.free.jobs.run_due.queue, crossing.shops.clock.now()
        (job_id,) = queue.claim(now, limit=1, lease=timedelta(seconds=60))

        def runs(shop: Shop) -> str:
            return shop.jobs.run(job_id).value

        return runs, runs

    crossing.one_way(scene, {("done", "skipped"), ("skipped", "done")})


def test_a_worker_that_outlives_its_lease_refunds_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        made.shops.stepped.orders.cancel(placed.order.id)
        return works, made.later(works, seconds=61)

    crossing.one_way(scene, {("worked", "worked")}, mailing_twice=True)


@pytest.mark.parametrize("token", ["tok_silent", "tok_lost"])
def test_the_sweeper_asks_about_a_payment_that_is_just_being_made(
    crossing: Crossing, token: str
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.order(made.sells(5), 2, token)
        return works, made.later(sweeps, seconds=61)

    crossing.one_way(scene, {("worked", "swept")})


def test_the_sweeper_undoes_nothing_that_a_worker_has_just_found_out(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.order_settled(made.sells(5), 2, "tok_silent")
        made.later(sweeps, seconds=61)(made.shops.stepped)
        return works, made.later(sweeps, seconds=200)

    crossing.both_ways(scene, {("worked", "swept")})


def test_a_silent_payment_asked_about_while_it_is_canceled_is_settled(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_silent")
        made.later(sweeps, seconds=61)(made.shops.stepped)
        return works, staff_cancels(placed)

    crossing.both_ways(scene, {("worked", "canceled")})


def test_a_worker_passes_over_a_job_that_another_is_just_taking(two_shops: TwoShops) -> None:
    made = Scene(two_shops)
    for _ in range(2):
        made.order(made.sells(5))
    now, lease = two_shops.clock.now(), timedelta(seconds=60)
    with two_shops.watch.transaction():
        two_shops.watch.execute("SELECT id FROM jobs WHERE status = 'waiting' LIMIT 1 FOR UPDATE")
        assert len(two_shops.free.jobs.run_due.queue.claim(now, limit=2, lease=lease)) == 1
    assert len(two_shops.stepped.jobs.run_due.queue.claim(now, limit=2, lease=lease)) == 1
    two_shops.settle()
    made.check()
