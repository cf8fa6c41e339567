"""Ports that record and send messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from quickshop.domain.customers import CustomerId
from quickshop.domain.money import Money
from quickshop.domain.notifications import MessageKind, Notification
from quickshop.ports.fulfillment import FulfillmentView
from quickshop.ports.orders import OrderView


class NotificationRepository(Protocol):
    """The delivery records in one transaction."""

    def claim(self, notification: Notification) -> bool:
        """Record that this message must be sent; return False if it has been sent.

        There is one record per event, channel and recipient.
        """
        ...

    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        """Record that the message was sent."""
        ...

    def replace_recipient(self, customer_id: CustomerId, *, instead: str) -> int:
        """Replace the recipient in records about a customer's orders; return how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMessage:
    """A message to one person about one order."""

    kind: MessageKind
    recipient: str
    order: OrderView
    shop_name: str
    key: str
    """Identifies the message; the same on every try, so that mail servers can drop duplicates."""
    note: str = ""
    """The reason of a decline, a cancellation or a refund."""
    parcel: FulfillmentView | None = None
    """The fulfillment, for a shipped order."""
    amount: Money | None = None
    """The refunded amount, for a refunded order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMessage:
    """A message to staff about one stock level."""

    kind: MessageKind
    recipient: str
    sku: str
    title: str
    location: str
    free: int
    """Units neither allocated nor held; negative when back-orders exceed the stock."""
    threshold: int
    shop_name: str
    key: str
    """As in `OrderMessage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMessage:
    """A message to a person about their account."""

    kind: MessageKind
    recipient: str
    shop_name: str
    key: str
    """As in `OrderMessage`."""
    secret: str = field(default="", repr=False)
    """The secret that proves that the recipient reads the address; empty if none is needed."""
    link: str = field(default="", repr=False)
    """The URL of the page that takes the secret; empty if the shop has no such page."""


Message = OrderMessage | StockMessage | AccountMessage
"""A message for a `Notifier` to send."""


class Notifier(Protocol):
    """Sends messages. It is never called inside a transaction.

    `quickshop doctor` checks a notifier that is also a `CheckedService`.
    """

    def send(self, message: Message) -> None:
        """Hand the message over for delivery.

        Raises:
            TransientError: the message was not accepted now; try again.
            AdapterError: the message is refused permanently.
        """
        ...
