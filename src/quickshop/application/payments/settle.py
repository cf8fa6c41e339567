"""Settling payments: carry out requested operations, and clarify unknown results."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from quickshop.application.payments.outcomes import PaymentOutcomes, lock
from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money
from quickshop.domain.orders import CANCELED_OR_EXPIRED, OrderId, OrderStatus
from quickshop.domain.payments import CaptureMethod, Payment, PaymentStatus, Refund
from quickshop.ports.clock import Clock
from quickshop.ports.payments import Charge, ChargeState, PaymentGateway
from quickshop.ports.unit_of_work import UnitOfWork

logger: Final = logging.getLogger("quickshop.payments")

_MAY_STILL_MOVE: Final = frozenset({ChargeState.UNCONFIRMED, ChargeState.ACTION_REQUIRED})


@dataclass(frozen=True, slots=True)
class SettlePayments:
    """Carry out the pending operations of an order: captures, voids, refunds and queries.

    Each was recorded before. It is repeated with the same key until the gateway answers.
    """

    unit_of_work: UnitOfWork
    gateway: PaymentGateway
    clock: Clock
    outcomes: PaymentOutcomes

    def __call__(self, order_id: OrderId) -> None:
        """Settle the order's payments. Safe to repeat and to run concurrently.

        It makes no new charge. The sweeper repeats operations that got no answer.

        Raises:
            NotFoundError: no order has this id.
        """
        with self.unit_of_work() as tx:
            status = tx.orders.get(order_id).status
            payments = tx.payments.of_order(order_id)
        for payment in payments:
            try:
                self._settle(payment, status)
            except PaymentUnknownError as error:
                logger.info("payment %s will be queried again later: %s", payment.id, error)

    def _settle(self, payment: Payment, order_status: OrderStatus) -> None:
        for refund in payment.pending_refunds:
            self._refund(payment, refund)
        match payment.status:
            case PaymentStatus.CAPTURING:
                self._capture(payment)
            case PaymentStatus.VOIDING:
                assert payment.reference is not None, "a payment to void has a reference"
                key = f"{payment.gateway_key}:void"
                self._record_charge(payment, self.gateway.void(payment.reference, key=key))
            case PaymentStatus.REQUIRES_ACTION | PaymentStatus.AUTHORIZED:
                self._ask(payment, order_status)
            case _ if order_status in CANCELED_OR_EXPIRED and _may_have_moved(payment):
                self._ask(payment, order_status)

    def _capture(self, payment: Payment) -> None:
        assert payment.reference is not None, "an authorized payment has a reference"
        amount = Money(payment.capture_minor, payment.amount.currency)
        key = f"{payment.gateway_key}:capture"
        try:
            charge = self.gateway.capture(payment.reference, amount, key=key)
        except PaymentDeclinedError as error:
            self._record_decline(payment, error.reason)
        else:
            self._record_charge(payment, charge)

    def _ask(self, payment: Payment, order_status: OrderStatus) -> None:
        try:
            charge = self._find(payment)
        except PaymentDeclinedError as error:
            self._record_decline(payment, error.reason)
            return
        if charge is None:
            self._cancel_unknown(payment)
            return
        if charge.state in _MAY_STILL_MOVE and order_status in CANCELED_OR_EXPIRED:
            # The order is closed: neither a delayed request nor a late authentication by the
            # shopper may take the money.
            charge = self.gateway.void(charge.reference, key=f"{payment.gateway_key}:void")
        self._record_charge(payment, charge)

    def _find(self, payment: Payment) -> Charge | None:
        return self.gateway.find(
            payment.amount,
            payment.source,
            key=payment.gateway_key,
            capture=payment.capture_method is CaptureMethod.AUTOMATIC,
        )

    def _refund(self, payment: Payment, refund: Refund) -> None:
        assert payment.reference is not None, "a captured payment has a reference"
        key = payment.refund_key(refund)
        try:
            self.gateway.refund(payment.reference, refund.amount, key=key)
        except PaymentDeclinedError as error:
            self._record_refund_refusal(payment, refund, error.reason)
        else:
            self._record_refund(payment, refund)

    @retried
    def _record_charge(self, asked: Payment, charge: Charge) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_charge(tx, *lock(tx, asked), charge)

    @retried
    def _record_decline(self, asked: Payment, reason: str) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_declined(tx, *lock(tx, asked), reason)

    @retried
    def _cancel_unknown(self, asked: Payment) -> None:
        """Cancel a payment that the gateway does not know. It is queried a few more times."""
        with self.unit_of_work() as tx:
            order, payment = lock(tx, asked)
            if payment.is_open and order.status in CANCELED_OR_EXPIRED:
                payment.cancel(now=self.clock.now())
                tx.payments.save(payment)

    @retried
    def _record_refund(self, asked: Payment, refund: Refund) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_refunded(tx, *lock(tx, asked), refund)

    @retried
    def _record_refund_refusal(self, asked: Payment, refund: Refund, failure: str) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_refund_refused(tx, *lock(tx, asked), refund, failure)


def _may_have_moved(payment: Payment) -> bool:
    canceled = payment.status is PaymentStatus.CANCELED and payment.checks > 0
    return payment.is_open or canceled


@dataclass(frozen=True, slots=True)
class AskAgainAboutPayments:
    """The sweeper: query the gateway about every payment without an answer."""

    unit_of_work: UnitOfWork
    clock: Clock
    patience: timedelta

    @retried
    def __call__(self, *, limit: int = 100) -> int:
        """Return how many payments were due. Jobs do the rest."""
        now = self.clock.now()
        with self.unit_of_work() as tx:
            payments = tx.payments.due(now, limit=limit)
            for payment in payments:
                payment.ask_again(now=now, patience=self.patience)
                tx.payments.save(payment)
        return len(payments)
