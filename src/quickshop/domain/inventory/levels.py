"""Where stock lies, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, OutOfStockError
from quickshop.domain.values import require_between, require_text

LocationId = NewType("LocationId", UUID)

UNLIMITED_BACKORDER: Final = 1_000_000
"""Units a level may go below zero when the shop sells on regardless of stock."""
MAX_UNITS: Final = 1_000_000_000
"""Units in any counter or movement."""
MAX_STRIPES: Final = 64
"""Rows that a level may be spread over, so that its buyers do not queue."""
MAX_LOCATION_LENGTH: Final = 100
"""Characters in the name of a location."""


def require_location(name: str) -> None:
    """Refuse a name that no location can have.

    Raises:
        InvalidValueError: blank, too long, or not printable.
    """
    require_text("location", name, max_length=MAX_LOCATION_LENGTH)


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
    low_stock_threshold: int | None = None
    """Staff are told when no more than these are free; None leaves that to the shop."""
    location_priority: int = 0

    def __post_init__(self) -> None:
        """Refuse counters that cannot be.

        Raises:
            InvalidValueError: one is negative, or more is promised than may be.
        """
        for name in ("allocated", "held", "backorder_limit"):
            if not 0 <= getattr(self, name) <= MAX_UNITS:
                raise InvalidValueError(name, f"must be between 0 and {MAX_UNITS}")
        if not 0 <= (self.low_stock_threshold or 0) <= MAX_UNITS:
            raise InvalidValueError("low_stock_threshold", f"must be between 0 and {MAX_UNITS}")
        if abs(self.on_hand) > MAX_UNITS:
            raise InvalidValueError("on_hand", f"must be at most {MAX_UNITS}")
        if self.available < 0:
            raise InvalidValueError("on_hand", "must cover what is allocated and held")

    @property
    def free(self) -> int:
        """Units on the shelf that nobody was promised; below 0 what is owed to back-orders."""
        return self.on_hand - self.allocated - self.held

    @property
    def available(self) -> int:
        """Units that can be bought now, back-orders included."""
        return self.free + self.backorder_limit

    def moved(self, *, on_hand: int = 0, allocated: int = 0, held: int = 0) -> StockLevel:
        """The level after its counters changed by so much: never more is taken than there is.

        Raises:
            OutOfStockError: fewer units can be bought than would be taken.
            InvalidValueError: a counter would be what it cannot be.
        """
        taken = allocated + held - on_hand
        available = max(0, self.available)
        if taken > available:
            raise OutOfStockError(self.sku, requested=taken, available=available)
        if self.on_hand + on_hand > MAX_UNITS:
            raise InvalidValueError("quantity", f"must leave at most {MAX_UNITS} units on a shelf")
        return replace(
            self,
            on_hand=self.on_hand + on_hand,
            allocated=self.allocated + allocated,
            held=self.held + held,
        )

    def configured(
        self, *, backorder_limit: int | None = None, low_stock_threshold: int | None = None
    ) -> StockLevel:
        """The level with another limit or threshold; None leaves a part as it is.

        Raises:
            InvalidValueError: not within 0 and `MAX_UNITS`, or the limit does not cover what was
                sold beyond what is there.
        """
        limit = self.backorder_limit if backorder_limit is None else backorder_limit
        threshold = (
            self.low_stock_threshold if low_stock_threshold is None else low_stock_threshold
        )
        require_between("backorder_limit", limit, 0, MAX_UNITS)
        require_between("low_stock_threshold", threshold or 0, 0, MAX_UNITS)
        if self.free + limit < 0:
            raise InvalidValueError("backorder_limit", "must cover what is sold on credit already")
        return replace(self, backorder_limit=limit, low_stock_threshold=threshold)


COUNTERS: Final = ("on_hand", "allocated", "held")
"""The counters of a level that movements change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDiscrepancy:
    """A level whose counters are not what its ledger or its orders say."""

    variant_id: VariantId
    location_id: LocationId
    sku: str
    location: str
    """Its name."""
    counter: str
    """`on_hand`, `allocated` or `held`; or what these are compared with besides the ledger:
    `allocations`, what live orders were promised, and `holds`, what live holds set aside.
    """
    recorded: int
    expected: int

    def __str__(self) -> str:
        return (
            f"{self.sku} at {self.location}: {self.counter} is {self.recorded}, "
            f"expected {self.expected}"
        )
