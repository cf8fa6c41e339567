"""What staff do with the money of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.payments.outcomes import PaymentOutcomes
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
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
    """Show the attempts to pay an order to staff."""

    unit_of_work: UnitOfWork

    def __call__(self, order_id: OrderId) -> Sequence[PaymentView]:
        """The first attempt first; empty for an order that does not exist."""
        with self.unit_of_work() as tx:
            return [PaymentView.of(payment) for payment in tx.payments.of_order(order_id)]


@needs(Permission.PAYMENTS_WRITE)
@dataclass(frozen=True, slots=True)
class CapturePayment:
    """Take money that was set aside for an order. The gateway is called in the background."""

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
        """The whole amount unless a part is given: then the rest is let go.

        Raises:
            NotFoundError: no such order, or nobody tried to pay it.
            PaymentStateError: nothing is authorized.
            InvalidValueError: nothing, more than was authorized, or another currency.
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
    """Let go of money that was set aside for an order; the shopper may then pay another way."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    @retried
    def __call__(
        self, order_id: OrderId, *, idempotency_key: str | None = None, by: str = "staff"
    ) -> Answer[PaymentView]:
        """The gateway is called in the background.

        Raises:
            NotFoundError: no such order, or nobody tried to pay it.
            PaymentStateError: nothing is set aside.
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
    """Send money of an order back, the whole or a part. It goes out in the background."""

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
        """All that is left unless an amount is given.

        Of several refunds at once those succeed that together are no more than was captured: one
        that is on its way, or whose outcome nobody knows yet, counts as gone.

        Raises:
            NotFoundError: no such order, or nobody tried to pay it.
            PaymentStateError: nothing was captured, or nothing of it is left.
            RefundTooLargeError: it is more than is left.
            InvalidValueError: nothing, or another currency, or the reason is too long.
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
    """The last attempt of an order, which is locked first."""
    tx.orders.get(order_id)
    payments = tx.payments.of_order(order_id)
    if not payments:
        raise NotFoundError("payment")
    return payments[-1]


def _captured(tx: Transaction, order_id: OrderId) -> Payment:
    """The attempt that took the money, of which something is left if anything is."""
    latest = _latest(tx, order_id)
    captured = [p for p in tx.payments.of_order(order_id) if p.status is PaymentStatus.CAPTURED]
    if not captured:
        raise PaymentStateError(latest.status, "refunded")
    best = max(captured, key=lambda payment: payment.refundable.minor)
    if not best.captured_minor:
        raise PaymentStateError("of nothing", "refunded")
    if not best.refundable.minor:
        raise PaymentStateError("refunded in full, or about to be", "refunded again")
    return best
