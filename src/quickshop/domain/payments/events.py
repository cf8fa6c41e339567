"""The events of a payment."""

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
    """An event of one payment attempt."""

    order_id: OrderId
    payment_id: PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAttempted(PaymentEvent):
    """An attempt was created, before the gateway is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMoved(PaymentEvent):
    """The status of an attempt changed."""

    status: PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCheckDue(PaymentEvent):
    """The gateway has not answered for a while and must be asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptureRequested(PaymentEvent):
    """The capture of an authorization was requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoidRequested(PaymentEvent):
    """The voiding of an authorization, or of the request for one, was requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested(PaymentEvent):
    """A refund was requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMoved(PaymentEvent):
    """The status of a refund changed."""

    number: int
    status: RefundStatus
