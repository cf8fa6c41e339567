"""Money that was set aside is taken, wholly or in part, or let go, when staff say so."""

from __future__ import annotations

import pytest

from quickshop.application.checkout import PlacedOrder
from quickshop.domain.errors import InvalidValueError, PaymentStateError
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import CaptureMethod, PaymentSource, PaymentStatus
from tests.builders import eur
from tests.scripted import World


@pytest.fixture
def world() -> World:
    return World({"capture": CaptureMethod.MANUAL})


def an_authorized_order(world: World) -> PlacedOrder:
    placed = world.order(world.sell(units=5), quantity=2)
    world.run()
    assert world.payments(placed.order.id)[0].status is PaymentStatus.AUTHORIZED
    assert not world.gateway.captured
    return placed


def test_an_authorized_order_waits_for_staff_and_does_not_expire(world: World) -> None:
    placed = an_authorized_order(world)
    for _ in range(3):
        world.run(days=1)
    assert world.status(placed.order.id) is OrderStatus.PENDING
    assert world.timeline(placed.order.id) == ["OrderPlaced", "OrderAuthorized"]


def test_the_whole_is_taken(world: World) -> None:
    placed = an_authorized_order(world)
    world.shop.orders.capture(placed.order.id)
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert list(world.gateway.captured.values()) == [placed.order.total]
    assert world.mails() == ["order_confirmation"]


def test_a_part_is_taken_and_pays_the_order(world: World) -> None:
    placed = an_authorized_order(world)
    for _ in range(2):
        world.shop.orders.capture(placed.order.id, amount=eur(60), idempotency_key="k")
    world.run()
    assert list(world.gateway.captured.values()) == [eur(60)]
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.shop.orders.payments(placed.order.id)[0].captured == eur(60)
    with pytest.raises(PaymentStateError):
        world.shop.orders.capture(placed.order.id)


@pytest.mark.parametrize("amount", [eur(0), eur(10**9)])
def test_nothing_or_too_much_cannot_be_taken(world: World, amount: object) -> None:
    placed = an_authorized_order(world)
    with pytest.raises(InvalidValueError, match="amount"):
        world.shop.orders.capture(placed.order.id, amount=amount)  # type: ignore[arg-type]


def test_a_capture_without_an_answer_is_asked_for_again_and_happens_once(world: World) -> None:
    placed = an_authorized_order(world)
    world.gateway.is_down = True
    world.shop.orders.capture(placed.order.id)
    world.run()
    world.run(hours=1)
    world.gateway.is_down = False
    world.run(hours=1)
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert len(world.gateway.captured) == 1


def test_what_is_let_go_fails_the_payment_and_the_shopper_may_pay_again(world: World) -> None:
    placed = an_authorized_order(world)
    world.shop.orders.void(placed.order.id)
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    assert world.gateway.voided == {f"{placed.order.id}:1"}
    world.shop.orders.pay_again(placed.order.id, placed.token, payment=PaymentSource("tok_ok"))
    world.run()
    world.shop.orders.capture(placed.order.id)
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert list(world.gateway.captured) == [f"{placed.order.id}:2"]
    assert not world.problems()


def test_canceling_lets_go_of_what_was_set_aside(world: World) -> None:
    placed = an_authorized_order(world)
    world.shop.orders.cancel(placed.order.id)
    world.run()
    assert world.gateway.voided == {f"{placed.order.id}:1"}
    assert world.payments(placed.order.id)[0].status is PaymentStatus.CANCELED
    assert world.mails() == ["order_canceled"]
    assert not world.gateway.refunded


def test_a_capture_that_wins_over_a_cancellation_goes_back_once(world: World) -> None:
    placed = an_authorized_order(world)
    world.shop.orders.capture(placed.order.id)
    world.gateway.meanwhile = lambda: world.shop.orders.cancel(placed.order.id) and None
    world.run()
    world.run(hours=1)
    assert world.status(placed.order.id) is OrderStatus.CANCELED
    assert list(world.gateway.refunded.values()) == [placed.order.total]


def test_what_expired_at_the_gateway_cannot_be_taken(world: World) -> None:
    placed = an_authorized_order(world)
    world.gateway.voided.add(f"{placed.order.id}:1")
    world.shop.orders.capture(placed.order.id)
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    assert world.payments(placed.order.id)[0].failure == "authorization_expired"


def test_an_authorization_that_lapsed_is_noticed_within_a_day(world: World) -> None:
    placed = an_authorized_order(world)
    world.run(days=1)
    assert world.payments(placed.order.id)[0].status is PaymentStatus.AUTHORIZED
    world.gateway.voided.add(f"{placed.order.id}:1")
    world.run(days=1)
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    assert world.payments(placed.order.id)[0].check_at is None
    assert world.mails() == ["payment_failed"]
    assert not world.problems()


def test_what_staff_took_at_the_gateway_itself_pays_the_order(world: World) -> None:
    placed = an_authorized_order(world)
    key = f"{placed.order.id}:1"
    world.gateway.capture(f"ref:{key}", placed.order.total, key=f"{key}:capture")
    world.run(days=1)
    assert world.status(placed.order.id) is OrderStatus.PAID
