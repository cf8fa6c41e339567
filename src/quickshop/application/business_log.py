"""The business log: records of committed changes.

Records contain ids, numbers and amounts, and neither free text nor personal data.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.identity import (
    Account,
    AccountDisabled,
    AccountEnabled,
    AccountErased,
    AccountOpened,
    ApiKey,
    ApiKeyMade,
    ApiKeyRevoked,
    EmailChanged,
    PasswordChanged,
    Role,
    RoleChanged,
    RoleGranted,
    RoleRevoked,
    Session,
    SessionOpened,
    SessionRevoked,
)
from quickshop.domain.money import Money
from quickshop.domain.orders import (
    LatePaymentCaptured,
    Order,
    OrderAuthorized,
    OrderCanceled,
    OrderCompleted,
    OrderExpired,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentRetried,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
)
from quickshop.domain.payments import (
    Payment,
    PaymentMoved,
    PaymentStatus,
    RefundMoved,
    RefundStatus,
)

_orders: Final = logging.getLogger("quickshop.orders")
_payments: Final = logging.getLogger("quickshop.payments")
_identity: Final = logging.getLogger("quickshop.identity")

_OF_ORDERS: Final[Mapping[type[DomainEvent], str]] = {
    OrderPlaced: "order placed",
    OrderAuthorized: "order authorized",
    OrderPaid: "order paid",
    OrderPaymentFailed: "order not paid",
    OrderPaymentRetried: "order to be paid another way",
    OrderCanceled: "order canceled",
    OrderExpired: "order expired",
    OrderShipped: "order shipped",
    OrderCompleted: "order completed",
    OrderRefunded: "order refunded",
    LatePaymentCaptured: "order paid too late",
}
_OF_PAYMENTS: Final[Mapping[PaymentStatus, str]] = {
    PaymentStatus.REQUIRES_ACTION: "payment to be proven by the shopper",
    PaymentStatus.UNKNOWN: "payment unknown",
    PaymentStatus.AUTHORIZED: "payment authorized",
    PaymentStatus.CAPTURED: "payment captured",
    PaymentStatus.DECLINED: "payment declined",
    PaymentStatus.CANCELED: "payment canceled",
}
_OF_REFUNDS: Final[Mapping[RefundStatus, str]] = {
    RefundStatus.SUCCEEDED: "refund sent",
    RefundStatus.FAILED: "refund refused",
}

_OF_ACCOUNTS: Final[Mapping[type[DomainEvent], str]] = {
    AccountOpened: "account opened",
    PasswordChanged: "password changed",
    EmailChanged: "email address changed",
    AccountDisabled: "account disabled",
    AccountEnabled: "account enabled",
    AccountErased: "account erased",
    RoleGranted: "role granted",
    RoleRevoked: "role revoked",
    SessionOpened: "signed in",
    SessionRevoked: "signed out",
    ApiKeyMade: "API key made",
    ApiKeyRevoked: "API key revoked",
}


def report(saved: Aggregate, events: Sequence[DomainEvent]) -> None:
    """Log the events of a saved aggregate. Pending steps are not logged."""
    match saved:
        case Order() if _orders.isEnabledFor(logging.INFO):
            for event in events:
                _report_order(saved, event)
        case Payment() if _payments.isEnabledFor(logging.INFO):
            for event in events:
                _report_payment(saved, event)
        case Account() | Session() | ApiKey() if _identity.isEnabledFor(logging.INFO):
            for event in events:
                _report_identity(saved, event)
        case Role():
            for event in events:
                assert isinstance(event, RoleChanged)
                held = sorted(saved.permissions)
                _identity.info("role changed", extra={"role": saved.name, "permissions": held})
        case _:
            pass


def _report_identity(saved: Account | Session | ApiKey, event: DomainEvent) -> None:
    message = _OF_ACCOUNTS.get(type(event))
    if message is None:
        return
    facts: dict[str, object] = {}
    match saved:
        case Account():
            facts["account_id"] = saved.id
        case Session():
            facts |= {"account_id": saved.account_id, "session_id": saved.id}
        case ApiKey():
            facts |= {"account_id": saved.account_id, "api_key_id": saved.id}
    match event:
        case RoleGranted(role=role) | RoleRevoked(role=role):
            facts["role"] = role
        case SessionRevoked(reason=reason):
            facts["reason"] = reason
        case _:
            pass
    _identity.info(message, extra=facts)


def _report_order(order: Order, event: DomainEvent) -> None:
    amount = order.total
    if isinstance(event, OrderRefunded):
        amount = Money(event.amount_minor, event.currency)
    if message := _OF_ORDERS.get(type(event)):
        facts: dict[str, object] = {"order_id": order.id, "number": order.number}
        if order.customer_id is not None:
            facts["customer_id"] = order.customer_id
        _orders.info(message, extra=facts | _money(amount))


def _report_payment(payment: Payment, event: DomainEvent) -> None:
    facts = {
        "order_id": payment.order_id,
        "payment_id": payment.id,
        "attempt": payment.attempt,
    }
    match event:
        case PaymentMoved(status=status) if status in _OF_PAYMENTS:
            moved = Money(payment.captured_minor, payment.amount.currency)
            amount = moved if status is PaymentStatus.CAPTURED else payment.amount
            _payments.info(_OF_PAYMENTS[status], extra=facts | _money(amount))
        case RefundMoved(number=number, status=outcome) if outcome in _OF_REFUNDS:
            amount = next(each.amount for each in payment.refunds if each.number == number)
            _payments.info(_OF_REFUNDS[outcome], extra=facts | {"refund": number} | _money(amount))
        case _:
            pass


def _money(amount: Money) -> dict[str, object]:
    return {"amount_minor": amount.minor, "currency": amount.currency}
