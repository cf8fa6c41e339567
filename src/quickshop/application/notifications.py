"""Use cases that notify shoppers and staff by email."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from quickshop.application.repeated_transactions import retried
from quickshop.domain.customers import is_erased
from quickshop.domain.errors import NotFoundError
from quickshop.domain.inventory import LowStock
from quickshop.domain.money import Money
from quickshop.domain.notifications import Channel, MessageKind, Notification
from quickshop.domain.orders import OrderId
from quickshop.ports.clock import Clock
from quickshop.ports.fulfillment import FulfillmentView
from quickshop.ports.inventory import StockReader
from quickshop.ports.notifications import Notifier, OrderMessage, StockMessage
from quickshop.ports.orders import OrderReader, OrderView
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class NotifyShopper:
    """Email the shopper about their order."""

    unit_of_work: UnitOfWork
    clock: Clock
    orders: OrderReader
    notifier: Notifier
    shop_name: str

    def __call__(
        self,
        event_id: UUID,
        kind: MessageKind,
        order_id: OrderId,
        *,
        note: str = "",
        fulfillment_id: UUID | None = None,
        amount: Money | None = None,
    ) -> bool:
        """Return whether an email was sent: one per event, also if this is repeated.

        It is never lost. It is sent twice only after a crash between sending and recording, or
        if the mail server takes longer than the job's lease.

        Raises:
            NotFoundError: no order has this id.
            TransientError: the mail server did not accept it; try again.
        """
        order = self.orders.get(order_id)
        if is_erased(order.email):
            return False
        notification = Notification(
            event_id=event_id,
            channel=Channel.EMAIL,
            recipient=order.email,
            kind=kind,
            order_id=order_id,
            created_at=self.clock.now(),
        )
        if not _claim(self.unit_of_work, notification):
            return False
        self.notifier.send(
            OrderMessage(
                kind=kind,
                recipient=order.email,
                order=order,
                shop_name=self.shop_name,
                key=f"{event_id}.{kind}",
                note=note,
                parcel=None if fulfillment_id is None else _parcel(order, fulfillment_id),
                amount=amount,
            )
        )
        mark_sent(self.unit_of_work, notification, self.clock)
        return True


@dataclass(frozen=True, slots=True)
class NotifyStaff:
    """Email the staff about low stock."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: StockReader
    notifier: Notifier
    shop_name: str
    recipient: str | None
    """The staff's email address; None sends nothing."""

    def __call__(self, event_id: UUID, event: LowStock) -> bool:
        """Return whether an email was sent: one per event, as `NotifyShopper` describes.

        Raises:
            TransientError: the mail server did not accept it; try again.
        """
        if self.recipient is None:
            return False
        kind = MessageKind.LOW_STOCK
        notification = Notification(
            event_id=event_id,
            channel=Channel.EMAIL,
            recipient=self.recipient,
            kind=kind,
            order_id=None,
            created_at=self.clock.now(),
        )
        if not _claim(self.unit_of_work, notification):
            return False
        titles = [view.title for view in self.stock.list(sku=event.sku, limit=1).items]
        self.notifier.send(
            StockMessage(
                kind=kind,
                recipient=self.recipient,
                sku=event.sku,
                title=titles[0] if titles else event.sku,
                location=event.location,
                free=event.free,
                threshold=event.threshold,
                shop_name=self.shop_name,
                key=f"{event_id}.{kind}",
            )
        )
        mark_sent(self.unit_of_work, notification, self.clock)
        return True


@retried
def _claim(unit_of_work: UnitOfWork, notification: Notification) -> bool:
    with unit_of_work() as tx:
        return tx.notifications.claim(notification)


@retried
def mark_sent(unit_of_work: UnitOfWork, notification: Notification, clock: Clock) -> None:
    """Record that a message was sent."""
    with unit_of_work() as tx:
        tx.notifications.mark_sent(notification, now=clock.now())


def _parcel(order: OrderView, fulfillment_id: UUID) -> FulfillmentView:
    for parcel in order.fulfillments:
        if parcel.id == fulfillment_id:
            return parcel
    raise NotFoundError("fulfillment")
