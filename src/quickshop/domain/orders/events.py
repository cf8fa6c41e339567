"""The events of an order, which form its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from quickshop.domain.events import DomainEvent

OrderId = NewType("OrderId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(DomainEvent):
    """An event of one order. All of them in sequence are its timeline."""

    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(OrderEvent):
    """A cart became an order: its stock is allocated, and payment is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaid(OrderEvent):
    """The payment was captured: the whole total, or the part that staff chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentFailed(OrderEvent):
    """The payment was declined and the stock released; the shopper may pay again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentRetried(OrderEvent):
    """The shopper started another payment; the stock was allocated again."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled(OrderEvent):
    """The order was canceled: its stock is released and its payment refunded."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired(OrderEvent):
    """The order was not paid in time; its stock is released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpiryPutOff(OrderEvent):
    """The expiry was postponed, because the result of the payment is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAuthorized(OrderEvent):
    """The total was authorized; staff can capture it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentActionRequired(OrderEvent):
    """The shopper must authenticate the payment with their bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePaymentCaptured(OrderEvent):
    """A payment arrived that this order no longer needs; it is refunded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefunded(OrderEvent):
    """An amount was refunded to the shopper."""

    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefundFailed(OrderEvent):
    """The gateway refused a refund; staff must resolve it."""

    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped(OrderEvent):
    """A fulfillment was shipped."""

    fulfillment_id: UUID
    tracking_number: str
    carrier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted(OrderEvent):
    """The shopper has received everything; the order is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNoted(OrderEvent):
    """Staff added a note."""

    note: str
