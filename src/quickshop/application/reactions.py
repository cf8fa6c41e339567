"""Which events have which effects. An event and an effect together make one job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quickshop.application.jobs import Handler
from quickshop.application.notifications import NotifyShopper
from quickshop.application.payments import ProcessOrder, SettlePayments
from quickshop.domain.events import DomainEvent
from quickshop.domain.notifications import MessageKind
from quickshop.domain.orders import (
    OrderCanceled,
    OrderEvent,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentRetried,
    OrderPlaced,
)
from quickshop.domain.payments import (
    PaymentCaptureRequested,
    PaymentCheckDue,
    PaymentEvent,
    PaymentVoidRequested,
    RefundRequested,
)
from quickshop.ports.jobs import Job

REACTIONS: Final[Mapping[type[DomainEvent], tuple[str, ...]]] = {
    OrderPlaced: ("process_order",),
    OrderPaymentRetried: ("process_order",),
    PaymentCheckDue: ("process_order", "settle_payments"),
    PaymentCaptureRequested: ("settle_payments",),
    PaymentVoidRequested: ("settle_payments",),
    RefundRequested: ("settle_payments",),
    OrderPaid: ("mail_confirmation",),
    OrderPaymentFailed: ("mail_payment_failed",),
    OrderCanceled: ("mail_cancellation",),
}


def build_handlers(
    *,
    process_order: ProcessOrder,
    settle_payments: SettlePayments,
    notify: NotifyShopper,
) -> Mapping[str, Handler]:
    """What to do for each effect named in `REACTIONS`."""

    def process(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderEvent | PaymentCheckDue)
        process_order(event.order_id)
        if job.attempts > 1:
            # An earlier try may have died holding money for an order canceled since.
            settle_payments(event.order_id)

    def settle(job: Job) -> None:
        assert isinstance(job.event, PaymentEvent)
        settle_payments(job.event.order_id)

    def mail_confirmation(job: Job) -> None:
        assert isinstance(job.event, OrderPaid)
        notify(job.event_id, MessageKind.ORDER_CONFIRMATION, job.event.order_id)

    def mail_payment_failed(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderPaymentFailed)
        notify(job.event_id, MessageKind.PAYMENT_FAILED, event.order_id, note=event.reason)

    def mail_cancellation(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderCanceled)
        notify(job.event_id, MessageKind.ORDER_CANCELED, event.order_id, note=event.reason)

    return {
        "process_order": process,
        "settle_payments": settle,
        "mail_confirmation": mail_confirmation,
        "mail_payment_failed": mail_payment_failed,
        "mail_cancellation": mail_cancellation,
    }
