"""An order is a snapshot whose status alone changes, along a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from quickshop.domain.errors import InvalidValueError, OrderStateError
from quickshop.domain.orders import (
    LatePaymentCaptured,
    Order,
    OrderCanceled,
    OrderLine,
    OrderLineId,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentRetried,
    OrderPlaced,
    OrderStatus,
)
from tests.builders import LATER, NOW, a_cart_with, a_rich_product, an_order, eur, new_id

ALLOWED = {
    ("pending", "paid"),
    ("pending", "payment_failed"),
    ("pending", "canceled"),
    ("payment_failed", "pending"),
    ("payment_failed", "canceled"),
    ("paid", "canceled"),
    ("pending", "expired"),
    ("payment_failed", "expired"),
    ("paid", "partially_fulfilled"),
    ("paid", "fulfilled"),
    ("partially_fulfilled", "partially_fulfilled"),
    ("partially_fulfilled", "fulfilled"),
    ("fulfilled", "completed"),
}
MOVES: dict[str, Callable[[Order], None]] = {
    "pending": lambda order: order.retry_payment(2, now=NOW, expires_at=LATER),
    "paid": lambda order: order.mark_paid(now=NOW),
    "payment_failed": lambda order: order.mark_payment_failed(
        "declined", now=NOW, expires_at=LATER
    ),
    "canceled": lambda order: order.cancel("", now=NOW),
    "expired": lambda order: order.expire(now=NOW),
    "partially_fulfilled": lambda order: shipped(order, whole=False),
    "fulfilled": lambda order: shipped(order, whole=True),
    "completed": lambda order: order.complete(now=NOW),
}
REFUNDABLE = {"paid", "partially_fulfilled", "fulfilled", "completed"}


def shipped(order: Order, *, whole: bool) -> None:
    order.ship(new_id(), whole=whole, carrier="DHL", tracking_number="00340", now=NOW)


def order_that_is(status: str = "pending") -> Order:
    """As it comes back from where it was stored."""
    order = an_order(a_cart_with(a_rich_product(), quantity=2))
    order.collect_events()
    return replace(order, status=OrderStatus(status))


def test_an_order_is_what_was_in_the_cart() -> None:
    cart = a_cart_with(a_rich_product(), quantity=2)
    order = an_order(cart)
    assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [
        (line.offer.sku, line.quantity, line.offer.unit_price) for line in cart.lines
    ]
    assert order.total == order.subtotal == cart.subtotal
    assert (order.discount, order.shipping, order.tax) == (eur(0), eur(0), eur(0))
    assert order.status is OrderStatus.PENDING
    assert order.collect_events() == [OrderPlaced(order_id=order.id, occurred_at=NOW)]


def test_every_status_is_in_the_table() -> None:
    assert {*MOVES, "refunded"} == set(OrderStatus)


@pytest.mark.parametrize("status", [*MOVES, "refunded"])
def test_an_order_whose_money_all_went_back_is_refunded_unless_it_was_called_off(
    status: str,
) -> None:
    order = order_that_is(status)
    order.note_refund(eur(1), "broken", now=NOW, whole=True)
    assert order.status == ("refunded" if status in REFUNDABLE else status)


@pytest.mark.parametrize("status", [*MOVES, "refunded"])
def test_an_order_whose_money_went_back_in_part_stays_what_it_is(status: str) -> None:
    order = order_that_is(status)
    order.note_refund(eur(1), "broken", now=NOW, whole=False)
    assert order.status == status


@pytest.mark.parametrize(("before", "after"), list(product([*MOVES, "refunded"], MOVES)))
def test_an_order_moves_along_the_table_and_no_other_way(before: str, after: str) -> None:
    order = order_that_is(before)
    if (before, after) in ALLOWED:
        MOVES[after](order)
        assert order.status == after
        assert len(order.collect_events()) == 1
    else:
        with pytest.raises(OrderStateError, match=order.number):
            MOVES[after](order)
        assert order.status == before
        assert not order.has_unsaved_events


def test_an_order_tells_what_happened_to_it() -> None:
    order = order_that_is()
    order.mark_payment_failed("declined", now=NOW, expires_at=LATER)
    order.retry_payment(2, now=NOW, expires_at=LATER)
    order.mark_paid(now=NOW)
    order.cancel("too late", now=NOW)
    order.note_late_payment(now=NOW)
    of = {"order_id": order.id, "occurred_at": NOW}
    assert order.collect_events() == [
        OrderPaymentFailed(reason="declined", **of),
        OrderPaymentRetried(attempt=2, **of),
        OrderPaid(**of),
        OrderCanceled(reason="too late", **of),
        LatePaymentCaptured(**of),
    ]


def test_a_reason_has_at_most_500_characters() -> None:
    order = order_that_is()
    with pytest.raises(InvalidValueError):
        order.cancel("x" * 501, now=NOW)
    order.cancel("x" * 500, now=NOW)
    assert order.status is OrderStatus.CANCELED


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": ()},
        {"subtotal": eur(1)},
        {"total": eur(1)},
        {"discount": eur(1)},
        {"shipping": eur(1)},
        {"tax": eur(1)},
    ],
)
def test_a_stored_order_that_does_not_add_up_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError):
        replace(order_that_is(), **changes)


def test_a_line_of_nothing_is_refused() -> None:
    line = order_that_is().lines[0]
    assert line.subtotal == line.unit_price * 2
    with pytest.raises(InvalidValueError):
        replace(line, quantity=0)


def test_a_line_is_a_snapshot_of_the_offer() -> None:
    cart_line = a_cart_with(a_rich_product()).lines[0]
    line = OrderLine.of(cart_line, id=OrderLineId(new_id()))
    assert (line.title, line.variant_title) == (
        cart_line.offer.title,
        "Größe 54 / Schwarz / 🚲",
    )
