"""An attempt to pay takes the money once, and knows what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.errors import (
    InvalidValueError,
    NotFoundError,
    PaymentStateError,
    RefundTooLargeError,
)
from quickshop.domain.money import Money
from quickshop.domain.payments import (
    Payment,
    PaymentAttempted,
    PaymentCheckDue,
    PaymentSource,
    PaymentStatus,
    Refund,
    RefundId,
)
from tests.builders import NOW, a_cart_with, a_payment, a_rich_product, an_order, new_id

PATIENCE = timedelta(seconds=60)
OUTCOMES = "unknown requires_action authorized captured declined voiding canceled".split()
ALLOWED = {
    ("pending", "processing"),
    ("pending", "canceled"),
    *(("processing", after) for after in ["processing", *OUTCOMES]),
    *(("unknown", after) for after in ["processing", *OUTCOMES]),
    *(("requires_action", after) for after in OUTCOMES),
    ("authorized", "capturing"),
    ("authorized", "captured"),
    ("authorized", "voiding"),
    ("authorized", "canceled"),
    ("capturing", "captured"),
    ("capturing", "declined"),
    ("voiding", "captured"),
    ("voiding", "canceled"),
    ("captured", "refunded"),
    # What everyone had given up on.
    ("declined", "authorized"),
    ("declined", "captured"),
    ("canceled", "authorized"),
    ("canceled", "captured"),
}
MOVES: dict[str, Callable[[Payment], None]] = {
    "processing": lambda payment: payment.begin(now=NOW, patience=PATIENCE),
    "requires_action": lambda payment: payment.mark_action_required(
        "ref", "https://bank.example", now=NOW, patience=PATIENCE
    ),
    "authorized": lambda payment: payment.mark_authorized("ref", now=NOW),
    "capturing": lambda payment: payment.request_capture(
        payment.amount, now=NOW, patience=PATIENCE
    ),
    "voiding": lambda payment: payment.request_void(now=NOW, patience=PATIENCE),
    "captured": lambda payment: payment.mark_captured("ref", now=NOW),
    "declined": lambda payment: payment.mark_declined("no", now=NOW),
    "unknown": lambda payment: payment.mark_unknown(now=NOW, patience=PATIENCE),
    "canceled": lambda payment: payment.cancel(now=NOW),
}


def refunding(payment: Payment, minor: int) -> Refund:
    amount = Money(minor, payment.amount.currency)
    return payment.request_refund(
        RefundId(new_id()), amount, reason="broken", now=NOW, patience=PATIENCE
    )


def payment_that_is(status: str = "pending") -> Payment:
    """As it comes back from where it was stored."""
    payment = a_payment(an_order(a_cart_with(a_rich_product())))
    payment.collect_events()
    has_moved = status in {"captured", "refunded"}
    captured = payment.amount.minor if has_moved else 0
    return replace(payment, status=PaymentStatus(status), captured_minor=captured)


def test_every_status_is_in_the_table() -> None:
    assert {*MOVES, "pending", "refunded"} == set(PaymentStatus)


@pytest.mark.parametrize(
    ("before", "after"), list(product(["pending", *MOVES, "refunded"], MOVES))
)
def test_a_payment_moves_along_the_table_and_no_other_way(before: str, after: str) -> None:
    payment = payment_that_is(before)
    if (before, after) in ALLOWED:
        MOVES[after](payment)
        assert payment.status == after
        assert payment.has_unsaved_events is (before != after or before != "requires_action")
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
    open_ones = {"pending", "processing", "requires_action", "unknown"}
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


def test_however_often_it_was_asked_about_before_it_is_asked_about_a_few_times_more() -> None:
    payment = payment_that_is()
    payment.begin(now=NOW, patience=PATIENCE)
    for _ in range(30):
        payment.ask_again(now=NOW, patience=PATIENCE)
    payment.cancel(now=NOW)
    for _ in range(5):
        payment.ask_again(now=NOW, patience=PATIENCE)
        assert payment.check_at is not None


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
    refund = refunding(payment, payment.captured_minor)
    assert (payment.refunded_minor, payment.status) == (payment.captured_minor, "captured")
    assert payment.check_at == NOW + PATIENCE
    payment.finish_refund(refund.id, now=NOW)
    assert (payment.status, payment.check_at) == ("refunded", None)


def test_a_part_of_what_was_set_aside_is_taken() -> None:
    payment = payment_that_is("authorized")
    payment.request_capture(Money(60, payment.amount.currency), now=NOW, patience=PATIENCE)
    assert payment.check_at == NOW + PATIENCE
    payment.mark_captured("ref", captured_minor=60, now=NOW)
    assert (payment.captured_minor, payment.refundable.minor) == (60, 60)


@pytest.mark.parametrize("minor", [0, -1, 10**9])
def test_nothing_and_too_much_cannot_be_captured(minor: int) -> None:
    payment = payment_that_is("authorized")
    with pytest.raises(InvalidValueError):
        payment.request_capture(Money(minor, payment.amount.currency), now=NOW, patience=PATIENCE)
    with pytest.raises(InvalidValueError):
        payment.request_capture(Money(1, "JPY"), now=NOW, patience=PATIENCE)


def test_refunds_on_their_way_count_as_gone() -> None:
    payment = payment_that_is("captured")
    first = refunding(payment, payment.captured_minor - 10)
    with pytest.raises(RefundTooLargeError) as refusal:
        refunding(payment, 11)
    assert refusal.value.refundable_minor == 10
    second = refunding(payment, 10)
    assert [payment.refund_key(r) for r in (first, second)] == [
        f"{payment.gateway_key}:refund:1",
        f"{payment.gateway_key}:refund:2",
    ]
    payment.finish_refund(second.id, now=NOW)
    assert payment.status == "captured"
    payment.finish_refund(first.id, now=NOW)
    assert payment.status == "refunded"


def test_a_refund_that_failed_may_be_asked_for_anew() -> None:
    payment = payment_that_is("captured")
    refund = refunding(payment, payment.captured_minor)
    payment.fail_refund(refund.id, "charge_disputed", now=NOW)
    assert (payment.refundable.minor, payment.check_at) == (payment.captured_minor, None)
    with pytest.raises(NotFoundError):
        payment.finish_refund(refund.id, now=NOW)
    assert refunding(payment, payment.captured_minor).number == 2


@given(st.lists(st.integers(1, 400), max_size=12), st.lists(st.booleans(), max_size=12))
def test_no_sequence_of_refunds_gives_back_more_than_came(
    amounts: list[int], fates: list[bool]
) -> None:
    payment = replace(payment_that_is("captured"), captured_minor=1000)
    for minor, succeeds in zip_longest(amounts, fates[: len(amounts)]):
        before = payment.refundable.minor
        if minor > before or payment.status == "refunded":
            with pytest.raises((RefundTooLargeError, PaymentStateError)):
                refunding(payment, minor)
            continue
        refund = refunding(payment, minor)
        assert payment.refundable.minor == before - minor
        if succeeds is not None:
            finish = payment.finish_refund if succeeds else refused(payment)
            finish(refund.id, now=NOW)
    assert 0 <= payment.refunded_minor <= 1000


def refused(payment: Payment) -> Callable[..., None]:
    return partial(payment.fail_refund, failure="no")


def test_a_decline_says_why() -> None:
    payment = payment_that_is("processing")
    payment.mark_declined("insufficient_funds", now=NOW)
    assert (payment.failure, payment.captured_minor) == ("insufficient_funds", 0)


@pytest.mark.parametrize(("captured", "refunded"), [(-1, 0), (10**9, 0), (0, 1), (100, 101)])
def test_a_stored_payment_that_gave_more_than_it_got_is_refused(
    captured: int, refunded: int
) -> None:
    payment = payment_that_is("captured")
    if refunded:
        refunding(payment, refunded)
    with pytest.raises(InvalidValueError):
        replace(payment, captured_minor=captured)


@pytest.mark.parametrize(
    ("token", "method"), [("", "card"), ("tok", ""), ("x" * 256, "card"), ("tok\n", "card")]
)
def test_a_source_that_no_gateway_issued_is_refused(token: str, method: str) -> None:
    with pytest.raises(InvalidValueError):
        PaymentSource(token, method)


CARD_NUMBERS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242\u20134242\u20114242",
    "378282246310005",
    "6759649826438453",
    "4222222222222",
    "501800000009",
    "6304000000000000000",
    "\uff14\uff12" * 8,
]


@pytest.mark.parametrize("number", CARD_NUMBERS)
def test_a_card_number_is_never_taken_for_a_token_nor_repeated(number: str) -> None:
    for name, source in {
        "token": lambda: PaymentSource(number),
        "method": lambda: PaymentSource("tok_ok", method=number),
    }.items():
        with pytest.raises(InvalidValueError) as refused:
            source()
        assert refused.value.field == f"payment.{name}"
        assert "never a card number" in refused.value.rule
        assert number not in str(refused.value)


@pytest.mark.parametrize(
    "token",
    [
        "tok_4242424242424242",
        "4242424242424241",  # another check digit
        "4242424242424242x",
        "42424242420",  # too short; its check digit is right
        "42424242424242424242",  # too long, as above
        "pm_card_visa",
        "-",
    ],
)
def test_what_is_no_card_number_may_be_a_token(token: str) -> None:
    assert PaymentSource(token).token == token
