"""The port that stores fulfillments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from quickshop.domain.fulfillment import Fulfillment, FulfillmentId
from quickshop.domain.orders import OrderId


class FulfillmentRepository(Protocol):
    """The fulfillments in one transaction. Lock their order first."""

    def add(self, fulfillment: Fulfillment) -> None:
        """Store a fulfillment; it never changes.

        Raises:
            ConflictError: the order already has a fulfillment with this number.
        """
        ...

    def of_order(self, order_id: OrderId) -> Sequence[Fulfillment]:
        """Return all fulfillments of an order, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class ShippedItem:
    """The units of one SKU in a fulfillment."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentView:
    """A fulfillment as shoppers and staff see it. Unknown fields are empty."""

    id: FulfillmentId
    number: int
    """Counts from 1 within the order."""
    carrier: str
    tracking_number: str
    tracking_url: str
    shipped_at: datetime
    lines: tuple[ShippedItem, ...]

    @classmethod
    def of(cls, parcel: Fulfillment) -> Self:
        """Return the fulfillment, with units added up over locations."""
        units: Counter[str] = Counter()
        for line in parcel.lines:
            units[line.sku] += line.quantity
        return cls(
            id=parcel.id,
            number=parcel.number,
            carrier=parcel.tracking.carrier,
            tracking_number=parcel.tracking.number,
            tracking_url=parcel.tracking.url,
            shipped_at=parcel.shipped_at,
            lines=tuple(ShippedItem(sku, quantity) for sku, quantity in units.items()),
        )
