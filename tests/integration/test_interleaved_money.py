"""Whatever comes between two statements about money, none is taken, kept or sent back twice.

Each test runs a story and its rival on real PostgreSQL, once for every point at which the rival
can come in.
"""

from __future__ import annotations

import pytest

from quickshop import Money, Shop
from quickshop.application.checkout import PlacedOrder
from tests.integration.crossing import (
    PRICE,
    Crossing,
    Scene,
    checks_out,
    guest_cancels,
    pays_again,
    staff_cancels,
    works,
)
from tests.integration.stepping import Story

pytestmark = pytest.mark.sampled


def takes_money(placed: PlacedOrder) -> Story:
    return lambda shop: shop.orders.capture(placed.order.id).value.status.value


def lets_go(placed: PlacedOrder) -> Story:
    return lambda shop: shop.orders.void(placed.order.id).value.status.value


def refunds(placed: PlacedOrder, minor: int | None = None, key: str | None = None) -> Story:
    amount = None if minor is None else Money(minor, "USD")

    def story(shop: Shop) -> str:
        shop.orders.refund(placed.order.id, amount=amount, idempotency_key=key)
        return "refunded"

    return story


def expires(shop: Shop) -> str:
    """Give up what nobody paid in time."""
    shop.jobs.expire_orders()
    return "swept"


# -- Money that is set aside


def test_money_set_aside_is_taken_or_let_go(patient_crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return takes_money(placed), lets_go(placed)

    patient_crossing.both_ways(
        scene, {("capturing", "payment_state"), ("payment_state", "voiding")}
    )


def test_money_set_aside_is_taken_once(patient_crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return takes_money(placed), takes_money(placed)

    patient_crossing.one_way(
        scene, {("capturing", "payment_state"), ("payment_state", "capturing")}
    )


def test_a_canceled_order_keeps_no_money_that_staff_were_about_to_take(
    patient_crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return takes_money(placed), guest_cancels(placed)

    patient_crossing.both_ways(scene, {("capturing", "canceled"), ("payment_state", "canceled")})


def test_a_canceled_order_keeps_no_money_that_is_just_being_taken(
    patient_crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        takes_money(placed)(made.shops.stepped)
        return works, guest_cancels(placed)

    patient_crossing.both_ways(scene, {("worked", "canceled")})


def test_a_canceled_order_lets_go_of_money_that_is_just_being_set_aside(
    patient_crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        return works, staff_cancels(made.order(made.sells(5), 2))

    patient_crossing.both_ways(scene, {("worked", "canceled")})


def test_a_shopper_who_proves_themselves_while_canceling_gets_the_money_back(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_3ds")
        made.shops.gateway.prove(f"{placed.order.id}:1")
        made.shops.clock.advance(seconds=61)
        made.shops.stepped.jobs.ask_again_about_payments()
        return works, guest_cancels(placed)

    crossing.both_ways(scene, {("worked", "canceled")})


# -- Refunds


def test_two_refunds_of_60_do_not_both_come_out_of_100(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        part = PRICE * 2 * 6 // 10
        return refunds(placed, part), refunds(placed, part)

    crossing.one_way(scene, {("refunded", "refund_too_large"), ("refund_too_large", "refunded")})


def test_all_of_the_money_goes_back_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return refunds(placed), refunds(placed)

    crossing.one_way(scene, {("refunded", "payment_state"), ("payment_state", "refunded")})


def test_one_key_used_twice_refunds_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return refunds(placed, 100, key=placed.token), refunds(placed, 100, key=placed.token)

    crossing.one_way(
        scene, {("refunded", "refunded")}, also={("refunded", "idempotency_in_progress")}
    )


def test_an_order_canceled_while_a_part_is_refunded_gets_all_back_and_no_more(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return refunds(placed, 100), guest_cancels(placed)

    crossing.both_ways(scene, {("refunded", "canceled"), ("payment_state", "canceled")})


def test_a_worker_that_outlives_its_lease_sends_a_part_back_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        refunds(made.order_settled(made.sells(5), 2), 100)(made.shops.stepped)
        return works, made.later(works, seconds=61)

    crossing.one_way(scene, {("worked", "worked")}, mailing_twice=True)


# -- Orders that nobody pays in time


def test_an_order_does_not_expire_under_a_worker_that_is_paying_it(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.order(made.sells(5), 2)
        made.shops.clock.advance(minutes=61)
        return works, expires

    crossing.both_ways(scene, {("worked", "swept")})


def test_a_shopper_who_proves_themselves_while_the_order_expires_pays_it_or_gets_the_money_back(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_3ds")
        made.shops.clock.advance(minutes=61)
        made.shops.gateway.prove(f"{placed.order.id}:1")
        made.shops.stepped.jobs.ask_again_about_payments()
        return works, expires

    crossing.both_ways(scene, {("worked", "swept")})


def test_an_order_that_expires_while_it_is_paid_again_is_paid_or_expired(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_declined")
        made.shops.clock.advance(minutes=61)
        return pays_again(placed), expires

    crossing.both_ways(scene, {("pending", "swept"), ("order_state", "swept")})


def test_an_order_is_canceled_or_expires(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2, "tok_declined")
        made.shops.clock.advance(minutes=61)
        return guest_cancels(placed), expires

    crossing.both_ways(scene, {("canceled", "swept"), ("order_state", "swept")})


def test_the_unit_of_an_expired_order_is_sold_once_more(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        made.order_settled(sku, pay_with="tok_3ds")
        made.shops.clock.advance(minutes=61)
        return expires, checks_out(made.cart(sku))

    crossing.both_ways(scene, {("swept", "placed"), ("swept", "out_of_stock")})
