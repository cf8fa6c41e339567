"""What the shop needs to tell people things."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from quickshop.domain.notifications import MessageKind, Notification
from quickshop.ports.orders import OrderView


class NotificationRepository(Protocol):
    """The delivery records, as seen from inside one transaction."""

    def claim(self, notification: Notification) -> bool:
        """Record that this message is to be sent; False when it was sent before.

        One record exists per event, channel and recipient.
        """
        ...

    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        """Record that it was sent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMessage:
    """A message to one person about one order."""

    kind: MessageKind
    recipient: str
    order: OrderView
    shop_name: str
    key: str
    """Names this message; the same on every try, so that a recipient's server may drop copies."""
    note: str = ""
    """Why, in the shop's words: a decline reason or the reason of a cancellation."""


class Notifier(Protocol):
    """Sends messages. Called outside every transaction."""

    def send(self, message: OrderMessage) -> None:
        """Hand the message over for delivery.

        Raises:
            TransientError: it was not taken now; try again.
            AdapterError: it will not be taken.
        """
        ...
