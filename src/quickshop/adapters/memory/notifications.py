"""Delivery records in memory, and a mailbox to look into."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.customers import CustomerId
from quickshop.domain.notifications import Channel, Notification
from quickshop.ports.notifications import Message


class MemoryNotifications:
    """The delivery records: one per event, channel and recipient."""

    def __init__(self, session: MemorySession) -> None:
        self._state = session.state

    def claim(self, notification: Notification) -> bool:
        """As `NotificationRepository.claim`."""
        order_id = notification.order_id
        assert order_id is None or order_id in self._state.orders, "no such order"
        record = self._state.notifications.setdefault(_key(notification), notification)
        return record.sent_at is None

    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        """As `NotificationRepository.mark_sent`."""
        key = _key(notification)
        assert key in self._state.notifications, "a message is claimed before it is sent"
        record = self._state.notifications[key]
        self._state.notifications[key] = replace(record, sent_at=now)

    def forget_recipient(self, customer_id: CustomerId, *, instead: str) -> int:
        """As `NotificationRepository.forget_recipient`."""
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


class MemoryNotifier:
    """Delivers nothing: what was sent can be read in `sent`, the first one first."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        """As `Notifier.send`; never fails."""
        self.sent.append(message)
