"""Delivery records in memory, and a notifier that keeps messages for inspection."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.customers import CustomerId
from quickshop.domain.notifications import Channel, Notification
from quickshop.ports.notifications import Message, NotificationRepository, Notifier
from quickshop.ports.services import CheckedService


class MemoryNotifications(NotificationRepository):
    """The delivery records: one per event, channel and recipient."""

    def __init__(self, session: MemorySession) -> None:
        self._state = session.state

    @override
    def claim(self, notification: Notification) -> bool:
        order_id = notification.order_id
        require(order_id is None or order_id in self._state.orders, "no such order")
        record = self._state.notifications.setdefault(_key(notification), notification)
        return record.sent_at is None

    @override
    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        key = _key(notification)
        require(key in self._state.notifications, "a message must be claimed before it is sent")
        record = self._state.notifications[key]
        self._state.notifications[key] = replace(record, sent_at=now)

    @override
    def replace_recipient(self, customer_id: CustomerId, *, instead: str) -> int:
        table, orders = self._state.notifications, self._state.orders
        theirs = [
            record
            for record in table.values()
            if record.order_id is not None and orders[record.order_id].customer_id == customer_id
        ]
        for record in theirs:
            del table[_key(record)]
            renamed = replace(record, recipient=instead)
            table[_key(renamed)] = renamed
        return len(theirs)


def _key(notification: Notification) -> tuple[UUID, Channel, str]:
    return (notification.event_id, notification.channel, notification.recipient)


class MemoryNotifier(Notifier, CheckedService):
    """A notifier that delivers nothing and keeps messages in `sent`, the oldest first."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    @override
    def send(self, message: Message) -> None:
        """Keep the message. This never fails."""
        self.sent.append(message)

    @override
    def check_connection(self) -> str:
        return "messages are kept in memory and not delivered"
