"""How an attempt to pay moves from one status to the next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class PaymentStatus(StrEnum):
    """What is known of an attempt."""

    PENDING = "pending"
    """The gateway has not been called."""
    PROCESSING = "processing"
    """A call is or was under way."""
    REQUIRES_ACTION = "requires_action"
    """The shopper is to prove to their bank that it is them (3-D Secure)."""
    UNKNOWN = "unknown"
    """A call got no answer: the money may have moved or not."""
    AUTHORIZED = "authorized"
    """The money is set aside for the shop; it has not moved."""
    CAPTURING = "capturing"
    """The money that was set aside is being taken."""
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDING = "voiding"
    """What was set aside, or asked for, is being let go."""
    CANCELED = "canceled"
    """Called off before any money moved."""
    REFUNDED = "refunded"
    """All that was captured went back."""


class CaptureMethod(StrEnum):
    """When money that was authorized is taken."""

    AUTOMATIC = "automatic"
    """At once."""
    MANUAL = "manual"
    """When staff say so."""


class RefundStatus(StrEnum):
    """What is known of a refund."""

    PENDING = "pending"
    """Asked for; it counts as refunded until it is known to have failed."""
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
    # What everyone had given up on may still come back with the money.
    _S.DECLINED: frozenset({_S.AUTHORIZED, _S.CAPTURED}),
    _S.CANCELED: frozenset({_S.AUTHORIZED, _S.CAPTURED}),
    _S.REFUNDED: frozenset(),
}
"""Which status may follow which; every other pair is refused."""

OPEN: Final = frozenset({_S.PENDING, _S.PROCESSING, _S.REQUIRES_ACTION, _S.UNKNOWN})
"""Attempts that may still set money aside or take it."""
CAN_EXPIRE: Final = frozenset(
    {_S.REQUIRES_ACTION, _S.DECLINED, _S.CANCELED, _S.CAPTURED, _S.REFUNDED}
)
"""Attempts that keep an unpaid order from nothing: they wait for the shopper at most.

What was captured for an order that is not paid came too late, and goes back.
"""
