"""Payment attempts in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import Payment, PaymentId


class MemoryPayments:
    """The payment attempts of every order."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    def get(self, payment_id: PaymentId) -> Payment:
        """As `PaymentRepository.get`.

        Raises:
            NotFoundError: there is none with this id.
        """
        payment = self._state.payments.get(payment_id)
        if payment is None:
            raise NotFoundError("payment")
        return self._session.hand_out(payment)

    def find_by_key(self, gateway_key: str) -> Payment | None:
        """As `PaymentRepository.find_by_key`."""
        for payment in self._state.payments.values():
            if payment.gateway_key == gateway_key:
                return self._session.hand_out(payment)
        return None

    def of_order(self, order_id: OrderId) -> Sequence[Payment]:
        """As `PaymentRepository.of_order`."""
        in_order = sorted(self._attempts(order_id), key=lambda payment: payment.attempt)
        return [self._session.hand_out(payment) for payment in in_order]

    def due(self, now: datetime, *, limit: int) -> Sequence[Payment]:
        """As `PaymentRepository.due`."""
        due = sorted(
            (payment.check_at, payment.id)
            for payment in self._state.payments.values()
            if payment.check_at is not None and payment.check_at <= now
        )
        return [self.get(payment_id) for _check_at, payment_id in due[:limit]]

    def add(self, payment: Payment) -> None:
        """As `PaymentRepository.add`.

        Raises:
            ConflictError: the order has an attempt of this number.
        """
        assert payment.order_id in self._state.orders, "no such order"
        assert payment.id not in self._state.payments, "a payment's id was used before"
        if any(p.attempt == payment.attempt for p in self._attempts(payment.order_id)):
            raise ConflictError("payment")
        before = self._state.attempts.get(payment.order_id, ())
        self._state.attempts[payment.order_id] = (*before, payment.id)
        self._session.keep(self._state.payments, payment.id, payment)

    def save(self, payment: Payment) -> None:
        """As `PaymentRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        self._session.require_version(self._state.payments, payment.id, payment, "payment")
        self._session.keep(self._state.payments, payment.id, payment)

    def _attempts(self, order_id: OrderId) -> Sequence[Payment]:
        known = self._state.attempts.get(order_id, ())
        return [self._state.payments[payment_id] for payment_id in known]
