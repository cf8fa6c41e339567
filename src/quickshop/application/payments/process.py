"""Paying for an order.

No transaction is open during a gateway call. The attempt is recorded before the call and the
result after it. After a crash between the two, the call is repeated with the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quickshop.application.payments.outcomes import PaymentOutcomes, lock
from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import PaymentDeclinedError, PaymentUnknownError, SourcingPlanError
from quickshop.domain.orders import Order, OrderId, OrderStatus
from quickshop.domain.payments import CaptureMethod, Payment, PaymentStatus
from quickshop.ports.clock import Clock
from quickshop.ports.payments import Charge, ChargeState, PaymentGateway
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_TO_CHARGE: Final = frozenset(
    {PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class ProcessOrder:
    """Pay for a pending order, and record the result."""

    unit_of_work: UnitOfWork
    gateway: PaymentGateway
    clock: Clock
    outcomes: PaymentOutcomes

    def __call__(self, order_id: OrderId) -> None:
        """Charge the order. Safe to repeat and to run concurrently: it is charged once.

        An order whose result is known is not changed.

        Raises:
            NotFoundError: no order has this id.
        """
        payment = self._begin(order_id)
        if payment is None:
            return
        try:
            charge = self._charge(payment)
        except PaymentDeclinedError as error:
            self._finish_declined(payment, error.reason)
        except PaymentUnknownError:
            self._finish_unknown(payment)
        else:
            self._finish(payment, charge)

    def _charge(self, payment: Payment) -> Charge:
        if payment.amount.minor == 0:
            return Charge(
                reference="nothing-to-pay", state=ChargeState.CAPTURED, captured=payment.amount
            )
        return self.gateway.charge(
            payment.amount,
            payment.source,
            key=payment.gateway_key,
            capture=payment.capture_method is CaptureMethod.AUTOMATIC,
        )

    @retried
    def _begin(self, order_id: OrderId) -> Payment | None:
        with self.unit_of_work() as tx:
            order = tx.orders.get(order_id)
            payment = tx.payments.of_order(order_id)[-1]
            if order.status is not OrderStatus.PENDING or payment.status not in _TO_CHARGE:
                return None
            _require_allocated(tx, order)
            payment.begin(now=self.clock.now(), patience=self.outcomes.patience)
            tx.payments.save(payment)
        return payment

    @retried
    def _finish(self, asked: Payment, charge: Charge) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_charge(tx, *lock(tx, asked), charge)

    @retried
    def _finish_declined(self, asked: Payment, reason: str) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_declined(tx, *lock(tx, asked), reason)

    @retried
    def _finish_unknown(self, asked: Payment) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_unknown(tx, *lock(tx, asked))


def _require_allocated(tx: Transaction, order: Order) -> None:
    promised = sum(allocation.quantity for allocation in tx.stock.allocations(order.id))
    ordered = sum(line.quantity for line in order.lines)
    if promised != ordered:
        raise SourcingPlanError(
            f"allocated only {promised} of {ordered} units of order {order.number}"
        )
