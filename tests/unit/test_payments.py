"""An attempt to pay takes the money once, and knows what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from quickshop.domain.errors import InvalidValueError, PaymentStateError
from quickshop.domain.payments import (
    Payment,
    PaymentAttempted,
    PaymentCheckDue,
    PaymentMoved,
    PaymentSource,
    PaymentStatus,
)
from tests.builders import NOW, a_cart_with, a_payment, a_rich_product, an_order

PATIENCE = timedelta(seconds=60)
ALLOWED = {
    ("pending", "processing"),
    ("pending", "canceled"),
    ("processing", "processing"),
    ("processing", "captured"),
    ("processing", "declined"),
    ("processing", "unknown"),
    ("processing", "canceled"),
    ("unknown", "processing"),
    ("unknown", "captured"),
    ("unknown", "declined"),
    ("unknown", "unknown"),
    ("unknown", "canceled"),
    ("captured", "refunded"),
    ("canceled", "captured"),
}
MOVES: dict[str, Callable[[Payment], None]] = {
    "processing": lambda payment: payment.begin(now=NOW, patience=PATIENCE),
    "captured": lambda payment: payment.mark_captured("ref", now=NOW),
    "declined": lambda payment: payment.mark_declined("no", now=NOW),
    "unknown": lambda payment: payment.mark_unknown(now=NOW, patience=PATIENCE),
    "canceled": lambda payment: payment.cancel(now=NOW),
    "refunded": lambda payment: payment.mark_refunded(now=NOW),
}


def payment_that_is(status: str = "pending") -> Payment:
    """As it comes back from where it was stored."""
    payment = a_payment(an_order(a_cart_with(a_rich_product())))
    payment.collect_events()
    has_moved = status in {"captured", "refunded"}
    captured = payment.amount.minor if has_moved else 0
    return replace(payment, status=PaymentStatus(status), captured_minor=captured)


def test_nothing_leads_back_to_pending() -> None:
    assert set(MOVES) == set(PaymentStatus) - {PaymentStatus.PENDING}


@pytest.mark.parametrize(("before", "after"), list(product(["pending", *MOVES], MOVES)))
def test_a_payment_moves_along_the_table_and_no_other_way(before: str, after: str) -> None:
    payment = payment_that_is(before)
    if (before, after) in ALLOWED:
        MOVES[after](payment)
        assert payment.status == after
        assert payment.collect_events() == [
            PaymentMoved(
                order_id=payment.order_id,
                payment_id=payment.id,
                status=PaymentStatus(after),
                occurred_at=NOW,
            )
        ]
    else:
        with pytest.raises(PaymentStateError):
            MOVES[after](payment)
        assert payment.status == before
        assert not payment.has_unsaved_events


def test_an_attempt_is_written_down_before_anyone_is_called() -> None:
    order = an_order(a_cart_with(a_rich_product()))
    payment = a_payment(order, attempt=2)
    assert (payment.amount, payment.status, payment.checks) == (order.total, "pending", 0)
    assert payment.gateway_key == f"{order.id}:2"
    assert payment.collect_events() == [
        PaymentAttempted(order_id=order.id, payment_id=payment.id, occurred_at=NOW)
    ]


@pytest.mark.parametrize("status", ["pending", *MOVES])
def test_an_attempt_is_open_until_its_outcome_is_known(status: str) -> None:
    open_ones = {"pending", "processing", "unknown"}
    assert payment_that_is(status).is_open is (status in open_ones)


def test_a_silent_gateway_is_asked_again_after_the_patience_is_over() -> None:
    payment = payment_that_is()
    payment.begin(now=NOW, patience=PATIENCE)
    assert (payment.checks, payment.check_at) == (1, NOW + PATIENCE)
    later = NOW + timedelta(seconds=30)
    payment.mark_unknown(now=later, patience=PATIENCE)
    assert payment.check_at == later + PATIENCE
    payment.collect_events()
    payment.ask_again(now=later, patience=PATIENCE)
    assert payment.check_at == later + PATIENCE * 2
    assert payment.collect_events() == [
        PaymentCheckDue(order_id=payment.order_id, payment_id=payment.id, occurred_at=later)
    ]


def test_a_gateway_that_stays_silent_is_asked_less_and_less_often() -> None:
    payment = payment_that_is()
    waits = []
    for _ in range(9):
        payment.ask_again(now=NOW, patience=PATIENCE)
        payment.begin(now=NOW, patience=PATIENCE)
        payment.mark_unknown(now=NOW, patience=PATIENCE)
        assert payment.check_at is not None
        waits.append((payment.check_at - NOW) // PATIENCE)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64, 64]


def test_an_attempt_that_was_called_off_is_asked_about_a_few_times_more() -> None:
    payment = payment_that_is()
    payment.begin(now=NOW, patience=PATIENCE)
    payment.cancel(now=NOW)
    checks = 0
    while payment.check_at is not None:
        payment.ask_again(now=NOW, patience=PATIENCE)
        checks += 1
    assert 5 <= checks <= 20


@pytest.mark.parametrize("outcome", ["captured", "declined"])
def test_once_the_outcome_is_known_nobody_asks_again(outcome: str) -> None:
    payment = payment_that_is()
    payment.begin(now=NOW, patience=PATIENCE)
    MOVES[outcome](payment)
    assert payment.check_at is None


def test_the_whole_amount_is_captured_and_goes_back() -> None:
    payment = payment_that_is("processing")
    payment.mark_captured("ref-7", now=NOW)
    assert (payment.reference, payment.captured_minor) == ("ref-7", payment.amount.minor)
    payment.mark_refunded(now=NOW)
    assert payment.refunded_minor == payment.captured_minor


def test_a_decline_says_why() -> None:
    payment = payment_that_is("processing")
    payment.mark_declined("insufficient_funds", now=NOW)
    assert (payment.failure, payment.captured_minor) == ("insufficient_funds", 0)


@pytest.mark.parametrize(
    ("captured", "refunded"), [(-1, 0), (10**9, 0), (0, 1), (100, 101), (100, -1)]
)
def test_a_stored_payment_that_gave_more_than_it_got_is_refused(
    captured: int, refunded: int
) -> None:
    with pytest.raises(InvalidValueError):
        replace(payment_that_is(), captured_minor=captured, refunded_minor=refunded)


@pytest.mark.parametrize(
    ("token", "method"), [("", "card"), ("tok", ""), ("x" * 256, "card"), ("tok\n", "card")]
)
def test_a_source_that_no_gateway_issued_is_refused(token: str, method: str) -> None:
    with pytest.raises(InvalidValueError):
        PaymentSource(token, method)
