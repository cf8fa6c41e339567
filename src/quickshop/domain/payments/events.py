"""What happens to a payment, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from quickshop.domain.events import DomainEvent
from quickshop.domain.orders import OrderId
from quickshop.domain.payments.status import PaymentStatus, RefundStatus

PaymentId = NewType("PaymentId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent(DomainEvent):
    """Something about one attempt."""

    order_id: OrderId
    payment_id: PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAttempted(PaymentEvent):
    """An attempt was written down, before the gateway hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMoved(PaymentEvent):
    """More is known of an attempt."""

    status: PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCheckDue(PaymentEvent):
    """The gateway owes an answer for long enough to be asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptureRequested(PaymentEvent):
    """What was authorized is to be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoidRequested(PaymentEvent):
    """What was authorized, or asked for, is to be let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested(PaymentEvent):
    """Money is to go back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMoved(PaymentEvent):
    """More is known of a refund."""

    number: int
    status: RefundStatus
