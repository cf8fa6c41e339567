"""Finding out, and finishing, whatever a gateway still owes an answer to."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from quickshop.application.payments.outcomes import PaymentOutcomes, lock
from quickshop.application.retries import retried
from quickshop.domain.errors import PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money
from quickshop.domain.orders import ENDED_UNPAID, OrderId, OrderStatus
from quickshop.domain.payments import CaptureMethod, Payment, PaymentStatus, Refund
from quickshop.ports.clock import Clock
from quickshop.ports.payments import Charge, ChargeState, PaymentGateway
from quickshop.ports.unit_of_work import UnitOfWork

logger: Final = logging.getLogger("quickshop.payments")

_MAY_STILL_MOVE: Final = frozenset({ChargeState.UNCONFIRMED, ChargeState.ACTION_REQUIRED})


@dataclass(frozen=True, slots=True)
class SettlePayments:
    """Carry out what was asked for an order's payments: captures, voids, refunds, questions.

    Each was written down before, and is repeated with the same key until there is an answer.
    """

    unit_of_work: UnitOfWork
    gateway: PaymentGateway
    clock: Clock
    outcomes: PaymentOutcomes

    def __call__(self, order_id: OrderId) -> None:
        """Safe to repeat and to run twice at once. Charges nothing new.

        What gets no answer is left to the sweeper, which has it asked again.

        Raises:
            NotFoundError: no such order.
        """
        with self.unit_of_work() as tx:
            status = tx.orders.get(order_id).status
            payments = tx.payments.of_order(order_id)
        for payment in payments:
            try:
                self._settle(payment, status)
            except PaymentUnknownError as error:
                logger.info("payment %s is asked about again later: %s", payment.id, error)

    def _settle(self, payment: Payment, order_status: OrderStatus) -> None:
        for refund in payment.pending_refunds:
            self._refund(payment, refund)
        match payment.status:
            case PaymentStatus.CAPTURING:
                self._capture(payment)
            case PaymentStatus.VOIDING:
                assert payment.reference is not None, "what is let go has a name"
                key = f"{payment.gateway_key}:void"
                self._told(payment, self.gateway.void(payment.reference, key=key))
            case PaymentStatus.REQUIRES_ACTION | PaymentStatus.AUTHORIZED:
                self._ask(payment, order_status)
            case _ if order_status in ENDED_UNPAID and _may_have_moved(payment):
                self._ask(payment, order_status)

    def _capture(self, payment: Payment) -> None:
        assert payment.reference is not None, "what was authorized has a name"
        amount = Money(payment.capture_minor, payment.amount.currency)
        key = f"{payment.gateway_key}:capture"
        try:
            charge = self.gateway.capture(payment.reference, amount, key=key)
        except PaymentDeclinedError as error:
            self._declined(payment, error.reason)
        else:
            self._told(payment, charge)

    def _ask(self, payment: Payment, order_status: OrderStatus) -> None:
        try:
            charge = self._find(payment)
        except PaymentDeclinedError as error:
            self._declined(payment, error.reason)
            return
        if charge is None:
            self._never_asked(payment)
            return
        if charge.state in _MAY_STILL_MOVE and order_status in ENDED_UNPAID:
            # Nobody may take the money any more: not a request that is still on its way, and not
            # the shopper by proving themselves after all.
            charge = self.gateway.void(charge.reference, key=f"{payment.gateway_key}:void")
        self._told(payment, charge)

    def _find(self, payment: Payment) -> Charge | None:
        return self.gateway.find(
            payment.amount,
            payment.source,
            key=payment.gateway_key,
            capture=payment.capture_method is CaptureMethod.AUTOMATIC,
        )

    def _refund(self, payment: Payment, refund: Refund) -> None:
        assert payment.reference is not None, "what was captured has a name"
        key = payment.refund_key(refund)
        try:
            self.gateway.refund(payment.reference, refund.amount, key=key)
        except PaymentDeclinedError as error:
            self._refund_refused(payment, refund, error.reason)
        else:
            self._refunded(payment, refund)

    @retried
    def _told(self, asked: Payment, charge: Charge) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_charge(tx, *lock(tx, asked), charge)

    @retried
    def _declined(self, asked: Payment, reason: str) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_declined(tx, *lock(tx, asked), reason)

    @retried
    def _never_asked(self, asked: Payment) -> None:
        """Call off what the gateway has never heard of; it is asked about a few times more."""
        with self.unit_of_work() as tx:
            order, payment = lock(tx, asked)
            if payment.is_open and order.status in ENDED_UNPAID:
                payment.cancel(now=self.clock.now())
                tx.payments.save(payment)

    @retried
    def _refunded(self, asked: Payment, refund: Refund) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_refunded(tx, *lock(tx, asked), refund)

    @retried
    def _refund_refused(self, asked: Payment, refund: Refund, failure: str) -> None:
        with self.unit_of_work() as tx:
            self.outcomes.on_refund_refused(tx, *lock(tx, asked), refund, failure)


def _may_have_moved(payment: Payment) -> bool:
    called_off = payment.status is PaymentStatus.CANCELED and payment.checks > 0
    return payment.is_open or called_off


@dataclass(frozen=True, slots=True)
class AskAgainAboutPayments:
    """The sweeper: have the gateway asked about everything that it left without an answer."""

    unit_of_work: UnitOfWork
    clock: Clock
    patience: timedelta

    @retried
    def __call__(self, *, limit: int = 100) -> int:
        """Tell how many payments were due. What follows is done by jobs."""
        now = self.clock.now()
        with self.unit_of_work() as tx:
            payments = tx.payments.due(now, limit=limit)
            for payment in payments:
                payment.ask_again(now=now, patience=self.patience)
                tx.payments.save(payment)
        return len(payments)
