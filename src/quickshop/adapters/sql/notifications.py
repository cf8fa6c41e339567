"""Delivery records in a table."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from typing_extensions import override

from quickshop.adapters.sql.column_types import UtcDateTime
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.tables import notifications, orders
from quickshop.domain.customers import CustomerId
from quickshop.domain.notifications import Notification
from quickshop.ports.notifications import NotificationRepository

_THIS: Final = (
    notifications.c.event_id == bindparam("event"),
    notifications.c.channel == bindparam("by"),
    notifications.c.recipient == bindparam("to"),
)
_SENT_AT: Final = select(notifications.c.sent_at).where(*_THIS)
_MARK_SENT: Final = (
    update(notifications).where(*_THIS).values(sent_at=bindparam("now", type_=UtcDateTime()))
)


class SqlNotifications(NotificationRepository):
    """One row per event, channel and recipient."""

    def __init__(self, connection: BatchingConnection, dialect: SqlDialect) -> None:
        self._connection = connection
        self._dialect = dialect

    @override
    def claim(self, notification: Notification) -> bool:
        row = asdict(notification)
        if self._dialect.insert_if_absent(self._connection, notifications.name, row):
            return True
        found = self._connection.execute(_SENT_AT, _key_of(notification))
        return found.scalar_one() is None

    @override
    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        self._connection.later(_MARK_SENT, _key_of(notification) | {"now": now})

    @override
    def replace_recipient(self, customer_id: CustomerId, *, instead: str) -> int:
        bought = select(orders.c.id).where(orders.c.customer_id == customer_id)
        theirs = update(notifications).where(notifications.c.order_id.in_(bought))
        return self._connection.execute(theirs.values(recipient=instead)).rowcount


def _key_of(notification: Notification) -> dict[str, Any]:
    return {
        "event": notification.event_id,
        "by": notification.channel,
        "to": notification.recipient,
    }
