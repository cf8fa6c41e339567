"""How an order moves from one status to the next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """How far an order has got."""

    PENDING = "pending"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """Not paid in time."""
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"
    """All of it has shipped."""
    COMPLETED = "completed"
    """The shopper has it, and nothing is left to do."""
    REFUNDED = "refunded"
    """All the money went back."""


_S = OrderStatus
TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    _S.PENDING: frozenset({_S.PAID, _S.PAYMENT_FAILED, _S.CANCELED, _S.EXPIRED}),
    _S.PAYMENT_FAILED: frozenset({_S.PENDING, _S.CANCELED, _S.EXPIRED}),
    _S.PAID: frozenset({_S.PARTIALLY_FULFILLED, _S.FULFILLED, _S.CANCELED, _S.REFUNDED}),
    _S.PARTIALLY_FULFILLED: frozenset({_S.PARTIALLY_FULFILLED, _S.FULFILLED, _S.REFUNDED}),
    _S.FULFILLED: frozenset({_S.COMPLETED, _S.REFUNDED}),
    _S.COMPLETED: frozenset({_S.REFUNDED}),
    _S.CANCELED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REFUNDED: frozenset(),
}
"""Which status may follow which; every other pair is refused."""

HOLDS_STOCK: Final = frozenset({_S.PENDING, _S.PAID, _S.PARTIALLY_FULFILLED})
"""Orders that units are promised to which have not shipped."""
UNPAID: Final = frozenset({_S.PENDING, _S.PAYMENT_FAILED})
"""Orders that wait for their money."""
ENDED_UNPAID: Final = frozenset({_S.CANCELED, _S.EXPIRED})
"""Orders that will not ship: money that comes for them goes back."""
