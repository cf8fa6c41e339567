"""The ledger of every counter change, and the allocations and holds behind the changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.inventory.levels import COUNTERS, MAX_UNITS, LocationId, StockLevel
from quickshop.domain.values import require_text, require_units, require_whole

AllocationId = NewType("AllocationId", UUID)
HoldId = NewType("HoldId", UUID)


MAX_LEDGER_REASON_LENGTH: Final = 200
"""Characters in the reason of a movement."""


def require_ledger_reason(reason: str) -> None:
    """Check the reason of a movement, which staff must give.

    Raises:
        InvalidValueError: the reason is blank, too long, or not printable.
    """
    require_text("reason", reason, max_length=MAX_LEDGER_REASON_LENGTH)


class MovementKind(StrEnum):
    """Why a counter changed."""

    RECEIVED = "received"
    HELD = "held"
    ALLOCATED = "allocated"
    RELEASED = "released"
    SHIPPED = "shipped"
    ADJUSTED = "adjusted"
    TRANSFERRED = "transferred"
    """Moved between two levels, each of which records one movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMovement:
    """One entry of the ledger: the changes of the counters of one level, and the reason."""

    kind: MovementKind
    variant_id: VariantId
    sku: str
    location_id: LocationId
    on_hand: int = 0
    allocated: int = 0
    held: int = 0
    occurred_at: datetime
    reason: str = ""
    order_id: UUID | None = None

    def __post_init__(self) -> None:
        """Check the quantities.

        Raises:
            InvalidValueError: a change is not a whole number, or is more than `MAX_UNITS`.
        """
        for name in COUNTERS:
            require_whole("quantity", getattr(self, name))
        if max(abs(self.on_hand), abs(self.allocated), abs(self.held)) > MAX_UNITS:
            raise InvalidValueError("quantity", f"must be at most {MAX_UNITS} units")

    @classmethod
    def adjustment(
        cls, level: StockLevel, quantity: int, *, reason: str, now: datetime
    ) -> StockMovement:
        """Return a movement that changes `on_hand` by `quantity` units, up or down."""
        return cls(
            kind=MovementKind.ADJUSTED,
            variant_id=level.variant_id,
            sku=level.sku,
            location_id=level.location_id,
            on_hand=quantity,
            occurred_at=now,
            reason=reason,
        )

    @classmethod
    def transfer(
        cls,
        source: StockLevel,
        target: StockLevel,
        quantity: int,
        *,
        reason: str,
        now: datetime,
    ) -> tuple[StockMovement, StockMovement]:
        """Return the two movements that transfer units; record both together."""
        outgoing = cls.adjustment(source, -quantity, reason=reason, now=now)
        incoming = cls.adjustment(target, quantity, reason=reason, now=now)
        kind = MovementKind.TRANSFERRED
        return replace(outgoing, kind=kind), replace(incoming, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedUnits:
    """Units of one order line, shipped from one location."""

    order_line_id: UUID
    variant_id: VariantId
    sku: str
    location_id: LocationId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Units of one level that are allocated to one order line."""

    id: AllocationId
    order_id: UUID
    order_line_id: UUID
    variant_id: VariantId
    sku: str
    location_id: LocationId
    quantity: int
    shipped: int = 0
    """Units of the allocation that have shipped."""

    def __post_init__(self) -> None:
        """Check the shipped units.

        Raises:
            InvalidValueError: more units have shipped than were allocated.
        """
        if not 0 <= self.shipped <= self.quantity:
            raise InvalidValueError("shipped", "must be between 0 and the quantity")

    @property
    def unshipped(self) -> int:
        """Units of the allocation that have not shipped."""
        return self.quantity - self.shipped

    def taken(self, now: datetime) -> StockMovement:
        """Return the movement that allocates the units."""
        return self._moved(MovementKind.ALLOCATED, now, allocated=self.quantity)

    def released(self, now: datetime) -> StockMovement:
        """Return the movement that releases the unshipped units."""
        return self._moved(MovementKind.RELEASED, now, allocated=-self.unshipped)

    def sent(self, quantity: int, now: datetime) -> StockMovement:
        """Return the movement that ships `quantity` of the units."""
        return self._moved(MovementKind.SHIPPED, now, on_hand=-quantity, allocated=-quantity)

    def shipping(self, quantity: int) -> ShippedUnits:
        """Return `quantity` of the units as part of a fulfillment."""
        return ShippedUnits(
            order_line_id=self.order_line_id,
            variant_id=self.variant_id,
            sku=self.sku,
            location_id=self.location_id,
            quantity=quantity,
        )

    def _moved(
        self, kind: MovementKind, now: datetime, *, allocated: int, on_hand: int = 0
    ) -> StockMovement:
        return StockMovement(
            kind=kind,
            variant_id=self.variant_id,
            sku=self.sku,
            location_id=self.location_id,
            on_hand=on_hand,
            allocated=allocated,
            occurred_at=now,
            order_id=self.order_id,
        )


def choose_shipped(
    allocations: Sequence[Allocation],
    quantities: Mapping[UUID, int],
    location_id: LocationId | None = None,
) -> Sequence[tuple[Allocation, int]]:
    """Return the allocations to ship from, and the units of each, in lock order.

    `quantities` are units by order line. With a `location_id`, only allocations there are used.

    Raises:
        InvalidValueError: a quantity is less than 1, or more than the unshipped units.
    """
    chosen: list[tuple[Allocation, int]] = []
    for order_line_id, quantity in quantities.items():
        require_units(quantity)
        missing = quantity
        for allocation in sorted(allocations, key=lambda a: (a.sku, a.location_id, a.id)):
            same_line = allocation.order_line_id == order_line_id
            same_place = location_id in {None, allocation.location_id}
            if same_line and same_place and (units := min(missing, allocation.unshipped)):
                chosen.append((allocation, units))
                missing -= units
        if missing:
            rule = f"must be at most {quantity - missing}, the units left to ship"
            raise InvalidValueError("quantity", rule)
    return sorted(chosen, key=lambda pick: (pick[0].sku, pick[0].location_id, pick[0].id))


class HoldOwner(StrEnum):
    """Why units are held."""

    CART = "cart"
    """The units are in a cart."""
    CHECKOUT = "checkout"
    """The shopper is checking out."""


class HoldEnd(StrEnum):
    """How a hold ended."""

    RELEASED = "released"
    ALLOCATED = "allocated"
    """The units were allocated to an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Units of one level that are held for one cart, at least until `expires_at`.

    An expired hold keeps its units until another shopper needs them or the sweep ends it.
    """

    id: HoldId
    owner: HoldOwner
    cart_id: UUID
    variant_id: VariantId
    sku: str
    location_id: LocationId
    quantity: int
    expires_at: datetime

    def __post_init__(self) -> None:
        """Check the quantity.

        Raises:
            InvalidValueError: the quantity is less than 1.
        """
        require_units(self.quantity)

    def taken(self, now: datetime) -> StockMovement:
        """Return the movement that holds the units."""
        return self._moved(MovementKind.HELD, self.quantity, now)

    def released(self, now: datetime) -> StockMovement:
        """Return the movement that releases the units."""
        return self._moved(MovementKind.RELEASED, -self.quantity, now)

    def spent(self, now: datetime) -> StockMovement:
        """Return the movement that ends the hold because its units are allocated."""
        return self._moved(MovementKind.ALLOCATED, -self.quantity, now)

    def _moved(self, kind: MovementKind, held: int, now: datetime) -> StockMovement:
        return StockMovement(
            kind=kind,
            variant_id=self.variant_id,
            sku=self.sku,
            location_id=self.location_id,
            held=held,
            occurred_at=now,
        )


def lock_order(item: StockLevel | StockMovement) -> tuple[str, LocationId]:
    """Return the sort key of the one global order in which stock levels are locked."""
    return (item.sku, item.location_id)
