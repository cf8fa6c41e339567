"""Delivery records in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.tables import notifications
from quickshop.domain.notifications import Notification


class SqlNotifications:
    """One row per event, channel and recipient."""

    def __init__(self, connection: Connection, dialect: SqlDialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def claim(self, notification: Notification) -> bool:
        """As the port promises."""
        row = asdict(notification)
        if self._dialect.insert_if_absent(self._connection, notifications.name, row):
            return True
        sent_at = select(notifications.c.sent_at).where(*_same(notification))
        return self._connection.execute(sent_at).scalar_one() is None

    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        """As the port promises."""
        mark = update(notifications).where(*_same(notification)).values(sent_at=now)
        self._connection.execute(mark)


def _same(notification: Notification) -> Sequence[ColumnElement[bool]]:
    return (
        notifications.c.event_id == notification.event_id,
        notifications.c.channel == notification.channel,
        notifications.c.recipient == notification.recipient,
    )
