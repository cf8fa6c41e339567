"""Payment attempts in a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select, update

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.tables import payments
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import Payment, PaymentId, PaymentSource, PaymentStatus

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
_INSERT: Final = insert(payments)
_CHANGING: Final = (
    "status",
    "reference",
    "failure",
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


class SqlPayments:
    """Attempts, locked while a transaction looks at them."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._tracker = tracker
        self._log = log

    def get(self, payment_id: PaymentId) -> Payment:
        """As the port promises."""
        row = self._connection.execute(_GET, {"payment": payment_id}).one_or_none()
        if row is None:
            raise NotFoundError("payment")
        return self._watched(row)

    def of_order(self, order_id: OrderId) -> Sequence[Payment]:
        """As the port promises."""
        rows = self._connection.execute(_OF_ORDER, {"order": order_id})
        return [self._watched(row) for row in rows]

    def due(self, now: datetime, *, limit: int) -> Sequence[Payment]:
        """As the port promises."""
        rows = self._connection.execute(_DUE, {"now": now, "most": limit})
        return [self._watched(row) for row in rows]

    def add(self, payment: Payment) -> None:
        """As the port promises."""
        self._connection.later(_INSERT, _row_of(payment))
        self._finish(payment)

    def save(self, payment: Payment) -> None:
        """As the port promises."""
        row = _row_of(payment)
        changes = {f"new_{name}": row[name] for name in _CHANGING}
        mine = {"payment": payment.id, "read_version": payment.version}
        if self._connection.execute(_UPDATE, mine | changes).rowcount == 0:
            raise ConflictError("payment")
        self._finish(payment)

    def _watched(self, row: Row[Any]) -> Payment:
        payment = _payment_of(row)
        self._tracker.watch(payment)
        return payment

    def _finish(self, payment: Payment) -> None:
        self._log.write(payment)
        payment.version += 1


def _payment_of(row: Row[Any]) -> Payment:
    return Payment(
        id=PaymentId(row.id),
        order_id=OrderId(row.order_id),
        attempt=row.attempt,
        amount=Money(row.amount_minor, row.currency),
        source=PaymentSource(token=row.token, method=row.method),
        created_at=row.created_at,
        status=PaymentStatus(row.status),
        reference=row.reference,
        failure=row.failure,
        captured_minor=row.captured_minor,
        refunded_minor=row.refunded_minor,
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
        "status": payment.status,
        "reference": payment.reference,
        "failure": payment.failure,
        "captured_minor": payment.captured_minor,
        "refunded_minor": payment.refunded_minor,
        "check_at": payment.check_at,
        "checks": payment.checks,
        "created_at": payment.created_at,
        "version": payment.version + 1,
    }
