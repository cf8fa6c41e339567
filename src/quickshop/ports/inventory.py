"""What the shop needs from whoever counts its stock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.inventory import (
    Allocation,
    Location,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
)
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class StockRepository(Protocol):
    """Stock levels and their ledger, as seen from inside one transaction."""

    def location(self, name: str) -> Location:
        """The location of this name.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def open_location(self, location: Location) -> Location:
        """The location of that name, stored as given if there is none."""
        ...

    def levels(self, variant_ids: Collection[VariantId]) -> Sequence[StockLevel]:
        """All levels of these variants, as last committed; not locked."""
        ...

    def open_level(self, level: StockLevel) -> StockLevel:
        """The level of that variant and location, with the back-order limit of `level`.

        One that does not exist yet begins with zero counters: units come by `record` alone.

        Raises:
            InvalidValueError: the limit is below what has been sold on credit already.
        """
        ...

    def record(self, movements: Sequence[StockMovement]) -> None:
        """Write movements into the ledger and move the counters by them.

        Levels are locked in the one order (SKU, location) and only here, so call it last.

        Raises:
            OutOfStockError: a movement takes more than there is now.
            ContentionError: the same, of several levels at once: read them again.
            NotFoundError: no such level.
        """
        ...

    def allocate(self, allocations: Sequence[Allocation], *, now: datetime) -> None:
        """Promise units to order lines; `record`s the movements.

        Raises:
            OutOfStockError: there is less than that anywhere.
            ContentionError: there is enough, but not where it was planned: plan again.
        """
        ...

    def allocations(self, order_id: UUID) -> Sequence[Allocation]:
        """What the order was promised and has not given back."""
        ...

    def release(self, order_id: UUID, *, now: datetime) -> int:
        """Give back all that the order was promised, once; tell how many units that was."""
        ...

    def correct(self, discrepancy: StockDiscrepancy) -> None:
        """Set a counter to what its ledger says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StockView:
    """A stock level as staff see it."""

    sku: str
    title: str
    location: str
    on_hand: int
    allocated: int
    held: int
    available: int
    backorder_limit: int


class StockReader(Protocol):
    """Stock as staff read it; no transaction needed."""

    def list(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        """Levels by SKU, then location name; only those of one SKU if it is given.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def discrepancies(self) -> Sequence[StockDiscrepancy]:
        """Every counter that is not the sum of its movements, or not what live orders hold."""
        ...

    def orders_without_stock(self) -> Sequence[str]:
        """Numbers of pending or paid orders that were promised less than they ordered."""
        ...
