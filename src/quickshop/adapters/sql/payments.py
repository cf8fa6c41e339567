"""Payment attempts in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.tables import payments, refunds
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import (
    CaptureMethod,
    Payment,
    PaymentId,
    PaymentSource,
    PaymentStatus,
    Refund,
    RefundId,
    RefundStatus,
)
from quickshop.ports.payments import PaymentRepository

_GET: Final = select(payments).where(payments.c.id == bindparam("payment")).with_for_update()
_OF_ORDER: Final = (
    select(payments)
    .where(payments.c.order_id == bindparam("order"))
    .order_by(payments.c.attempt)
    .with_for_update()
)
_DUE: Final = (
    select(payments)
    .where(payments.c.check_at <= bindparam("now"))
    .order_by(payments.c.check_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_BY_KEY: Final = select(payments).where(payments.c.gateway_key == bindparam("key"))
_REFUNDS: Final = (
    select(refunds)
    .where(refunds.c.payment_id.in_(bindparam("payments", expanding=True)))
    .order_by(refunds.c.payment_id, refunds.c.number)
)
_INSERT: Final = insert(payments)
_INSERT_REFUND: Final = insert(refunds)
_UPDATE_REFUND: Final = (
    update(refunds)
    .where(refunds.c.id == bindparam("refund"))
    .values(status=bindparam("new_status"), failure=bindparam("new_failure"))
)
_CHANGING: Final = (
    "status",
    "reference",
    "action",
    "failure",
    "capture_minor",
    "captured_minor",
    "refunded_minor",
    "check_at",
    "checks",
    "version",
)
_UPDATE: Final = (
    update(payments)
    .where(payments.c.id == bindparam("payment"), payments.c.version == bindparam("read_version"))
    .values({name: bindparam(f"new_{name}", type_=payments.c[name].type) for name in _CHANGING})
)


class SqlPayments(PaymentRepository):
    """Payment attempts, locked from reading to the end of the transaction."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._tracker = tracker
        self._log = log

    @override
    def get(self, payment_id: PaymentId) -> Payment:
        found = self._found(_GET, {"payment": payment_id})
        if not found:
            raise NotFoundError("payment")
        return found[0]

    @override
    def find_by_key(self, gateway_key: str) -> Payment | None:
        return next(iter(self._found(_BY_KEY, {"key": gateway_key})), None)

    @override
    def of_order(self, order_id: OrderId) -> Sequence[Payment]:
        return self._found(_OF_ORDER, {"order": order_id})

    @override
    def due(self, now: datetime, *, limit: int) -> Sequence[Payment]:
        return self._found(_DUE, {"now": now, "most": limit})

    @override
    def add(self, payment: Payment) -> None:
        self._connection.later(_INSERT, _row_of(payment))
        self._save_refunds(payment)
        self._finish(payment)

    @override
    def save(self, payment: Payment) -> None:
        row = _row_of(payment)
        changes = {f"new_{name}": row[name] for name in _CHANGING}
        expected = {"payment": payment.id, "read_version": payment.version}
        if self._connection.execute(_UPDATE, expected | changes).rowcount == 0:
            raise ConflictError("payment")
        self._save_refunds(payment)
        self._finish(payment)

    def _found(self, statement: Any, values: Mapping[str, Any]) -> list[Payment]:
        rows = self._connection.execute(statement, values).all()
        back = self._refunds_of([row.id for row in rows if row.captured_minor])
        found = [_payment_of(row, [r for r in back if r.payment_id == row.id]) for row in rows]
        for payment in found:
            self._tracker.watch(payment)
        return found

    def _refunds_of(self, payment_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
        if not payment_ids:
            return []
        return self._connection.execute(_REFUNDS, {"payments": payment_ids}).all()

    def _save_refunds(self, payment: Payment) -> None:
        if not payment.refunds:
            return
        stored = {row.id: row.status for row in self._refunds_of([payment.id])}
        for refund in payment.refunds:
            if refund.id not in stored:
                self._connection.later(_INSERT_REFUND, _refund_row(payment, refund))
            elif stored[refund.id] != refund.status:
                moved = {"new_status": refund.status, "new_failure": refund.failure}
                self._connection.later(_UPDATE_REFUND, {"refund": refund.id} | moved)

    def _finish(self, payment: Payment) -> None:
        self._log.write(payment)
        payment.version += 1


def _refund_of(row: Row[Any], currency: str) -> Refund:
    return Refund(
        id=RefundId(row.id),
        number=row.number,
        amount=Money(row.amount_minor, currency),
        reason=row.reason,
        status=RefundStatus(row.status),
        failure=row.failure,
        created_at=row.created_at,
    )


def _refund_row(payment: Payment, refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "payment_id": payment.id,
        "number": refund.number,
        "amount_minor": refund.amount.minor,
        "reason": refund.reason,
        "status": refund.status,
        "failure": refund.failure,
        "created_at": refund.created_at,
    }


def _payment_of(row: Row[Any], back: Sequence[Row[Any]]) -> Payment:
    return Payment(
        id=PaymentId(row.id),
        order_id=OrderId(row.order_id),
        attempt=row.attempt,
        amount=Money(row.amount_minor, row.currency),
        source=PaymentSource(token=row.token, method=row.method),
        created_at=row.created_at,
        capture_method=CaptureMethod(row.capture_method),
        status=PaymentStatus(row.status),
        reference=row.reference,
        action=row.action,
        failure=row.failure,
        capture_minor=row.capture_minor,
        captured_minor=row.captured_minor,
        refunds=tuple(_refund_of(each, row.currency) for each in back),
        check_at=row.check_at,
        checks=row.checks,
        version=row.version,
    )


def _row_of(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "order_id": payment.order_id,
        "attempt": payment.attempt,
        "gateway_key": payment.gateway_key,
        "amount_minor": payment.amount.minor,
        "currency": payment.amount.currency,
        "method": payment.source.method,
        "token": payment.source.token,
        "capture_method": payment.capture_method,
        "status": payment.status,
        "reference": payment.reference,
        "action": payment.action,
        "failure": payment.failure,
        "capture_minor": payment.capture_minor,
        "captured_minor": payment.captured_minor,
        "refunded_minor": payment.refunded_minor,
        "check_at": payment.check_at,
        "checks": payment.checks,
        "created_at": payment.created_at,
        "version": payment.version + 1,
    }
