"""What the shop needs from whoever keeps its parcels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from quickshop.domain.fulfillment import Fulfillment, FulfillmentId
from quickshop.domain.orders import OrderId


class FulfillmentRepository(Protocol):
    """The parcels, as seen from inside one transaction. Lock their order first."""

    def add(self, fulfillment: Fulfillment) -> None:
        """Store a parcel; it never changes.

        Raises:
            ConflictError: the order has a parcel of this number.
        """
        ...

    def of_order(self, order_id: OrderId) -> Sequence[Fulfillment]:
        """All parcels of an order, the first one first."""
        ...


@dataclass(frozen=True, slots=True)
class ShippedItem:
    """How many units of a SKU are in a parcel."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentView:
    """A parcel as shoppers and staff see it. What was not said of it is empty."""

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
        """The parcel, whatever places its units came from."""
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
