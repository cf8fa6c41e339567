"""What was captured goes back when staff or events say so: never twice, never more than came."""

from __future__ import annotations

import pytest

from quickshop.application.checkout import PlacedOrder
from quickshop.domain.errors import (
    IdempotencyMismatchError,
    NotFoundError,
    PaymentStateError,
    RefundTooLargeError,
)
from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.payments import PaymentStatus, RefundStatus
from tests.builders import eur, new_id
from tests.scripted import World


@pytest.fixture
def world() -> World:
    return World()


def a_paid_order(world: World) -> PlacedOrder:
    placed = world.order(quantity=2)
    world.run()
    return placed


def sent_back(world: World) -> int:
    return sum(amount.minor for amount in world.gateway.refunded.values())


def test_a_part_goes_back_and_the_order_stays_paid(world: World) -> None:
    placed = a_paid_order(world)
    asked = world.shop.orders.refund(placed.order.id, amount=eur(60), reason="scratched")
    assert [(r.amount, r.status, r.reason) for r in asked.value.refunds] == [
        (eur(60), RefundStatus.PENDING, "scratched")
    ]
    world.run()
    assert world.gateway.refunded == {f"{placed.order.id}:1:refund:1": eur(60)}
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.timeline(placed.order.id)[-1] == "OrderRefunded"


def test_when_all_went_back_the_order_is_refunded_and_its_stock_is_free(world: World) -> None:
    product = world.sell(units=5)
    placed = world.order(product, quantity=2)
    world.run()
    world.shop.orders.refund(placed.order.id, amount=eur(60))
    world.shop.orders.refund(placed.order.id)
    world.run()
    assert sent_back(world) == placed.order.total.minor
    assert world.status(placed.order.id) is OrderStatus.REFUNDED
    assert world.payments(placed.order.id)[0].status is PaymentStatus.REFUNDED
    assert world.available(product) == 5
    assert not world.problems()


def test_what_is_on_its_way_back_counts_as_gone(world: World) -> None:
    placed = a_paid_order(world)
    rest = placed.order.total - eur(60)
    world.gateway.is_down = True
    world.shop.orders.refund(placed.order.id, amount=eur(60))
    world.run()
    with pytest.raises(RefundTooLargeError) as refusal:
        world.shop.orders.refund(placed.order.id, amount=rest + eur(1))
    assert refusal.value.refundable_minor == rest.minor
    world.gateway.is_down = False
    world.run(minutes=5)
    assert sent_back(world) == 60


def test_a_silent_gateway_is_asked_again_until_the_money_is_back(world: World) -> None:
    placed = a_paid_order(world)
    world.gateway.is_down = True
    world.shop.orders.refund(placed.order.id)
    for _ in range(12):
        world.run(hours=1)
    assert not world.shop.jobs.dead().items
    world.gateway.is_down = False
    world.run(hours=3)
    assert sent_back(world) == placed.order.total.minor
    assert world.status(placed.order.id) is OrderStatus.REFUNDED


def test_a_refund_that_the_gateway_refuses_is_told_and_may_be_asked_for_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    placed = a_paid_order(world)
    world.gateway.refuses_refunds = True
    world.shop.orders.refund(placed.order.id)
    world.run()
    assert "OrderRefundFailed" in world.timeline(placed.order.id)
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [f"order {placed.order.number}: refund 1 was refused: charge_disputed"]
    assert world.status(placed.order.id) is OrderStatus.PAID
    world.gateway.refuses_refunds = False
    world.shop.orders.refund(placed.order.id)
    world.run()
    assert world.status(placed.order.id) is OrderStatus.REFUNDED
    assert sent_back(world) == placed.order.total.minor


def test_one_key_refunds_once(world: World) -> None:
    placed = a_paid_order(world)
    for _ in range(3):
        asked = world.shop.orders.refund(placed.order.id, amount=eur(60), idempotency_key="call-7")
        assert len(asked.value.refunds) == 1
        world.run()
    with pytest.raises(IdempotencyMismatchError):
        world.shop.orders.refund(placed.order.id, amount=eur(61), idempotency_key="call-7")
    assert sent_back(world) == 60


def test_what_never_came_cannot_go_back(world: World) -> None:
    declined = world.order(token="tok_declined")
    world.run()
    with pytest.raises(PaymentStateError):
        world.shop.orders.refund(declined.order.id)
    with pytest.raises(NotFoundError):
        world.shop.orders.refund(OrderId(new_id()))


def test_what_went_back_wholly_cannot_go_back_again(world: World) -> None:
    placed = a_paid_order(world)
    world.shop.orders.refund(placed.order.id)
    with pytest.raises(PaymentStateError):
        world.shop.orders.refund(placed.order.id)
    world.run()
    with pytest.raises(PaymentStateError):
        world.shop.orders.refund(placed.order.id)


def test_canceling_sends_back_what_a_refund_left(world: World) -> None:
    placed = a_paid_order(world)
    world.shop.orders.refund(placed.order.id, amount=eur(60))
    world.shop.orders.cancel(placed.order.id)
    world.run()
    assert sent_back(world) == placed.order.total.minor
    assert world.status(placed.order.id) is OrderStatus.CANCELED
    assert world.payments(placed.order.id)[0].status is PaymentStatus.REFUNDED
    assert not world.problems()
