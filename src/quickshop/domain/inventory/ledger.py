"""The ledger: every change of a counter, and the promises that bring one about."""

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
    """Refuse a reason that cannot stand in the ledger; staff have to give one.

    Raises:
        InvalidValueError: blank, too long, or not printable.
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
    """Another level has the same units more, or fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMovement:
    """One line of the ledger: by how much the counters of one level change, and why."""

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
        """Refuse a movement too large to be true.

        Raises:
            InvalidValueError: more units than a level may hold.
        """
        for name in COUNTERS:
            require_whole("quantity", getattr(self, name))
        if max(abs(self.on_hand), abs(self.allocated), abs(self.held)) > MAX_UNITS:
            raise InvalidValueError("quantity", f"must be at most {MAX_UNITS} units")

    @classmethod
    def adjustment(
        cls, level: StockLevel, quantity: int, *, reason: str, now: datetime
    ) -> StockMovement:
        """Correct the shelf by `quantity` units, up or down."""
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
        """Take so many units from one shelf to another: both ends of it, or neither."""
        away = cls.adjustment(source, -quantity, reason=reason, now=now)
        here = cls.adjustment(target, quantity, reason=reason, now=now)
        kind = MovementKind.TRANSFERRED
        return replace(away, kind=kind), replace(here, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedUnits:
    """Units of one order line that left one location."""

    order_line_id: UUID
    variant_id: VariantId
    sku: str
    location_id: LocationId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Units of one level promised to one line of an order."""

    id: AllocationId
    order_id: UUID
    order_line_id: UUID
    variant_id: VariantId
    sku: str
    location_id: LocationId
    quantity: int
    shipped: int = 0
    """Those of them that have left the shelf."""

    def __post_init__(self) -> None:
        """Refuse to have shipped what was not promised.

        Raises:
            InvalidValueError: more units have shipped than the allocation has.
        """
        if not 0 <= self.shipped <= self.quantity:
            raise InvalidValueError("shipped", "must be between 0 and the quantity")

    @property
    def unshipped(self) -> int:
        """Units still on the shelf for this order."""
        return self.quantity - self.shipped

    def taken(self, now: datetime) -> StockMovement:
        """The movement that promises these units."""
        return self._moved(MovementKind.ALLOCATED, now, allocated=self.quantity)

    def released(self, now: datetime) -> StockMovement:
        """The movement that gives back the units that have not shipped."""
        return self._moved(MovementKind.RELEASED, now, allocated=-self.unshipped)

    def sent(self, quantity: int, now: datetime) -> StockMovement:
        """The movement by which so many of these units leave the shelf."""
        return self._moved(MovementKind.SHIPPED, now, on_hand=-quantity, allocated=-quantity)

    def shipping(self, quantity: int) -> ShippedUnits:
        """So many of these units, as part of a parcel."""
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
    """Which allocations these units, by order line, are shipped from, and how many from each.

    Only from `location_id`, if one is given.

    Raises:
        InvalidValueError: fewer than 1 unit of a line, or more than are still to be shipped.
    """
    chosen: list[tuple[Allocation, int]] = []
    for order_line_id, quantity in quantities.items():
        require_units(quantity)
        missing = quantity
        for allocation in sorted(allocations, key=lambda a: (a.sku, a.location_id, a.id)):
            mine = allocation.order_line_id == order_line_id
            here = location_id in {None, allocation.location_id}
            if mine and here and (units := min(missing, allocation.unshipped)):
                chosen.append((allocation, units))
                missing -= units
        if missing:
            rule = f"must be at most {quantity - missing}, what is still to be shipped"
            raise InvalidValueError("quantity", rule)
    return sorted(chosen, key=lambda pick: (pick[0].sku, pick[0].location_id, pick[0].id))


class HoldOwner(StrEnum):
    """Why units are set aside."""

    CART = "cart"
    """They were put in a cart."""
    CHECKOUT = "checkout"
    """Their shopper is checking out."""


class HoldEnd(StrEnum):
    """What became of a hold."""

    RELEASED = "released"
    ALLOCATED = "allocated"
    """Its units were promised to an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Units of one level set aside for one cart, until `expires_at` at least.

    An expired hold keeps its units until somebody needs them, or the sweeper comes by.
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
        """Refuse to hold nothing.

        Raises:
            InvalidValueError: fewer than one unit.
        """
        require_units(self.quantity)

    def taken(self, now: datetime) -> StockMovement:
        """The movement that sets these units aside."""
        return self._moved(MovementKind.HELD, self.quantity, now)

    def released(self, now: datetime) -> StockMovement:
        """The movement that gives these units back."""
        return self._moved(MovementKind.RELEASED, -self.quantity, now)

    def spent(self, now: datetime) -> StockMovement:
        """The movement by which these units cease to be held because they are allocated."""
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
    """The one global order in which stock levels are locked."""
    return (item.sku, item.location_id)
