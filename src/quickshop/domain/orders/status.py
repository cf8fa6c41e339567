"""The statuses of orders, and the transitions between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """The progress of an order."""

    PENDING = "pending"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """Not paid in time."""
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"
    """Everything has shipped."""
    COMPLETED = "completed"
    """The shopper has received everything; the order is closed."""
    REFUNDED = "refunded"
    """The whole payment went back."""


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
"""The statuses that may follow each status; all others are refused."""

HOLDS_STOCK: Final = frozenset({_S.PENDING, _S.PAID, _S.PARTIALLY_FULFILLED})
"""Orders with allocated units that have not shipped."""
UNPAID: Final = frozenset({_S.PENDING, _S.PAYMENT_FAILED})
"""Orders that wait for payment."""
CANCELED_OR_EXPIRED: Final = frozenset({_S.CANCELED, _S.EXPIRED})
"""Orders that will not ship; a payment that arrives for them is refunded."""
