"""Fulfillments: shipped parts of orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.inventory import LocationId
from quickshop.domain.orders import Order, OrderId, OrderLineId
from quickshop.domain.values import require_text, require_units, require_web_address

FulfillmentId = NewType("FulfillmentId", UUID)

MAX_TRACKING_LENGTH: Final = 100
"""Characters in the name of a carrier or in a tracking number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """The carrier, number and URL with which to track a fulfillment; each may be empty."""

    carrier: str = ""
    number: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        """Check every field that is not empty.

        Raises:
            InvalidValueError: a text is not printable or too long, or the URL is not http(s).
        """
        if self.carrier:
            require_text("carrier", self.carrier, max_length=MAX_TRACKING_LENGTH)
        if self.number:
            require_text("tracking_number", self.number, max_length=MAX_TRACKING_LENGTH)
        if self.url:
            require_web_address("tracking_url", self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentLine:
    """Units of one order line, shipped from one location."""

    order_line_id: OrderLineId
    sku: str
    location_id: LocationId
    quantity: int

    def __post_init__(self) -> None:
        """Check the quantity.

        Raises:
            InvalidValueError: the quantity is less than 1.
        """
        require_units(self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfillment:
    """A shipment of all or part of an order. It never changes."""

    id: FulfillmentId
    order_id: OrderId
    number: int
    """Counts from 1 within the order."""
    lines: tuple[FulfillmentLine, ...]
    tracking: Tracking
    shipped_at: datetime

    def __post_init__(self) -> None:
        """Check that there are lines.

        Raises:
            InvalidValueError: there are none.
        """
        if not self.lines:
            raise InvalidValueError("lines", "must contain at least one line")


def still_to_ship(order: Order, fulfillments: Sequence[Fulfillment]) -> dict[OrderLineId, int]:
    """Return the unshipped units of each order line; lines that have shipped are left out."""
    shipped: Counter[OrderLineId] = Counter()
    for fulfillment in fulfillments:
        for line in fulfillment.lines:
            shipped[line.order_line_id] += line.quantity
    left = {line.id: line.quantity - shipped[line.id] for line in order.lines}
    return {line_id: quantity for line_id, quantity in left.items() if quantity}


def wanted_units(
    order: Order, left: Mapping[OrderLineId, int], wanted: Mapping[UUID | str, int]
) -> dict[OrderLineId, int]:
    """Return the units to ship of each order line, at most those `left`.

    The keys of `wanted` are ids of order lines or SKUs.

    Raises:
        InvalidValueError: `wanted` is empty, a key is not in the order, or a quantity is less than
            1 or more than is left. The field is the position in `wanted`.
    """
    if not wanted:
        raise InvalidValueError("lines", "must contain at least one line")
    units: Counter[OrderLineId] = Counter()
    for n, (name, quantity) in enumerate(wanted.items()):
        field = f"lines.{n}.quantity"
        require_units(quantity, field)
        for line_id, some in _spread(order, left, name, quantity).items():
            units[line_id] += some
            if units[line_id] > left.get(line_id, 0):
                raise InvalidValueError(field, _at_most(order, line_id, left))
    return dict(units)


def _spread(
    order: Order, left: Mapping[OrderLineId, int], name: UUID | str, quantity: int
) -> dict[OrderLineId, int]:
    """Distribute units over the lines with this id or SKU, in order, by the units left."""
    named = [line.id for line in order.lines if name in {line.id, line.sku}]
    if not named:
        raise InvalidValueError("lines", "must be lines or SKUs of this order")
    spread: dict[OrderLineId, int] = {}
    for line_id in named[:-1]:
        if some := min(quantity, left.get(line_id, 0)):
            spread[line_id] = some
            quantity -= some
    return spread | ({named[-1]: quantity} if quantity else {})


def _at_most(order: Order, line_id: OrderLineId, left: Mapping[OrderLineId, int]) -> str:
    sku = next(line.sku for line in order.lines if line.id == line_id)
    return f"must be at most {left.get(line_id, 0)} of {sku}, the units left to ship"
