"""What becomes of an order: paid, declined, left without an answer, canceled, refunded."""

from __future__ import annotations

from uuid import uuid4

import pytest

from quickshop.domain.errors import (
    IdempotencyMismatchError,
    InvalidValueError,
    NotFoundError,
    OrderStateError,
)
from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.payments import PaymentStatus
from tests.scripted import WorkerDied, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_declined_payment_gives_the_stock_back_and_tells_why(world: World) -> None:
    product = world.sell()
    placed = world.order(product, quantity=4, token="tok_declined")
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    assert world.available(product) == 10
    (mail,) = world.notifier.sent
    assert (mail.kind, mail.note) == ("payment_failed", "card_declined")
    (payment,) = world.payments(placed.order.id)
    assert (payment.status, payment.failure) == (PaymentStatus.DECLINED, "card_declined")
    assert world.problems() == []


@pytest.mark.parametrize("token", ["tok_silent", "tok_lost"])
def test_a_payment_without_an_answer_is_asked_about_with_the_same_key(
    world: World, token: str
) -> None:
    product = world.sell()
    placed = world.order(product, quantity=4, token=token)
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PENDING
    assert world.payments(placed.order.id)[0].status is PaymentStatus.UNKNOWN
    assert world.available(product) == 6
    assert world.mails() == []

    world.run(seconds=59)
    assert len(world.gateway.asked) == 1
    world.run(seconds=15)
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.gateway.asked == [f"{placed.order.id}:1"] * 2
    assert list(world.gateway.captured.values()) == [placed.order.total]
    assert world.mails() == ["order_confirmation"]
    assert world.problems() == []


def test_a_gateway_that_is_down_is_asked_until_it_answers(world: World) -> None:
    placed = world.order()
    world.gateway.is_down = True
    for _ in range(5):
        world.run(minutes=10)
    assert world.status(placed.order.id) is OrderStatus.PENDING
    assert world.gateway.captured == {}
    world.gateway.is_down = False
    world.run(hours=2)
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert len(world.gateway.captured) == 1


def test_a_worker_that_dies_while_paying_only_delays_the_order(world: World) -> None:
    placed = world.order()

    def die() -> None:
        raise WorkerDied

    world.gateway.meanwhile = die
    with pytest.raises(WorkerDied):
        world.run()
    assert world.status(placed.order.id) is OrderStatus.PENDING
    assert world.run() == 0
    world.run(seconds=61)
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert list(world.gateway.captured.values()) == [placed.order.total]
    assert world.problems() == []


def test_paying_twice_takes_the_money_once(world: World) -> None:
    placed = world.order()
    jobs = world.unit_of_work.store.state.jobs
    (job_id,) = jobs
    world.shop.jobs.run(job_id)
    world.shop.jobs.ask_again_about_payments()
    world.run(minutes=5)
    assert len(world.gateway.asked) == 1
    assert list(world.gateway.captured.values()) == [placed.order.total]


def test_two_workers_with_one_order_take_the_money_once(world: World) -> None:
    placed = world.order()

    def other_worker() -> None:
        assert world.run(seconds=61)

    world.gateway.meanwhile = other_worker
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.gateway.asked == [f"{placed.order.id}:1"] * 2
    assert len(world.gateway.captured) == 1
    assert world.mails() == ["order_confirmation"]
    assert world.timeline(placed.order.id) == ["OrderPlaced", "OrderPaid"]


def test_an_order_canceled_before_it_was_paid_is_never_charged(world: World) -> None:
    product = world.sell()
    placed = world.order(product, quantity=4)
    world.shop.orders.cancel(placed.order.id, reason="changed her mind")
    assert world.available(product) == 10
    world.run()
    assert world.status(placed.order.id) is OrderStatus.CANCELED
    assert world.gateway.asked == []
    assert world.payments(placed.order.id)[0].status is PaymentStatus.CANCELED
    (mail,) = world.notifier.sent
    assert (mail.kind, mail.note) == ("order_canceled", "changed her mind")
    assert world.problems() == []


def test_the_money_of_a_canceled_order_goes_back_once(world: World) -> None:
    product = world.sell()
    placed = world.order(product, quantity=4)
    world.run()
    world.shop.orders.cancel(placed.order.id)
    for _ in range(3):
        world.run(hours=1)
    assert world.gateway.refunded == {f"{placed.order.id}:1:refund:1": placed.order.total}
    (payment,) = world.payments(placed.order.id)
    assert payment.status is PaymentStatus.REFUNDED
    assert payment.refunded_minor == placed.order.total.minor
    assert world.available(product) == 10
    assert world.mails() == ["order_confirmation", "order_canceled", "order_refunded"]
    assert world.problems() == []


def test_an_order_canceled_after_a_decline_gives_nothing_back_twice(world: World) -> None:
    product = world.sell()
    placed = world.order(product, quantity=4, token="tok_declined")
    world.run()
    world.shop.orders.cancel(placed.order.id)
    world.run()
    assert world.available(product) == 10
    assert world.gateway.refunded == {}
    assert world.problems() == []


def test_an_order_is_canceled_once(world: World) -> None:
    placed = world.order()
    world.shop.orders.cancel(placed.order.id)
    with pytest.raises(OrderStateError):
        world.shop.orders.cancel(placed.order.id)
    with pytest.raises(OrderStateError):
        world.shop.orders.cancel_own(placed.order.id, placed.token)


def test_a_guest_cancels_with_the_token_and_with_no_other(world: World) -> None:
    placed = world.order()
    with pytest.raises(NotFoundError):
        world.shop.orders.cancel_own(placed.order.id, "another")
    canceled = world.shop.orders.cancel_own(placed.order.id, placed.token, reason="🚲 broke")
    assert canceled.value.status is OrderStatus.CANCELED
    with pytest.raises(OrderStateError):
        world.shop.orders.cancel_own(placed.order.id, placed.token, reason="🚲 broke")


def test_canceling_with_a_key_can_be_repeated(world: World) -> None:
    placed = world.order()
    for replayed in (False, True):
        canceled = world.shop.orders.cancel_own(
            placed.order.id, placed.token, reason="too late", idempotency_key="one"
        )
        assert (canceled.value.status, canceled.replayed) == (OrderStatus.CANCELED, replayed)
    with pytest.raises(IdempotencyMismatchError):
        world.shop.orders.cancel_own(placed.order.id, placed.token, idempotency_key="one")


def test_a_reason_is_not_a_novel(world: World) -> None:
    placed = world.order()
    with pytest.raises(InvalidValueError):
        world.shop.orders.cancel(placed.order.id, reason="x" * 501)


def test_an_unknown_order_is_not_found(world: World) -> None:
    unknown = OrderId(uuid4())
    with pytest.raises(NotFoundError):
        world.shop.orders.get(unknown)
    with pytest.raises(NotFoundError):
        world.shop.orders.cancel(unknown)
    assert world.shop.orders.find("0") is None


@pytest.mark.parametrize("token", ["tok_ok", "tok_silent"])
def test_money_that_comes_after_the_cancellation_goes_back_exactly_once(
    world: World, token: str
) -> None:
    product = world.sell()
    placed = world.order(product, quantity=2, token=token)

    def cancel() -> None:
        world.shop.orders.cancel(placed.order.id)

    world.gateway.meanwhile = cancel
    for _ in range(4):
        world.run(minutes=2)
    assert world.status(placed.order.id) is OrderStatus.CANCELED
    assert list(world.gateway.captured.values()) == [placed.order.total]
    assert list(world.gateway.refunded.values()) == [placed.order.total]
    (payment,) = world.payments(placed.order.id)
    assert payment.status is PaymentStatus.REFUNDED
    assert world.timeline(placed.order.id).count("LatePaymentCaptured") == 1
    assert world.available(product) == 10
    assert world.mails() == ["order_canceled", "order_refunded"]
    assert world.problems() == []


@pytest.mark.parametrize(
    ("token", "status", "refunds"),
    [("tok_silent", PaymentStatus.REFUNDED, 1), ("tok_lost", PaymentStatus.CANCELED, 0)],
)
def test_an_order_canceled_without_an_answer_is_settled_by_asking(
    world: World, token: str, status: PaymentStatus, refunds: int
) -> None:
    placed = world.order(token=token)
    world.run()
    world.shop.orders.cancel(placed.order.id)
    for _ in range(4):
        world.run(minutes=2)
    assert world.payments(placed.order.id)[0].status is status
    assert len(world.gateway.refunded) == refunds
    assert len(world.gateway.asked) == 1
    assert world.problems() == []


def test_money_is_found_though_the_worker_died_and_the_order_was_canceled(world: World) -> None:
    placed = world.order()

    def cancel_and_die() -> None:
        world.shop.orders.cancel(placed.order.id)
        raise WorkerDied

    world.gateway.meanwhile = cancel_and_die
    with pytest.raises(WorkerDied):
        world.run()
    for _ in range(4):
        world.run(minutes=2)
    assert list(world.gateway.captured.values()) == [placed.order.total]
    assert list(world.gateway.refunded.values()) == [placed.order.total]
    assert world.problems() == []


def test_a_refund_waits_for_a_gateway_that_is_down(world: World) -> None:
    placed = world.order()
    world.run()
    world.shop.orders.cancel(placed.order.id)
    world.gateway.is_down = True
    world.run(seconds=1)
    assert world.payments(placed.order.id)[0].status is PaymentStatus.CAPTURED
    world.gateway.is_down = False
    world.run(minutes=5)
    assert world.payments(placed.order.id)[0].status is PaymentStatus.REFUNDED
    assert len(world.gateway.refunded) == 1


def test_money_that_arrives_after_everyone_gave_up_on_it_goes_back_once(world: World) -> None:
    placed = world.order(token="tok_lost")
    world.run()
    world.shop.orders.cancel(placed.order.id)
    world.run(minutes=2)
    assert [payment.status for payment in world.payments(placed.order.id)] == ["canceled"]
    (key,) = set(world.gateway.asked)
    world.gateway.captured[key] = placed.order.total
    for _ in range(4):
        world.run(hours=1)
    assert list(world.gateway.refunded.values()) == [placed.order.total]
    assert [payment.status for payment in world.payments(placed.order.id)] == ["refunded"]
    assert world.problems() == []
