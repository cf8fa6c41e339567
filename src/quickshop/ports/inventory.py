"""What the shop needs from whoever counts its stock."""

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
    """Stock levels and their ledger, as seen from inside one transaction.

    A movement that makes a level run low, run out or come back writes the event of that
    (`LowStock`, `OutOfStock`, `BackInStock`) in the same transaction: one per crossing.
    """

    def location(self, name: str) -> Location:
        """The location of this name.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def get_or_create_location(self, location: Location) -> Location:
        """The location of that name, stored as given if there is none."""
        ...

    def levels(self, variant_ids: Collection[VariantId]) -> Sequence[StockLevel]:
        """All levels of these variants, as last committed; not locked."""
        ...

    def get_or_create_level(self, level: StockLevel) -> StockLevel:
        """The level of that variant and location, with the back-order limit of `level`.

        One that does not exist yet begins with zero counters: units come by `record` alone.

        Raises:
            InvalidValueError: the limit is below what has been sold on credit already.
        """
        ...

    def lock(self, variant_id: VariantId, location_id: LocationId) -> StockLevel:
        """This level as it is now, and stays until the transaction ends.

        Raises:
            NotFoundError: no such level.
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
        """Set what a level may be sold below, and from where on staff are told; None keeps it.

        `stripes` lets many who buy from the level at once not queue for it, where that helps.

        Raises:
            NotFoundError: no such level.
            InvalidValueError: the limit is below what has been sold on credit already.
        """
        ...

    def record(self, movements: Sequence[StockMovement]) -> None:
        """Write movements into the ledger and move the counters by them.

        Levels are locked in the one order (SKU, location) and only here, so call it last.

        Raises:
            OutOfStockError: a movement takes more than there is now; nothing is to be committed.
            NotFoundError: no such level.
        """
        ...

    def allocate(
        self,
        allocations: Sequence[Allocation],
        *,
        now: datetime,
        spending: Sequence[Hold] = (),
    ) -> None:
        """Promise units to order lines; `record`s the movements.

        The units of the holds in `spending` are set free by it, so that they can be promised:
        `HoldRepository.end` them in the same transaction.

        Raises:
            OutOfStockError: there is less than that anywhere.
            ContentionError: there is enough, but not where it was planned: plan again.
        """
        ...

    def hold(
        self, holds: Sequence[Hold], *, now: datetime, releasing: Sequence[Hold] = ()
    ) -> None:
        """Set units aside, in place of those of `releasing`; `record`s the movements.

        The holds themselves are `HoldRepository.add`ed and `end`ed in the same transaction.

        Raises:
            OutOfStockError: there is less than that anywhere.
            ContentionError: there is enough, but not where it was planned: plan again.
        """
        ...

    def allocations(self, order_id: UUID) -> Sequence[Allocation]:
        """What the order was promised and has not given back."""
        ...

    def release(self, order_id: UUID, *, now: datetime) -> int:
        """Give back all that the order was promised and that has not shipped, once.

        Tells how many units that was.
        """
        ...

    def ship(
        self,
        order_id: UUID,
        quantities: Mapping[UUID, int],
        *,
        location_id: LocationId | None = None,
        now: datetime,
    ) -> Sequence[ShippedUnits]:
        """Take promised units off the shelf: so many of each order line.

        They come from where the order's allocations are; with a `location_id` only from there.
        Tells what left where, in the order (SKU, location).

        Raises:
            InvalidValueError: more units of a line than are still to be shipped.
            ConflictError: others are shipping the same units; read again and repeat.
        """
        ...

    def correct(self, discrepancy: StockDiscrepancy) -> None:
        """Set a counter to what its ledger says."""
        ...


class HoldRepository(Protocol):
    """Units set aside for carts, as seen from inside one transaction.

    The counters are the caller's: `StockRepository.record` the movements of what is added and
    ended here, once and last.
    """

    def of_cart(self, cart_id: UUID) -> Sequence[Hold]:
        """The holds of a cart that have not ended, expired or not; locked."""
        ...

    def any_expired(self, now: datetime, *, sku: str) -> bool:
        """Whether holds of this SKU are past their time and have not ended; nothing is locked."""
        ...

    def expired(
        self, now: datetime, *, sku: str | None = None, limit: int = 100
    ) -> Sequence[Hold]:
        """Holds past their time that have not ended, of this SKU or of all; locked.

        For one SKU those that others hold the lock of are waited for, else they are left out.
        """
        ...

    def add(self, holds: Sequence[Hold]) -> None:
        """Store new holds of carts that this transaction has saved before.

        So two who change what a cart holds notice each other by its version.

        Raises:
            ConflictError: now or with the transaction, the cart holds units of a level already.
        """
        ...

    def renew(self, holds: Sequence[Hold], *, owner: HoldOwner, expires_at: datetime) -> None:
        """Have these locked holds last until then."""
        ...

    def end(self, holds: Sequence[Hold], how: HoldEnd, *, now: datetime) -> None:
        """End holds, once.

        Raises:
            ConflictError: one of them has ended already.
        """
        ...

    def forget_ended(self, before: datetime) -> int:
        """Delete holds that ended before then; tell how many."""
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
    """None: that of the shop."""
    stripes: int = 0
    """Rows that the level is spread over; 0 unless it was asked for and helps."""


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

    def locations(self) -> Sequence[Location]:
        """Every location, by name."""
        ...

    def discrepancies(self) -> Sequence[StockDiscrepancy]:
        """Every counter that is not the sum of its movements, or not what is promised.

        `allocated` is compared with what live orders have still to get, `held` with live holds.
        """
        ...

    def orders_without_stock(self) -> Sequence[str]:
        """Numbers of pending or paid orders that were promised less than they ordered."""
        ...
