"""However refunds are asked for, arrive or fail: no more goes back than was captured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.errors import PaymentStateError, RefundTooLargeError
from quickshop.domain.payments import Payment, PaymentStatus, RefundId
from tests.builders import NOW, a_cart_with, a_payment, a_product, a_variant, an_order, eur, new_id

CAPTURED = st.integers(1, 200)
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "arrive", "fail"]), st.integers(1, 120)), max_size=20
)
"""What happens, and the amount asked for or which of the waiting refunds it happens to."""


def a_captured_payment(minor: int) -> Payment:
    order = an_order(a_cart_with(a_product(a_variant(price=eur(200)))))
    return replace(
        a_payment(order), status=PaymentStatus.CAPTURED, captured_minor=minor, reference="ref"
    )


def ask(payment: Payment, minor: int) -> str:
    try:
        payment.request_refund(
            RefundId(new_id()), eur(minor), reason="", now=NOW, patience=timedelta(seconds=60)
        )
    except (RefundTooLargeError, PaymentStateError) as error:
        return error.code
    return "asked"


@given(CAPTURED, STEPS)
def test_refunds_that_wait_or_arrived_are_never_more_than_was_captured(
    captured: int, steps: Sequence[tuple[str, int]]
) -> None:
    payment, waiting, back = a_captured_payment(captured), list[int](), 0
    for step, number in steps:
        if step == "ask":
            expected = "asked" if number <= captured - back - sum(waiting) else "refund_too_large"
            expected = "payment_state" if back == captured else expected
            assert ask(payment, number) == expected
            waiting += [number] if expected == "asked" else []
        elif waiting:
            refund = payment.pending_refunds[number % len(waiting)]
            assert refund.amount.minor == waiting.pop(number % len(waiting))
            if step == "arrive":
                payment.finish_refund(refund.id, now=NOW)
                back += refund.amount.minor
            else:
                payment.fail_refund(refund.id, "disputed", now=NOW)
        assert payment.refunded_minor == back + sum(waiting) <= captured
        assert payment.refundable.minor == captured - back - sum(waiting)
        assert (payment.status == "refunded") is (back == captured)
        assert (payment.check_at is not None) is bool(waiting)


@given(CAPTURED, STEPS)
def test_each_refund_has_a_gateway_key_of_its_own(
    captured: int, steps: Sequence[tuple[str, int]]
) -> None:
    payment = a_captured_payment(captured)
    for step, number in steps:
        if step == "ask":
            ask(payment, number)
        elif waiting := payment.pending_refunds:
            payment.fail_refund(waiting[number % len(waiting)].id, "disputed", now=NOW)
    keys = [payment.refund_key(refund) for refund in payment.refunds]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith(f"{payment.gateway_key}:refund:") for key in keys)
