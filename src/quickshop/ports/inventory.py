"""Ports that store and read stock levels, movements, allocations and holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.inventory import (
    Allocation,
    Hold,
    HoldEnd,
    HoldOwner,
    Location,
    LocationId,
    ShippedUnits,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
)
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class StockRepository(Protocol):
    """Stock levels and their ledger in one transaction.

    A movement after which a level is low, out of stock or back in stock stores that event
    (`LowStock`, `OutOfStock`, `BackInStock`) in the same transaction, once per crossing.
    """

    def location(self, name: str) -> Location:
        """Return the location with this name.

        Raises:
            NotFoundError: no location has this name.
        """
        ...

    def get_or_create_location(self, location: Location) -> Location:
        """Return the location with the name of `location`; store `location` if there is none."""
        ...

    def levels(self, variant_ids: Collection[VariantId]) -> Sequence[StockLevel]:
        """Return all levels of these variants, as last committed; they are not locked."""
        ...

    def get_or_create_level(self, level: StockLevel) -> StockLevel:
        """Return the level with the variant and location of `level`, and set its back-order limit.

        A new level is stored with zero counters: only `record` adds units.

        Raises:
            InvalidValueError: the limit does not cover the units already sold beyond the stock.
        """
        ...

    def lock(self, variant_id: VariantId, location_id: LocationId) -> StockLevel:
        """Return this level, locked until the transaction ends.

        Raises:
            NotFoundError: the level does not exist.
        """
        ...

    def configure(
        self,
        level: StockLevel,
        *,
        now: datetime,
        backorder_limit: int | None = None,
        low_stock_threshold: int | None = None,
        stripes: int | None = None,
    ) -> None:
        """Set the back-order limit and the low-stock threshold of a level; None keeps a value.

        `stripes` is the number of rows that the level is split into, so that concurrent buyers do
        not wait for each other. Adapters for which that does not help ignore it.

        Raises:
            NotFoundError: the level does not exist.
            InvalidValueError: the limit does not cover the units already sold beyond the stock.
        """
        ...

    def record(self, movements: Sequence[StockMovement]) -> None:
        """Store movements in the ledger and change the counters by them.

        Levels are locked in one order (SKU, location), and only here, so call it last.

        Raises:
            OutOfStockError: a movement takes more units than are available; do not commit.
            NotFoundError: a level does not exist.
        """
        ...

    def allocate(
        self,
        allocations: Sequence[Allocation],
        *,
        now: datetime,
        spending: Sequence[Hold] = (),
    ) -> None:
        """Allocate units to order lines, and `record` the movements.

        The units of the holds in `spending` become available for these allocations.
        `HoldRepository.end` the holds in the same transaction.

        Raises:
            OutOfStockError: all locations together have too few units.
            ContentionError: there are enough units, but not at the planned locations; plan again.
        """
        ...

    def hold(
        self, holds: Sequence[Hold], *, now: datetime, releasing: Sequence[Hold] = ()
    ) -> None:
        """Hold units, release those of `releasing`, and `record` the movements.

        In the same transaction, `HoldRepository.add` the new holds and `end` the released ones.

        Raises:
            OutOfStockError: all locations together have too few units.
            ContentionError: there are enough units, but not at the planned locations; plan again.
        """
        ...

    def allocations(self, order_id: UUID) -> Sequence[Allocation]:
        """Return the allocations of the order that have not been released."""
        ...

    def release(self, order_id: UUID, *, now: datetime) -> int:
        """Release the unshipped allocations of the order, once. Return the number of units."""
        ...

    def ship(
        self,
        order_id: UUID,
        quantities: Mapping[UUID, int],
        *,
        location_id: LocationId | None = None,
        now: datetime,
    ) -> Sequence[ShippedUnits]:
        """Ship allocated units. `quantities` are units by order line.

        Units leave the locations of the order's allocations; with a `location_id`, only that one.
        Returns the shipped units in the order (SKU, location).

        Raises:
            InvalidValueError: a quantity is more than the unshipped units of its line.
            ConflictError: another transaction ships the same units; read again and repeat.
        """
        ...

    def correct(self, discrepancy: StockDiscrepancy) -> None:
        """Set a counter to the value in its ledger."""
        ...


class HoldRepository(Protocol):
    """Units held for carts, in one transaction.

    This does not change counters. The caller must `StockRepository.record` the movements of the
    holds added and ended here, once and last.
    """

    def of_cart(self, cart_id: UUID) -> Sequence[Hold]:
        """Return the holds of a cart that have not ended, also expired ones; locked."""
        ...

    def any_expired(self, now: datetime, *, sku: str) -> bool:
        """Return whether this SKU has expired holds that have not ended; nothing is locked."""
        ...

    def expired(
        self, now: datetime, *, sku: str | None = None, limit: int = 100
    ) -> Sequence[Hold]:
        """Return expired holds that have not ended, of one SKU or of all; locked.

        Holds locked by another transaction are waited for with a `sku`, and left out without.
        """
        ...

    def add(self, holds: Sequence[Hold]) -> None:
        """Store new holds of carts that this transaction has saved before.

        The cart's version then detects concurrent changes of its holds.

        Raises:
            ConflictError: now or at commit, the cart already has a hold on one of the levels.
        """
        ...

    def renew(self, holds: Sequence[Hold], *, owner: HoldOwner, expires_at: datetime) -> None:
        """Set the owner and the expiry of these locked holds."""
        ...

    def end(self, holds: Sequence[Hold], how: HoldEnd, *, now: datetime) -> None:
        """End holds, once.

        Raises:
            ConflictError: a hold has ended already.
        """
        ...

    def purge_ended(self, before: datetime) -> int:
        """Delete holds that ended before `before`; return how many."""
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
    low_stock_threshold: int | None = None
    """None uses the shop's setting."""
    stripes: int = 0
    """Rows that the level is split into; 0 if it is not split."""


class StockReader(Protocol):
    """Reads stock without a transaction."""

    def list(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        """Return one page of levels, ordered by SKU and location name, or those of one SKU.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def locations(self) -> Sequence[Location]:
        """Return all locations, ordered by name."""
        ...

    def discrepancies(self) -> Sequence[StockDiscrepancy]:
        """Return every counter that differs from its movements, allocations or holds.

        `allocated` is compared with the unshipped units of live orders, `held` with live holds.
        """
        ...

    def orders_without_stock(self) -> Sequence[str]:
        """Return the numbers of pending or paid orders with fewer units allocated than ordered."""
        ...
