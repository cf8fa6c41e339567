"""The effects of payment results, recorded in one place.

Jobs, the sweeper and webhooks all call it, each with the order and then the payment locked. Stock
is released last, so that stock levels stay locked as briefly as possible.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from quickshop.domain.errors import GatewayAnswerError
from quickshop.domain.money import Money
from quickshop.domain.orders import HOLDS_STOCK, Order, OrderStatus
from quickshop.domain.payments import (
    CaptureMethod,
    Payment,
    PaymentStatus,
    Refund,
    RefundId,
    RefundStatus,
)
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.payments import Charge, ChargeState
from quickshop.ports.unit_of_work import Transaction

logger: Final = logging.getLogger("quickshop.payments")

_KNOWN: Final = frozenset(
    {
        PaymentStatus.AUTHORIZED,
        PaymentStatus.CAPTURING,
        PaymentStatus.CAPTURED,
        PaymentStatus.VOIDING,
        PaymentStatus.REFUNDED,
    }
)


def lock(tx: Transaction, payment: Payment) -> tuple[Order, Payment]:
    """Lock an order and then one of its payments, and return their current state."""
    return tx.orders.get(payment.order_id), tx.payments.get(payment.id)


@dataclass(frozen=True, slots=True)
class PaymentOutcomes:
    """Records the result of a payment and its effects on the order."""

    clock: Clock
    identifiers: Identifiers
    patience: timedelta
    """How long to wait for a gateway's answer before asking again."""
    order_lifetime: timedelta
    """How long an order waits for its payment."""

    def on_charge(self, tx: Transaction, order: Order, payment: Payment, charge: Charge) -> None:
        """Record the state of a charge. A known state changes nothing.

        Raises:
            GatewayAnswerError: the answer breaks a rule of the port.
        """
        match _checked_state(payment, charge):
            case ChargeState.CAPTURED:
                self.on_captured(tx, order, payment, charge.reference, charge.captured)
            case ChargeState.AUTHORIZED:
                self.on_authorized(tx, order, payment, charge.reference)
            case ChargeState.ACTION_REQUIRED:
                self.on_action_required(tx, order, payment, charge)
            case ChargeState.CANCELED:
                self.on_canceled(tx, order, payment)
            case ChargeState.UNCONFIRMED:
                self.on_unknown(tx, order, payment)

    def on_captured(
        self, tx: Transaction, order: Order, payment: Payment, reference: str, amount: Money
    ) -> None:
        """Record captured money. If the order no longer waits for it, refund it in full, once."""
        if payment.status in {PaymentStatus.CAPTURED, PaymentStatus.REFUNDED}:
            return
        now = self.clock.now()
        payment.mark_captured(reference, captured_minor=amount.minor, now=now)
        if self._is_awaited(tx, order, payment):
            order.mark_paid(now=now)
        else:
            order.note_late_payment(now=now)
            self.refund_rest(payment, reason="the payment arrived too late")
        tx.orders.save(order)
        tx.payments.save(payment)

    def on_authorized(
        self, tx: Transaction, order: Order, payment: Payment, reference: str
    ) -> None:
        """Record an authorization. If the order no longer waits for it, void it."""
        if payment.status in _KNOWN:
            return
        now = self.clock.now()
        awaited = self._is_awaited(tx, order, payment)
        payment.mark_authorized(reference, now=now)
        if awaited:
            order.note_authorized(now=now)
            tx.orders.save(order)
        else:
            payment.request_void(now=now, patience=self.patience)
        tx.payments.save(payment)

    def on_action_required(
        self, tx: Transaction, order: Order, payment: Payment, charge: Charge
    ) -> None:
        """Record that the shopper must authenticate. If the order stopped waiting, void it."""
        if not payment.is_open:
            return
        now = self.clock.now()
        first = payment.status is not PaymentStatus.REQUIRES_ACTION
        payment.mark_action_required(
            charge.reference, charge.action, now=now, patience=self.patience
        )
        if not self._is_awaited(tx, order, payment):
            payment.request_void(now=now, patience=self.patience)
        elif first:
            order.note_action_required(now=now)
            tx.orders.save(order)
        tx.payments.save(payment)

    def on_declined(self, tx: Transaction, order: Order, payment: Payment, reason: str) -> None:
        """Record a decline: release the stock, and allow another attempt."""
        if not payment.is_open and payment.status is not PaymentStatus.CAPTURING:
            return
        payment.mark_declined(reason, now=self.clock.now())
        tx.payments.save(payment)
        self._fail(tx, order, payment, reason)

    def on_canceled(self, tx: Transaction, order: Order, payment: Payment) -> None:
        """Record that the shop or the gateway canceled the charge, and no money moved."""
        if not payment.is_open and payment.status not in {
            PaymentStatus.VOIDING,
            PaymentStatus.AUTHORIZED,
        }:
            return
        payment.cancel(now=self.clock.now())
        payment.check_at = None
        tx.payments.save(payment)
        self._fail(tx, order, payment, "canceled")

    def on_unknown(self, tx: Transaction, _order: Order, payment: Payment) -> None:
        """Record a missing answer. The gateway is asked again with the same key."""
        if payment.is_open:
            payment.mark_unknown(now=self.clock.now(), patience=self.patience)
            tx.payments.save(payment)

    def stop(self, payment: Payment) -> None:
        """Stop a payment of a canceled order, as far as its known state allows.

        The state at the gateway is clarified in the background.
        """
        now = self.clock.now()
        match payment.status:
            case PaymentStatus.PENDING:
                payment.cancel(now=now)
            case PaymentStatus.REQUIRES_ACTION | PaymentStatus.AUTHORIZED:
                payment.request_void(now=now, patience=self.patience)
            case PaymentStatus.CAPTURED:
                self.refund_rest(payment, reason="the order was canceled")
            case _:
                pass

    def refund_rest(self, payment: Payment, *, reason: str) -> None:
        """Refund the remaining captured amount."""
        if payment.refundable.minor:
            payment.request_refund(
                RefundId(self.identifiers.new()),
                payment.refundable,
                reason=reason,
                now=self.clock.now(),
                patience=self.patience,
            )

    def on_refunded(self, tx: Transaction, order: Order, payment: Payment, refund: Refund) -> None:
        """Record a refund. When an order is refunded in full, its unshipped units are released."""
        if refund not in payment.pending_refunds:
            return
        now = self.clock.now()
        held_stock = order.status in HOLDS_STOCK
        payment.finish_refund(refund.id, now=now)
        tx.payments.save(payment)
        whole = all(_is_refunded(each) for each in tx.payments.of_order(order.id))
        order.note_refund(refund.amount, refund.reason, now=now, whole=whole)
        tx.orders.save(order)
        if held_stock and order.status is OrderStatus.REFUNDED:
            tx.stock.release(order.id, now=now)

    def on_refund_refused(
        self, tx: Transaction, order: Order, payment: Payment, refund: Refund, failure: str
    ) -> None:
        """Record that the gateway refused a refund; it may be requested again."""
        if refund not in payment.pending_refunds:
            return
        now = self.clock.now()
        payment.fail_refund(refund.id, failure, now=now)
        # Only staff can resolve this.
        logger.error(
            "order %s: refund %d was refused: %s",
            order.number,
            refund.number,
            failure,
            extra={"order_id": order.id, "payment_id": payment.id},
        )
        order.note_failed_refund(refund.amount, failure, now=now)
        tx.payments.save(payment)
        tx.orders.save(order)

    def _fail(self, tx: Transaction, order: Order, payment: Payment, reason: str) -> None:
        if not self._is_awaited(tx, order, payment):
            return
        now = self.clock.now()
        order.mark_payment_failed(reason, now=now, expires_at=now + self.order_lifetime)
        tx.orders.save(order)
        tx.stock.release(order.id, now=now)

    def _is_awaited(self, tx: Transaction, order: Order, payment: Payment) -> bool:
        """Return whether the order waits for this attempt."""
        if order.status is not OrderStatus.PENDING:
            return False
        return all(each.attempt <= payment.attempt for each in tx.payments.of_order(order.id))


def _is_refunded(payment: Payment) -> bool:
    back = sum(r.amount.minor for r in payment.refunds if r.status is RefundStatus.SUCCEEDED)
    return back == payment.captured_minor


def _checked_state(payment: Payment, charge: Charge) -> ChargeState:
    """Check a gateway's answer about a payment, and return the state of the charge.

    Raises:
        GatewayAnswerError: with the rule that the answer breaks.
    """
    try:
        state = ChargeState(charge.state)
    except (AttributeError, ValueError):
        raise GatewayAnswerError("must be a charge in a known state") from None
    if not charge.reference:
        raise GatewayAnswerError("must name the charge")
    captured, amount = charge.captured, payment.amount
    if captured.currency != amount.currency or not 0 <= captured.minor <= amount.minor:
        raise GatewayAnswerError("must capture no more than the amount, in its currency")
    if state is ChargeState.CAPTURED and not _is_enough(payment, captured):
        raise GatewayAnswerError("must capture the amount, or a part of it if the shop asked")
    return state


def _is_enough(payment: Payment, captured: Money) -> bool:
    if payment.capture_method is CaptureMethod.AUTOMATIC:
        return captured == payment.amount
    return captured.minor > 0 or payment.amount.minor == 0
