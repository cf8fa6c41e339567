"""The contract of repositories of payment attempts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import Payment, PaymentId, PaymentStatus, Refund, RefundId
from tests.builders import AWKWARD, NOW, a_payment, facts, new_id, store_order, store_payment
from tests.contracts.backend import Backend

PATIENCE = timedelta(seconds=60)


def pending(_payment: Payment) -> None:
    """As it was written down."""


def processing(payment: Payment) -> None:
    payment.begin(now=NOW, patience=PATIENCE)


def unknown(payment: Payment) -> None:
    processing(payment)
    payment.mark_unknown(now=NOW, patience=PATIENCE)


def captured(payment: Payment) -> None:
    processing(payment)
    payment.mark_captured(f"ref {AWKWARD}", now=NOW)


def declined(payment: Payment) -> None:
    processing(payment)
    payment.mark_declined(AWKWARD, now=NOW)


def called_off(payment: Payment) -> None:
    payment.cancel(now=NOW)


def captured_too_late(payment: Payment) -> None:
    processing(payment)
    payment.cancel(now=NOW)
    payment.mark_captured("late", now=NOW)


def requires_action(payment: Payment) -> None:
    processing(payment)
    payment.mark_action_required(
        "ref", f"https://bank.example/{AWKWARD}", now=NOW, patience=PATIENCE
    )


def authorized(payment: Payment) -> None:
    processing(payment)
    payment.mark_authorized("ref", now=NOW)


def capturing(payment: Payment) -> None:
    authorized(payment)
    payment.request_capture(Money(7, payment.amount.currency), now=NOW, patience=PATIENCE)


def captured_in_part(payment: Payment) -> None:
    capturing(payment)
    payment.mark_captured("ref", captured_minor=7, now=NOW)


def voiding(payment: Payment) -> None:
    authorized(payment)
    payment.request_void(now=NOW, patience=PATIENCE)


def refund_of(payment: Payment, minor: int) -> Refund:
    return payment.request_refund(
        RefundId(new_id()),
        Money(minor, payment.amount.currency),
        reason=AWKWARD,
        now=NOW,
        patience=PATIENCE,
    )


def refunded_in_part(payment: Payment) -> None:
    captured(payment)
    payment.finish_refund(refund_of(payment, 1).id, now=NOW)
    payment.fail_refund(refund_of(payment, 2).id, AWKWARD, now=NOW)
    refund_of(payment, 3)


def refunded(payment: Payment) -> None:
    captured(payment)
    payment.finish_refund(refund_of(payment, payment.captured_minor).id, now=NOW)


EVERY_STATE = [
    pending,
    processing,
    unknown,
    captured,
    declined,
    called_off,
    captured_too_late,
    requires_action,
    authorized,
    capturing,
    captured_in_part,
    voiding,
    refunded_in_part,
    refunded,
]


class PaymentRepositoryContract:
    @pytest.mark.parametrize("after", EVERY_STATE)
    def test_an_attempt_comes_back_as_it_was_stored(
        self, backend: Backend, after: Callable[[Payment], object]
    ) -> None:
        payment = store_payment(backend.unit_of_work, after=after)
        assert payment.version == 1
        with backend.unit_of_work() as tx:
            assert facts(tx.payments.get(payment.id)) == facts(payment)
            (of_order,) = tx.payments.of_order(payment.order_id)
        assert facts(of_order) == facts(payment)

    @pytest.mark.parametrize("change", EVERY_STATE[1:])
    def test_a_changed_attempt_comes_back_as_it_was_saved(
        self, backend: Backend, change: Callable[[Payment], object]
    ) -> None:
        stored = store_payment(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            payment = tx.payments.get(stored.id)
            change(payment)
            tx.payments.save(payment)
        assert payment.version == 2
        with backend.unit_of_work() as tx:
            assert facts(tx.payments.get(stored.id)) == facts(payment)

    def test_an_unknown_attempt_is_not_found(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx:
            assert not tx.payments.of_order(OrderId(new_id()))
            with pytest.raises(NotFoundError):
                tx.payments.get(PaymentId(new_id()))

    def test_attempts_come_in_their_order(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work)
        for attempt in (2, 1, 3):
            store_payment(backend.unit_of_work, order, attempt=attempt)
        store_payment(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            assert [p.attempt for p in tx.payments.of_order(order.id)] == [1, 2, 3]

    def test_an_attempt_is_found_by_what_the_gateway_calls_it(self, backend: Backend) -> None:
        payment = store_payment(backend.unit_of_work, after=refunded_in_part)
        store_payment(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            found = tx.payments.find_by_key(payment.gateway_key)
            assert found is not None
            assert facts(found) == facts(payment)
            assert tx.payments.find_by_key(f"{payment.gateway_key}0") is None

    def test_what_a_shopper_is_to_prove_is_shown_with_the_order(self, backend: Backend) -> None:
        waiting = store_payment(backend.unit_of_work, after=requires_action)
        settled = store_payment(backend.unit_of_work, after=captured)
        assert backend.order_reader.get(waiting.order_id).payment_action == waiting.action
        assert backend.order_reader.get(settled.order_id).payment_action is None

    def test_an_attempt_is_made_once(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work)
        first = store_payment(backend.unit_of_work, order)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.payments.add(a_payment(order))
        with backend.unit_of_work() as tx:
            assert [p.id for p in tx.payments.of_order(order.id)] == [first.id]

    def test_attempts_are_due_when_their_time_has_come(self, backend: Backend) -> None:
        work = backend.unit_of_work
        for after in (pending, captured, declined, called_off, refunded):
            store_payment(work, after=after)
        late = store_payment(work, after=unknown)
        later = store_payment(
            work, after=lambda p: p.begin(now=NOW, patience=PATIENCE + timedelta(microseconds=1))
        )
        due_at = NOW + PATIENCE
        with work() as tx:
            assert not tx.payments.due(due_at - timedelta(microseconds=1), limit=9)
            assert [p.id for p in tx.payments.due(due_at, limit=9)] == [late.id]
            both = tx.payments.due(due_at + timedelta(seconds=1), limit=9)
            assert [p.id for p in both] == [late.id, later.id]
            first = tx.payments.due(due_at + timedelta(seconds=1), limit=1)
            assert [p.id for p in first] == [late.id]

    def test_the_second_of_two_editors_conflicts(self, backend: Backend) -> None:
        payment = store_payment(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            stale = tx.payments.get(payment.id)
        with backend.unit_of_work() as tx:
            fresh = tx.payments.get(payment.id)
            fresh.cancel(now=NOW)
            tx.payments.save(fresh)
        processing(stale)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.payments.save(stale)
        with backend.unit_of_work() as tx:
            assert tx.payments.get(payment.id).status is PaymentStatus.CANCELED

    def test_forgetting_to_save_a_change_is_an_error(self, backend: Backend) -> None:
        payment = store_payment(backend.unit_of_work, after=unknown)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            tx.payments.get(payment.id).cancel(now=NOW)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            tx.payments.of_order(payment.order_id)[0].cancel(now=NOW)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            tx.payments.due(NOW + PATIENCE, limit=1)[0].cancel(now=NOW)
        with backend.unit_of_work() as tx:
            assert tx.payments.get(payment.id).status is PaymentStatus.UNKNOWN
