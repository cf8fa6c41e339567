"""Payments: one per attempt to pay an order, with its refunds."""

from quickshop.domain.payments.card_numbers import looks_like_card_number
from quickshop.domain.payments.events import (
    PaymentAttempted,
    PaymentCaptureRequested,
    PaymentCheckDue,
    PaymentEvent,
    PaymentId,
    PaymentMoved,
    PaymentVoidRequested,
    RefundMoved,
    RefundRequested,
)
from quickshop.domain.payments.payment import Payment, Refund, RefundId
from quickshop.domain.payments.source import (
    MAX_METHOD_LENGTH,
    MAX_REFERENCE_LENGTH,
    MAX_TOKEN_LENGTH,
    PaymentSource,
)
from quickshop.domain.payments.status import (
    CAN_EXPIRE,
    OPEN,
    TRANSITIONS,
    CaptureMethod,
    PaymentStatus,
    RefundStatus,
)

__all__ = [
    "CAN_EXPIRE",
    "MAX_METHOD_LENGTH",
    "MAX_REFERENCE_LENGTH",
    "MAX_TOKEN_LENGTH",
    "OPEN",
    "TRANSITIONS",
    "CaptureMethod",
    "Payment",
    "PaymentAttempted",
    "PaymentCaptureRequested",
    "PaymentCheckDue",
    "PaymentEvent",
    "PaymentId",
    "PaymentMoved",
    "PaymentSource",
    "PaymentStatus",
    "PaymentVoidRequested",
    "Refund",
    "RefundId",
    "RefundMoved",
    "RefundRequested",
    "RefundStatus",
    "looks_like_card_number",
]
