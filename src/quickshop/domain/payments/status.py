"""The statuses of payments and refunds, and the transitions between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class PaymentStatus(StrEnum):
    """The known state of an attempt."""

    PENDING = "pending"
    """The gateway has not been called."""
    PROCESSING = "processing"
    """A call has started, and may have ended."""
    REQUIRES_ACTION = "requires_action"
    """The shopper must authenticate the payment with their bank (3-D Secure)."""
    UNKNOWN = "unknown"
    """The gateway did not answer: the money may have moved or not."""
    AUTHORIZED = "authorized"
    """The money is reserved for the shop; it has not moved."""
    CAPTURING = "capturing"
    """The authorized money is being captured."""
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDING = "voiding"
    """The authorization, or the request for one, is being voided."""
    CANCELED = "canceled"
    """Canceled before any money moved."""
    REFUNDED = "refunded"
    """The whole captured amount went back."""


class CaptureMethod(StrEnum):
    """When authorized money is captured."""

    AUTOMATIC = "automatic"
    """Immediately."""
    MANUAL = "manual"
    """When staff request it."""


class RefundStatus(StrEnum):
    """The known state of a refund."""

    PENDING = "pending"
    """Requested; it counts as refunded until it is known to have failed."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_S = PaymentStatus
_OUTCOMES: Final = frozenset(
    {
        _S.REQUIRES_ACTION,
        _S.UNKNOWN,
        _S.AUTHORIZED,
        _S.CAPTURED,
        _S.DECLINED,
        _S.VOIDING,
        _S.CANCELED,
    }
)

TRANSITIONS: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    _S.PENDING: frozenset({_S.PROCESSING, _S.CANCELED}),
    _S.PROCESSING: _OUTCOMES | {_S.PROCESSING},
    _S.UNKNOWN: _OUTCOMES | {_S.PROCESSING},
    _S.REQUIRES_ACTION: _OUTCOMES,
    _S.AUTHORIZED: frozenset({_S.CAPTURING, _S.CAPTURED, _S.VOIDING, _S.CANCELED}),
    _S.CAPTURING: frozenset({_S.CAPTURED, _S.DECLINED}),
    _S.VOIDING: frozenset({_S.CANCELED, _S.CAPTURED}),
    _S.CAPTURED: frozenset({_S.REFUNDED}),
    # A gateway may still report money for an attempt that was closed without it.
    _S.DECLINED: frozenset({_S.AUTHORIZED, _S.CAPTURED}),
    _S.CANCELED: frozenset({_S.AUTHORIZED, _S.CAPTURED}),
    _S.REFUNDED: frozenset(),
}
"""The statuses that may follow each status; all others are refused."""

OPEN: Final = frozenset({_S.PENDING, _S.PROCESSING, _S.REQUIRES_ACTION, _S.UNKNOWN})
"""Statuses of attempts that may still authorize or capture money."""
CAN_EXPIRE: Final = frozenset(
    {_S.REQUIRES_ACTION, _S.DECLINED, _S.CANCELED, _S.CAPTURED, _S.REFUNDED}
)
"""Statuses of attempts that do not keep an unpaid order from expiring.

At most they wait for the shopper. A capture for an order that is not paid came too late, and is
refunded.
"""
