"""Use cases that move money, in the background.

No transaction is open while a gateway is called: what is about to be tried is written down
before, what came of it after. Whatever dies between the two is repeated with the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from quickshop.application.retries import retried
from quickshop.domain.errors import PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.orders import Order, OrderId, OrderStatus
from quickshop.domain.payments import Payment, PaymentStatus
from quickshop.ports.clock import Clock
from quickshop.ports.payments import PaymentGateway, PaymentView
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class ProcessOrder:
    """Pay for a pending order, and write down what came of it."""

    unit_of_work: UnitOfWork
    clock: Clock
    gateway: PaymentGateway
    patience: timedelta
    """How long a call to the gateway may be without news before it is asked again."""

    def __call__(self, order_id: OrderId) -> None:
        """Safe to repeat and to run twice at once: the money is taken once.

        An order whose outcome is known is left alone.

        Raises:
            NotFoundError: no such order.
        """
        payment = self._begin(order_id)
        if payment is None:
            return
        try:
            reference = self._capture(payment)
        except PaymentDeclinedError as error:
            self._finish_declined(payment, error.reason)
        except PaymentUnknownError:
            self._finish_unknown(payment)
        else:
            self._finish_captured(payment, reference)

    def _capture(self, payment: Payment) -> str:
        if payment.amount.minor == 0:
            return "nothing-to-pay"
        return self.gateway.capture(payment.amount, payment.source, key=payment.gateway_key)

    @retried
    def _begin(self, order_id: OrderId) -> Payment | None:
        with self.unit_of_work() as tx:
            order = tx.orders.get(order_id)
            payment = tx.payments.of_order(order_id)[-1]
            if order.status is not OrderStatus.PENDING or not payment.is_open:
                return None
            _require_allocated(tx, order)
            payment.begin(now=self.clock.now(), patience=self.patience)
            tx.payments.save(payment)
        return payment

    @retried
    def _finish_captured(self, asked: Payment, reference: str) -> None:
        with self.unit_of_work() as tx:
            order, payment = _lock(tx, asked)
            record_capture(tx, order, payment, reference, self.clock)

    @retried
    def _finish_declined(self, asked: Payment, reason: str) -> None:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            order, payment = _lock(tx, asked)
            if not payment.is_open:
                return
            payment.mark_declined(reason, now=now)
            tx.payments.save(payment)
            if order.status is OrderStatus.PENDING:
                order.mark_payment_failed(reason, now=now)
                tx.orders.save(order)
                tx.stock.release(order.id, now=now)

    @retried
    def _finish_unknown(self, asked: Payment) -> None:
        with self.unit_of_work() as tx:
            _order, payment = _lock(tx, asked)
            if payment.is_open:
                payment.mark_unknown(now=self.clock.now(), patience=self.patience)
                tx.payments.save(payment)


def _lock(tx: Transaction, payment: Payment) -> tuple[Order, Payment]:
    """Take an order and one of its payments as they stand now, in the one order of locks."""
    return tx.orders.get(payment.order_id), tx.payments.get(payment.id)


def record_capture(
    tx: Transaction, order: Order, payment: Payment, reference: str, clock: Clock
) -> None:
    """Write down that a payment moved; for an order canceled meanwhile it then goes back."""
    if payment.status in {PaymentStatus.CAPTURED, PaymentStatus.REFUNDED}:
        return
    now = clock.now()
    payment.mark_captured(reference, now=now)
    tx.payments.save(payment)
    if order.status is OrderStatus.PENDING:
        order.mark_paid(now=now)
    else:
        order.note_late_payment(now=now)
    tx.orders.save(order)


def _require_allocated(tx: Transaction, order: Order) -> None:
    promised = sum(allocation.quantity for allocation in tx.stock.allocations(order.id))
    ordered = sum(line.quantity for line in order.lines)
    assert promised == ordered, f"order {order.number}: {promised} of {ordered} units allocated"


@dataclass(frozen=True, slots=True)
class SettleCanceledOrder:
    """Find out whether money moved for an order that was canceled while it was being paid."""

    unit_of_work: UnitOfWork
    clock: Clock
    gateway: PaymentGateway

    def __call__(self, order_id: OrderId) -> None:
        """Safe to repeat. Charges nothing: the gateway is only asked what it did.

        Raises:
            NotFoundError: no such order.
            PaymentUnknownError: the gateway gave no answer; try again.
        """
        with self.unit_of_work() as tx:
            if tx.orders.get(order_id).status is not OrderStatus.CANCELED:
                return
            payments = [p for p in tx.payments.of_order(order_id) if _may_have_moved(p)]
        for payment in payments:
            self._settle(payment, self.gateway.find(payment.gateway_key))

    @retried
    def _settle(self, asked: Payment, reference: str | None) -> None:
        with self.unit_of_work() as tx:
            order, payment = _lock(tx, asked)
            if reference is not None:
                record_capture(tx, order, payment, reference, self.clock)
            elif payment.is_open:
                payment.cancel(now=self.clock.now())
                tx.payments.save(payment)


def _may_have_moved(payment: Payment) -> bool:
    called_off = payment.status is PaymentStatus.CANCELED and payment.checks > 0
    return payment.is_open or called_off


@dataclass(frozen=True, slots=True)
class RefundCanceledOrder:
    """Send back what was captured for an order that was canceled."""

    unit_of_work: UnitOfWork
    clock: Clock
    gateway: PaymentGateway

    def __call__(self, order_id: OrderId) -> None:
        """Safe to repeat: the money goes back once.

        Raises:
            NotFoundError: no such order.
            PaymentUnknownError: the gateway gave no answer; try again.
        """
        with self.unit_of_work() as tx:
            if tx.orders.get(order_id).status is not OrderStatus.CANCELED:
                return
            payments = tx.payments.of_order(order_id)
        for payment in payments:
            if payment.status is PaymentStatus.CAPTURED and payment.reference is not None:
                if payment.amount.minor:
                    key = f"{payment.gateway_key}:refund"
                    self.gateway.refund(payment.reference, payment.amount, key=key)
                self._finish(payment)

    @retried
    def _finish(self, captured: Payment) -> None:
        with self.unit_of_work() as tx:
            _order, payment = _lock(tx, captured)
            if payment.status is PaymentStatus.CAPTURED:
                payment.mark_refunded(now=self.clock.now())
                tx.payments.save(payment)


@dataclass(frozen=True, slots=True)
class ListPayments:
    """Show the attempts to pay an order to staff."""

    unit_of_work: UnitOfWork

    def __call__(self, order_id: OrderId) -> Sequence[PaymentView]:
        """The first attempt first; empty for an order that does not exist."""
        with self.unit_of_work() as tx:
            return [PaymentView.of(payment) for payment in tx.payments.of_order(order_id)]


@dataclass(frozen=True, slots=True)
class AskAgainAboutPayments:
    """The sweeper: have the gateway asked about every attempt that it left without an answer."""

    unit_of_work: UnitOfWork
    clock: Clock
    patience: timedelta

    @retried
    def __call__(self, *, limit: int = 100) -> int:
        """Tell how many attempts were due. What follows is done by jobs."""
        now = self.clock.now()
        with self.unit_of_work() as tx:
            payments = tx.payments.due(now, limit=limit)
            for payment in payments:
                payment.ask_again(now=now, patience=self.patience)
                tx.payments.save(payment)
        return len(payments)
