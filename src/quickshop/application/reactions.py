"""The effects of each event. An event and an effect together make one job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quickshop.application.identity.mails import MailOneTimeToken, NotifyAccount
from quickshop.application.imports import FailImport, RunImport
from quickshop.application.jobs import Handler
from quickshop.application.notifications import NotifyShopper, NotifyStaff
from quickshop.application.payments import ProcessOrder, SettlePayments
from quickshop.domain.events import DomainEvent
from quickshop.domain.identity import (
    ApiKeyMade,
    EmailChanged,
    OneTimeTokenRequested,
    PasswordChanged,
)
from quickshop.domain.imports import ImportEvent, ImportPaused, ImportRequested
from quickshop.domain.inventory import LowStock
from quickshop.domain.money import Money
from quickshop.domain.notifications import MessageKind
from quickshop.domain.orders import (
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentRetried,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
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
    OrderExpired: ("mail_cancellation",),
    OrderShipped: ("mail_shipped",),
    OrderRefunded: ("mail_refunded",),
    LowStock: ("mail_low_stock",),
    OneTimeTokenRequested: ("mail_one_time_token",),
    PasswordChanged: ("mail_password_changed",),
    EmailChanged: ("mail_email_changed",),
    ApiKeyMade: ("mail_api_key_made",),
    ImportRequested: ("run_import",),
    ImportPaused: ("run_import",),
}

_NOT_PAID: Final = "it was not paid in time"


def build_handlers(
    *,
    process_order: ProcessOrder,
    settle_payments: SettlePayments,
    notify: NotifyShopper,
    notify_staff: NotifyStaff,
    mail_token: MailOneTimeToken,
    notify_account: NotifyAccount,
    run_import: RunImport,
) -> Mapping[str, Handler]:
    """Return the handler of each effect named in `REACTIONS`."""

    def process(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderEvent | PaymentCheckDue)
        process_order(event.order_id)
        if job.attempts > 1:
            # An earlier attempt may have died with a charge for an order that was canceled since.
            settle_payments(event.order_id)

    def settle(job: Job) -> None:
        assert isinstance(job.event, PaymentEvent)
        settle_payments(job.event.order_id)

    def mail_low_stock(job: Job) -> None:
        assert isinstance(job.event, LowStock)
        notify_staff(job.event_id, job.event)

    def continue_import(job: Job) -> None:
        assert isinstance(job.event, ImportEvent)
        run_import(job.event.import_id)

    return {
        "process_order": process,
        "settle_payments": settle,
        "mail_low_stock": mail_low_stock,
        "run_import": continue_import,
        **_mails(notify),
        **_account_mails(mail_token, notify_account),
    }


def build_last_steps(*, fail_import: FailImport) -> Mapping[str, Handler]:
    """Return the handlers that run before a job of an effect fails permanently."""

    def end_import(job: Job) -> None:
        assert isinstance(job.event, ImportEvent)
        fail_import(job.event.import_id)

    return {"run_import": end_import}


def _mails(notify: NotifyShopper) -> Mapping[str, Handler]:
    """Return the handlers that email shoppers about their orders."""

    def mail_confirmation(job: Job) -> None:
        assert isinstance(job.event, OrderPaid)
        notify(job.event_id, MessageKind.ORDER_CONFIRMATION, job.event.order_id)

    def mail_payment_failed(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderPaymentFailed)
        notify(job.event_id, MessageKind.PAYMENT_FAILED, event.order_id, note=event.reason)

    def mail_cancellation(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderCanceled | OrderExpired)
        why = event.reason if isinstance(event, OrderCanceled) else _NOT_PAID
        notify(job.event_id, MessageKind.ORDER_CANCELED, event.order_id, note=why)

    def mail_shipped(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderShipped)
        kind = MessageKind.ORDER_SHIPPED
        notify(job.event_id, kind, event.order_id, fulfillment_id=event.fulfillment_id)

    def mail_refunded(job: Job) -> None:
        event = job.event
        assert isinstance(event, OrderRefunded)
        back = Money(event.amount_minor, event.currency)
        kind = MessageKind.ORDER_REFUNDED
        notify(job.event_id, kind, event.order_id, note=event.reason, amount=back)

    return {
        "mail_confirmation": mail_confirmation,
        "mail_payment_failed": mail_payment_failed,
        "mail_cancellation": mail_cancellation,
        "mail_shipped": mail_shipped,
        "mail_refunded": mail_refunded,
    }


def _account_mails(
    mail_token: MailOneTimeToken, notify_account: NotifyAccount
) -> Mapping[str, Handler]:
    def mail_one_time_token(job: Job) -> None:
        assert isinstance(job.event, OneTimeTokenRequested)
        mail_token(job.event_id, job.event.token_id)

    def mail_password_changed(job: Job) -> None:
        assert isinstance(job.event, PasswordChanged)
        notify_account(job.event_id, MessageKind.PASSWORD_CHANGED, job.event.account_id)

    def mail_email_changed(job: Job) -> None:
        event = job.event
        assert isinstance(event, EmailChanged)
        kind = MessageKind.EMAIL_CHANGED
        notify_account(job.event_id, kind, event.account_id, email=event.old_email)

    def mail_api_key_made(job: Job) -> None:
        assert isinstance(job.event, ApiKeyMade)
        notify_account(job.event_id, MessageKind.API_KEY_MADE, job.event.account_id)

    return {
        "mail_api_key_made": mail_api_key_made,
        "mail_one_time_token": mail_one_time_token,
        "mail_password_changed": mail_password_changed,
        "mail_email_changed": mail_email_changed,
    }
