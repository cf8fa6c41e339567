"""Inventory: how many units lie where, and the ledger of every change.

Counters change only by `StockMovement`s, which are never edited: at any moment a level's counters
equal the sums over its movements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, OutOfStockError
from quickshop.domain.money import require_whole

LocationId = NewType("LocationId", UUID)
AllocationId = NewType("AllocationId", UUID)

UNLIMITED_BACKORDER: Final = 1_000_000
"""Units a level may go below zero when the shop sells on regardless of stock."""
MAX_UNITS: Final = 1_000_000_000
"""Units in any counter or movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that holds stock. Lower `priority` ships first."""

    id: LocationId
    name: str
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """The units of one variant at one location."""

    variant_id: VariantId
    sku: str
    location_id: LocationId
    on_hand: int = 0
    """Units on the shelf, promised or not."""
    allocated: int = 0
    """Units promised to orders that have not shipped."""
    held: int = 0
    """Units set aside for a shopper who is checking out."""
    backorder_limit: int = 0
    """Units that may be sold beyond what is there."""
    location_priority: int = 0

    def __post_init__(self) -> None:
        """Refuse counters that cannot be.

        Raises:
            InvalidValueError: one is negative, or more is promised than may be.
        """
        for name in ("allocated", "held", "backorder_limit"):
            if not 0 <= getattr(self, name) <= MAX_UNITS:
                raise InvalidValueError(name, f"must be between 0 and {MAX_UNITS}")
        if abs(self.on_hand) > MAX_UNITS:
            raise InvalidValueError("on_hand", f"must be at most {MAX_UNITS}")
        if self.available < 0:
            raise InvalidValueError("on_hand", "must cover what is allocated and held")

    @property
    def available(self) -> int:
        """Units that can be bought now, back-orders included."""
        return self.on_hand - self.allocated - self.held + self.backorder_limit


COUNTERS: Final = ("on_hand", "allocated", "held")
"""The counters of a level that movements change."""


class MovementKind(StrEnum):
    """Why a counter changed."""

    RECEIVED = "received"
    ALLOCATED = "allocated"
    RELEASED = "released"
    ADJUSTED = "adjusted"


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

    def taken(self, now: datetime) -> StockMovement:
        """The movement that promises these units."""
        return self._moved(MovementKind.ALLOCATED, self.quantity, now)

    def released(self, now: datetime) -> StockMovement:
        """The movement that gives these units back."""
        return self._moved(MovementKind.RELEASED, -self.quantity, now)

    def _moved(self, kind: MovementKind, allocated: int, now: datetime) -> StockMovement:
        return StockMovement(
            kind=kind,
            variant_id=self.variant_id,
            sku=self.sku,
            location_id=self.location_id,
            allocated=allocated,
            occurred_at=now,
            order_id=self.order_id,
        )


@dataclass(frozen=True, slots=True)
class Demand:
    """Units that one order line needs."""

    order_line_id: UUID
    variant_id: VariantId
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Pick:
    """Part of a demand, met from one level."""

    demand: Demand
    level: StockLevel
    quantity: int


def plan_allocation(demands: Sequence[Demand], levels: Iterable[StockLevel]) -> list[Pick]:
    """Choose which levels meet the demands: whole, by location priority, splitting if need be.

    Demand for one SKU is summed over all lines before it is compared with the stock, so naming a
    SKU twice buys no more than there is. The picks come in the order that locks are taken in:
    SKU, then location.

    Raises:
        OutOfStockError: for the first SKU that cannot be met; nothing is planned then.
    """
    by_variant: defaultdict[VariantId, list[StockLevel]] = defaultdict(list)
    for level in sorted(levels, key=lambda level: (level.location_priority, level.location_id)):
        by_variant[level.variant_id].append(level)
    left = {
        (level.variant_id, level.location_id): max(0, level.available)
        for group in by_variant.values()
        for level in group
    }
    picks: list[Pick] = []
    for demand in sorted(demands, key=lambda demand: demand.sku):
        _require_enough(demand, demands, by_variant[demand.variant_id])
        missing = demand.quantity
        for level in by_variant[demand.variant_id]:
            key = (level.variant_id, level.location_id)
            if quantity := min(missing, left[key]):
                picks.append(Pick(demand, level, quantity))
                left[key] -= quantity
                missing -= quantity
    return sorted(picks, key=lambda pick: lock_order(pick.level))


def _require_enough(
    demand: Demand, demands: Sequence[Demand], levels: Sequence[StockLevel]
) -> None:
    requested = sum(d.quantity for d in demands if d.variant_id == demand.variant_id)
    available = sum(max(0, level.available) for level in levels)
    if requested > available:
        raise OutOfStockError(demand.sku, requested=requested, available=available)


def lock_order(item: StockLevel | StockMovement) -> tuple[str, LocationId]:
    """The one global order in which stock levels are locked."""
    return (item.sku, item.location_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDiscrepancy:
    """A level whose counters are not what its ledger or its orders say."""

    variant_id: VariantId
    location_id: LocationId
    sku: str
    location: str
    """Its name."""
    counter: str
    """`on_hand`, `allocated` or `held`, or `allocations` for what live orders were promised."""
    recorded: int
    expected: int

    def __str__(self) -> str:
        return (
            f"{self.sku} at {self.location}: {self.counter} is {self.recorded}, "
            f"expected {self.expected}"
        )
