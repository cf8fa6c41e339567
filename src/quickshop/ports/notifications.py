"""What the shop needs to tell people things."""

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
    """The delivery records, as seen from inside one transaction."""

    def claim(self, notification: Notification) -> bool:
        """Record that this message is to be sent; False when it was sent before.

        One record exists per event, channel and recipient.
        """
        ...

    def mark_sent(self, notification: Notification, *, now: datetime) -> None:
        """Record that it was sent."""
        ...

    def forget_recipient(self, customer_id: CustomerId, *, instead: str) -> int:
        """Let the records about a customer's orders name another recipient; tell how many."""
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
    """Why, in the shop's words: a decline reason or that of a cancellation or a refund."""
    parcel: FulfillmentView | None = None
    """What is on its way, of an order that shipped."""
    amount: Money | None = None
    """What went back, of an order that was refunded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMessage:
    """A message to staff about one stock level."""

    kind: MessageKind
    recipient: str
    sku: str
    title: str
    location: str
    free: int
    """Units that nobody was promised; below 0 what is owed to back-orders."""
    threshold: int
    shop_name: str
    key: str
    """As that of an `OrderMessage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMessage:
    """A message to somebody about their account."""

    kind: MessageKind
    recipient: str
    shop_name: str
    key: str
    """As that of an `OrderMessage`."""
    secret: str = field(default="", repr=False)
    """What they prove with that they read it; empty when there is nothing to prove."""
    link: str = field(default="", repr=False)
    """Where the secret can be used; empty when the shop has no page for it."""


Message = OrderMessage | StockMessage | AccountMessage
"""What a `Notifier` is given to send."""


class Notifier(Protocol):
    """Sends messages. Called outside every transaction.

    A notifier that is also a `CheckedService` is tried by `quickshop doctor`.
    """

    def send(self, message: Message) -> None:
        """Hand the message over for delivery.

        Raises:
            TransientError: it was not taken now; try again.
            AdapterError: it will not be taken.
        """
        ...
