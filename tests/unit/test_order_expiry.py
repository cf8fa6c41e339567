"""Orders that nobody pays are given up, with their stock; those whose money may come are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quickshop.domain.errors import OrderStateError
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import PaymentSource, PaymentStatus
from tests.scripted import WorkerDied, World


@pytest.fixture
def world() -> World:
    return World()


def test_an_order_that_was_declined_expires(world: World) -> None:
    placed = world.order(token="tok_declined")
    world.run()
    world.run(minutes=59)
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    world.run(minutes=2)
    assert world.status(placed.order.id) is OrderStatus.EXPIRED
    with pytest.raises(OrderStateError):
        world.shop.orders.pay_again(placed.order.id, placed.token, payment=PaymentSource("tok_ok"))


def test_an_order_whose_shopper_never_proved_themselves_expires_and_gives_its_stock_back(
    world: World,
) -> None:
    product = world.sell(units=5)
    placed = world.order(product, quantity=2, token="tok_3ds")
    world.run()
    view = world.shop.orders.open(placed.order.id, placed.token)
    assert view.payment_action == f"https://bank.example/{placed.order.id}:1"
    world.run(minutes=61)
    assert world.status(placed.order.id) is OrderStatus.EXPIRED
    assert world.available(product) == 5
    assert world.gateway.voided == {f"{placed.order.id}:1"}
    assert world.payments(placed.order.id)[0].status is PaymentStatus.CANCELED
    assert not world.problems()


def test_an_order_whose_shopper_proved_themselves_is_paid(world: World) -> None:
    placed = world.order(token="tok_3ds")
    world.run()
    world.gateway.prove(f"{placed.order.id}:1")
    world.run(minutes=6)
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.shop.orders.get(placed.order.id).payment_action is None


def test_a_proof_that_comes_after_the_expiry_sends_the_money_back_once(world: World) -> None:
    placed = world.order(token="tok_3ds")
    world.run()
    world.clock.advance(minutes=61)
    world.shop.jobs.expire_orders()
    world.gateway.prove(f"{placed.order.id}:1")
    for _ in range(3):
        world.run(hours=1)
    assert world.status(placed.order.id) is OrderStatus.EXPIRED
    assert list(world.gateway.refunded.values()) == [placed.order.total]


def test_an_order_whose_outcome_nobody_knows_is_waited_for(world: World) -> None:
    placed = world.order()
    world.gateway.is_down = True
    for _ in range(30):
        world.run(minutes=30)
    assert world.status(placed.order.id) is OrderStatus.PENDING
    world.gateway.is_down = False
    world.run(days=1)
    assert world.status(placed.order.id) is OrderStatus.PAID


def test_an_order_that_the_shop_never_got_to_does_not_expire(world: World) -> None:
    placed = world.order()
    world.clock.advance(days=2)
    world.shop.jobs.periodic()
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAID


def test_an_order_whose_first_payment_came_too_late_expires_like_any_other(world: World) -> None:
    placed = world.order(token="tok_declined")
    world.run()
    with world.unit_of_work() as tx:
        order = tx.orders.get(placed.order.id)
        [payment] = tx.payments.of_order(order.id)
        world.gateway.captured[payment.gateway_key] = payment.amount
        outcomes = world.shop.jobs.expire_orders.outcomes
        outcomes.on_captured(tx, order, payment, f"ref:{payment.gateway_key}", payment.amount)
    world.run()
    assert world.payments(placed.order.id)[0].status is PaymentStatus.REFUNDED
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    world.run(minutes=61)
    assert world.status(placed.order.id) is OrderStatus.EXPIRED
    assert list(world.gateway.refunded.values()) == [placed.order.total]


def test_an_order_that_cannot_expire_does_not_keep_others_from_it(world: World) -> None:
    product = world.sell(units=5)
    spoiled = world.order(product, quantity=2, token="tok_3ds")
    sound = world.order(world.sell(), token="tok_3ds")
    world.run()
    shelves = world.unit_of_work.store.state.levels
    shelves[product.variants[0].id] = {
        place: replace(shelf, level=replace(shelf.level, allocated=0))
        for place, shelf in shelves[product.variants[0].id].items()
    }
    world.run(minutes=61)
    assert world.status(spoiled.order.id) is OrderStatus.PENDING
    assert world.status(sound.order.id) is OrderStatus.EXPIRED


def test_a_shopper_asked_for_a_proof_after_the_cancellation_cannot_pay_any_more(
    world: World,
) -> None:
    placed = world.order(token="tok_3ds")
    key = f"{placed.order.id}:1"

    def canceled_and_the_worker_dies() -> None:
        world.gateway.action_required.pop(key)
        world.shop.orders.cancel(placed.order.id)
        raise WorkerDied

    world.gateway.meanwhile = canceled_and_the_worker_dies
    with pytest.raises(WorkerDied):
        world.run()
    world.run(minutes=2)
    assert world.payments(placed.order.id)[0].status is PaymentStatus.CANCELED
    world.gateway.action_required[key] = placed.order.total  # The request arrives only now.
    world.run(minutes=10)
    assert world.gateway.voided == {key}
