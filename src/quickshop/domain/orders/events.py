"""What happens to an order, in the past tense: its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from quickshop.domain.events import DomainEvent

OrderId = NewType("OrderId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(DomainEvent):
    """Something about one order. Its timeline is the sequence of these."""

    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(OrderEvent):
    """A cart became an order; its stock is taken and its payment is to be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaid(OrderEvent):
    """Its money was captured: the whole total, or the part of it that staff took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentFailed(OrderEvent):
    """The payment was declined and the stock given back; another attempt may be made."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentRetried(OrderEvent):
    """The shopper pays another way; stock was taken anew."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled(OrderEvent):
    """It will not ship; its stock is given back and its money returned."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired(OrderEvent):
    """It was not paid in time; its stock is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpiryPutOff(OrderEvent):
    """It is not given up yet: what the gateway did is still to be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAuthorized(OrderEvent):
    """The whole total is set aside for the shop; staff take it when they want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentActionRequired(OrderEvent):
    """The shopper is to prove to their bank that it is them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePaymentCaptured(OrderEvent):
    """Money arrived that this order did not wait for any more; it goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefunded(OrderEvent):
    """Money went back to the shopper."""

    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefundFailed(OrderEvent):
    """The gateway refused to send money back; someone is to see to it."""

    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped(OrderEvent):
    """A parcel is on its way."""

    fulfillment_id: UUID
    tracking_number: str
    carrier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted(OrderEvent):
    """The shopper has it, and nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNoted(OrderEvent):
    """Someone wrote something down about it."""

    note: str
