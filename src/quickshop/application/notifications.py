"""Use cases that tell people what happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from quickshop.application.retries import retried
from quickshop.domain.notifications import Channel, MessageKind, Notification
from quickshop.domain.orders import OrderId
from quickshop.ports.clock import Clock
from quickshop.ports.notifications import Notifier, OrderMessage
from quickshop.ports.orders import OrderReader
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class NotifyShopper:
    """Mail the shopper about their order."""

    unit_of_work: UnitOfWork
    clock: Clock
    orders: OrderReader
    notifier: Notifier
    shop_name: str

    def __call__(
        self, event_id: UUID, kind: MessageKind, order_id: OrderId, *, note: str = ""
    ) -> bool:
        """Tell whether a mail went out: one per event, however often this is repeated.

        Only a crash between sending and writing that down, or a mail server slower than the lease
        of a job, can send it twice; nothing can lose it.

        Raises:
            NotFoundError: no such order.
            TransientError: the mail was not taken; try again.
        """
        order = self.orders.get(order_id)
        notification = Notification(
            event_id=event_id,
            channel=Channel.EMAIL,
            recipient=order.email,
            kind=kind,
            order_id=order_id,
            created_at=self.clock.now(),
        )
        if not self._claim(notification):
            return False
        self.notifier.send(
            OrderMessage(
                kind=kind,
                recipient=order.email,
                order=order,
                shop_name=self.shop_name,
                key=f"{event_id}.{kind}",
                note=note,
            )
        )
        self._mark_sent(notification)
        return True

    @retried
    def _claim(self, notification: Notification) -> bool:
        with self.unit_of_work() as tx:
            return tx.notifications.claim(notification)

    @retried
    def _mark_sent(self, notification: Notification) -> None:
        with self.unit_of_work() as tx:
            tx.notifications.mark_sent(notification, now=self.clock.now())
