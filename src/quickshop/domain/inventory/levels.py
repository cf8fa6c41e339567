"""Locations, and the stock levels there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, OutOfStockError
from quickshop.domain.values import require_between, require_text

LocationId = NewType("LocationId", UUID)

UNLIMITED_BACKORDER: Final = 1_000_000
"""The back-order limit of a level that is sold regardless of stock."""
MAX_UNITS: Final = 1_000_000_000
"""Most units in a counter or movement."""
MAX_STRIPES: Final = 64
"""Most rows that a level can be split into, so that its buyers do not wait for each other."""
MAX_LOCATION_LENGTH: Final = 100
"""Characters in the name of a location."""


def require_location(name: str) -> None:
    """Check the name of a location.

    Raises:
        InvalidValueError: the name is blank, too long, or not printable.
    """
    require_text("location", name, max_length=MAX_LOCATION_LENGTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place with stock. The location with the lowest `priority` ships first."""

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
    """Units in stock, including allocated and held units."""
    allocated: int = 0
    """Units allocated to orders that have not shipped."""
    held: int = 0
    """Units held for carts and checkouts."""
    backorder_limit: int = 0
    """Units that may be sold beyond the stock."""
    low_stock_threshold: int | None = None
    """Staff are notified when at most this many units are free; None: the shop's setting."""
    location_priority: int = 0

    def __post_init__(self) -> None:
        """Check the counters and limits.

        Raises:
            InvalidValueError: one is out of range, or the stock and the back-order limit do not
                cover the allocated and held units.
        """
        for name in ("allocated", "held", "backorder_limit"):
            if not 0 <= getattr(self, name) <= MAX_UNITS:
                raise InvalidValueError(name, f"must be between 0 and {MAX_UNITS}")
        if not 0 <= (self.low_stock_threshold or 0) <= MAX_UNITS:
            raise InvalidValueError("low_stock_threshold", f"must be between 0 and {MAX_UNITS}")
        if abs(self.on_hand) > MAX_UNITS:
            raise InvalidValueError("on_hand", f"must be at most {MAX_UNITS}")
        if self.available < 0:
            raise InvalidValueError("on_hand", "must cover the allocated and held units")

    @property
    def free(self) -> int:
        """Units neither allocated nor held; negative when back-orders exceed the stock."""
        return self.on_hand - self.allocated - self.held

    @property
    def available(self) -> int:
        """Units that can be bought now, including back-orders."""
        return self.free + self.backorder_limit

    def moved(self, *, on_hand: int = 0, allocated: int = 0, held: int = 0) -> StockLevel:
        """Return the level with changed counters. Units beyond `available` cannot be taken.

        Raises:
            OutOfStockError: fewer units are available than would be taken.
            InvalidValueError: a counter would be out of range.
        """
        taken = allocated + held - on_hand
        available = max(0, self.available)
        if taken > available:
            raise OutOfStockError(self.sku, requested=taken, available=available)
        if self.on_hand + on_hand > MAX_UNITS:
            raise InvalidValueError("quantity", f"must leave at most {MAX_UNITS} units on hand")
        return replace(
            self,
            on_hand=self.on_hand + on_hand,
            allocated=self.allocated + allocated,
            held=self.held + held,
        )

    def configured(
        self, *, backorder_limit: int | None = None, low_stock_threshold: int | None = None
    ) -> StockLevel:
        """Return the level with another limit or threshold; None keeps the current one.

        Raises:
            InvalidValueError: a value is not between 0 and `MAX_UNITS`, or the limit does not
                cover the units already sold beyond the stock.
        """
        limit = self.backorder_limit if backorder_limit is None else backorder_limit
        threshold = (
            self.low_stock_threshold if low_stock_threshold is None else low_stock_threshold
        )
        require_between("backorder_limit", limit, 0, MAX_UNITS)
        if threshold is not None:
            require_between("low_stock_threshold", threshold, 0, MAX_UNITS)
        if self.free + limit < 0:
            raise InvalidValueError(
                "backorder_limit", "must cover the units already sold beyond the stock"
            )
        return replace(self, backorder_limit=limit, low_stock_threshold=threshold)


COUNTERS: Final = ("on_hand", "allocated", "held")
"""The counters of a level that movements change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDiscrepancy:
    """A counter of a level that differs from its ledger, allocations or holds."""

    variant_id: VariantId
    location_id: LocationId
    sku: str
    location: str
    """The name of the location."""
    counter: str
    """`on_hand`, `allocated` or `held`, compared with the ledger; `allocations`, for `allocated`
    compared with live orders; or `holds`, for `held` compared with live holds.
    """
    recorded: int
    expected: int

    def __str__(self) -> str:
        return (
            f"{self.sku} at {self.location}: {self.counter} is {self.recorded}, "
            f"expected {self.expected}"
        )
