"""Payment attempts in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import Payment, PaymentId
from quickshop.ports.payments import PaymentRepository


class MemoryPayments(PaymentRepository):
    """The payment attempts of each order."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def get(self, payment_id: PaymentId) -> Payment:
        payment = self._state.payments.get(payment_id)
        if payment is None:
            raise NotFoundError("payment")
        return self._session.hand_out(payment)

    @override
    def find_by_key(self, gateway_key: str) -> Payment | None:
        for payment in self._state.payments.values():
            if payment.gateway_key == gateway_key:
                return self._session.hand_out(payment)
        return None

    @override
    def of_order(self, order_id: OrderId) -> Sequence[Payment]:
        in_order = sorted(self._attempts(order_id), key=lambda payment: payment.attempt)
        return [self._session.hand_out(payment) for payment in in_order]

    @override
    def due(self, now: datetime, *, limit: int) -> Sequence[Payment]:
        due = sorted(
            (payment.check_at, payment.id)
            for payment in self._state.payments.values()
            if payment.check_at is not None and payment.check_at <= now
        )
        return [self.get(payment_id) for _check_at, payment_id in due[:limit]]

    @override
    def add(self, payment: Payment) -> None:
        require(payment.order_id in self._state.orders, "no such order")
        require(payment.id not in self._state.payments, "a payment's id was used before")
        if any(p.attempt == payment.attempt for p in self._attempts(payment.order_id)):
            raise ConflictError("payment")
        before = self._state.attempts.get(payment.order_id, ())
        self._state.attempts[payment.order_id] = (*before, payment.id)
        self._session.keep(self._state.payments, payment.id, payment)

    @override
    def save(self, payment: Payment) -> None:
        self._session.require_version(self._state.payments, payment.id, payment, "payment")
        self._session.keep(self._state.payments, payment.id, payment)

    def _attempts(self, order_id: OrderId) -> Sequence[Payment]:
        known = self._state.attempts.get(order_id, ())
        return [self._state.payments[payment_id] for payment_id in known]
