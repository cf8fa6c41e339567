"""Where stock lies, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError

LocationId = NewType("LocationId", UUID)

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
