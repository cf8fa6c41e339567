"""Use cases for staff to manage payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.payments.outcomes import PaymentOutcomes
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.errors import NotFoundError, PaymentStateError
from quickshop.domain.identity import Permission
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import Payment, PaymentStatus, RefundId
from quickshop.ports.clock import Clock
from quickshop.ports.payments import PaymentView
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class ListPayments:
    """List the payments of an order for staff."""

    unit_of_work: UnitOfWork

    def __call__(self, order_id: OrderId) -> Sequence[PaymentView]:
        """Return the payments, first attempt first; empty if the order does not exist."""
        with self.unit_of_work() as tx:
            return [PaymentView.of(payment) for payment in tx.payments.of_order(order_id)]


@needs(Permission.PAYMENTS_WRITE)
@dataclass(frozen=True, slots=True)
class CapturePayment:
    """Capture authorized money of an order. The gateway is called in the background."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    @retried
    def __call__(
        self,
        order_id: OrderId,
        *,
        amount: Money | None = None,
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[PaymentView]:
        """Capture the whole amount, or a part. A part releases the rest.

        Raises:
            NotFoundError: no order has this id, or it has no payment.
            PaymentStateError: the payment is not authorized.
            InvalidValueError: the amount is zero or more than authorized, or the currency differs.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        now = self.clock.now()
        once = Once(f"{by}:capture_payment", idempotency_key, digest(f"{order_id}:{amount}"))

        def capture(tx: Transaction, keep: Keep[PaymentView]) -> None:
            payment = _latest(tx, order_id)
            wanted = amount or payment.amount
            payment.request_capture(wanted, now=now, patience=self.outcomes.patience)
            keep(_saved(tx, payment))

        return once.run(self.unit_of_work, PaymentView, now, capture)


@needs(Permission.PAYMENTS_WRITE)
@dataclass(frozen=True, slots=True)
class VoidPayment:
    """Void authorized money of an order. The shopper may then pay another way."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    @retried
    def __call__(
        self, order_id: OrderId, *, idempotency_key: str | None = None, by: str = "staff"
    ) -> Answer[PaymentView]:
        """Void the payment. The gateway is called in the background.

        Raises:
            NotFoundError: no order has this id, or it has no payment.
            PaymentStateError: the payment is not authorized.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        now = self.clock.now()
        once = Once(f"{by}:void_payment", idempotency_key, digest(str(order_id)))

        def void(tx: Transaction, keep: Keep[PaymentView]) -> None:
            payment = _latest(tx, order_id)
            if payment.status not in {PaymentStatus.AUTHORIZED, PaymentStatus.REQUIRES_ACTION}:
                raise PaymentStateError(payment.status, "voided")
            payment.request_void(now=now, patience=self.outcomes.patience)
            keep(_saved(tx, payment))

        return once.run(self.unit_of_work, PaymentView, now, void)


@needs(Permission.PAYMENTS_WRITE)
@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Refund an order, in full or in part. The money is sent in the background."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    @retried
    def __call__(
        self,
        order_id: OrderId,
        *,
        amount: Money | None = None,
        reason: str = "",
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[PaymentView]:
        """Refund the remaining amount, or the given one.

        Concurrent refunds never exceed the captured amount together. A refund that is pending,
        or whose result is unknown, counts as refunded.

        Raises:
            NotFoundError: no order has this id, or it has no payment.
            PaymentStateError: nothing was captured, or everything was refunded.
            RefundTooLargeError: the amount is more than can still be refunded.
            InvalidValueError: the amount is zero, the currency differs, or the reason is too long.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        now = self.clock.now()
        fingerprint = digest(f"{order_id}:{amount}:{reason}")
        once = Once(f"{by}:refund_order", idempotency_key, fingerprint)

        def refund(tx: Transaction, keep: Keep[PaymentView]) -> None:
            payment = _captured(tx, order_id)
            payment.request_refund(
                RefundId(self.outcomes.identifiers.new()),
                payment.refundable if amount is None else amount,
                reason=reason,
                now=now,
                patience=self.outcomes.patience,
            )
            keep(_saved(tx, payment))

        return once.run(self.unit_of_work, PaymentView, now, refund)


def _saved(tx: Transaction, payment: Payment) -> PaymentView:
    tx.payments.save(payment)
    return PaymentView.of(payment)


def _latest(tx: Transaction, order_id: OrderId) -> Payment:
    """Lock an order, and return its last payment."""
    tx.orders.get(order_id)
    payments = tx.payments.of_order(order_id)
    if not payments:
        raise NotFoundError("payment")
    return payments[-1]


def _captured(tx: Transaction, order_id: OrderId) -> Payment:
    """Return the captured payment, preferably one that can still be refunded."""
    latest = _latest(tx, order_id)
    captured = [p for p in tx.payments.of_order(order_id) if p.status is PaymentStatus.CAPTURED]
    if not captured:
        raise PaymentStateError(latest.status, "refunded")
    best = max(captured, key=lambda payment: payment.refundable.minor)
    if not best.captured_minor:
        raise PaymentStateError("of a zero amount", "refunded")
    if not best.refundable.minor:
        raise PaymentStateError("refunded in full or being refunded", "refunded again")
    return best
