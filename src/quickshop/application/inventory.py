"""Use cases about stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickshop.application.retries import retried
from quickshop.domain.catalog import Offer
from quickshop.domain.customers import require_text
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.inventory import (
    Location,
    LocationId,
    MovementKind,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
)
from quickshop.domain.money import require_whole
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.inventory import StockReader, StockView
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class ReceiveStock:
    """Put units that arrived on the shelf."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    default_location: str

    @retried
    def __call__(
        self,
        sku: str,
        quantity: int,
        *,
        location: str | None = None,
        backorder_limit: int | None = None,
        reason: str = "received",
    ) -> None:
        """The location is opened if it is new; without one the default is used.

        Without a `backorder_limit` the level keeps the one it has; a new level has none.

        Raises:
            NotFoundError: no variant has this SKU.
            InvalidValueError: fewer than one unit, or a limit below what is sold on credit.
        """
        require_whole("quantity", quantity)
        if quantity < 1:
            raise InvalidValueError("quantity", "must be at least 1")
        place = self.default_location if location is None else location
        with self.unit_of_work() as tx:
            level = open_level(
                tx,
                tx.products.offer(sku),
                open_location(tx, place, self.identifiers),
                backorder_limit=backorder_limit,
            )
            movement = StockMovement(
                kind=MovementKind.RECEIVED,
                variant_id=level.variant_id,
                sku=sku,
                location_id=level.location_id,
                on_hand=quantity,
                occurred_at=self.clock.now(),
                reason=reason,
            )
            tx.stock.record([movement])


def open_location(tx: Transaction, name: str, identifiers: Identifiers) -> Location:
    """The location of this name, opened if it is new."""
    require_text("location", name, max_length=100)
    return tx.stock.open_location(Location(id=LocationId(identifiers.new()), name=name))


def open_level(
    tx: Transaction, offer: Offer, location: Location, *, backorder_limit: int | None
) -> StockLevel:
    """The level of a variant at a location, opened if it is new; None keeps its limit."""
    if backorder_limit is None:
        for level in tx.stock.levels([offer.variant_id]):
            if level.location_id == location.id:
                return level
    return tx.stock.open_level(
        StockLevel(
            variant_id=offer.variant_id,
            sku=offer.sku,
            location_id=location.id,
            backorder_limit=backorder_limit or 0,
        )
    )


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Correct the shelf, up or down, and say why."""

    unit_of_work: UnitOfWork
    clock: Clock
    default_location: str

    @retried
    def __call__(
        self, sku: str, quantity: int, *, reason: str, location: str | None = None
    ) -> None:
        """`quantity` is the difference, not the new count.

        Raises:
            NotFoundError: no such SKU, or it has no stock at this location.
            OutOfStockError: units already promised would be missing.
            InvalidValueError: no change, or no reason.
        """
        if quantity == 0:
            raise InvalidValueError("quantity", "must not be 0")
        require_text("reason", reason, max_length=200)
        with self.unit_of_work() as tx:
            offer = tx.products.offer(sku)
            place = tx.stock.location(self.default_location if location is None else location)
            level = StockLevel(variant_id=offer.variant_id, sku=offer.sku, location_id=place.id)
            now = self.clock.now()
            tx.stock.record([StockMovement.adjustment(level, quantity, reason=reason, now=now)])


@dataclass(frozen=True, slots=True)
class ListStock:
    """Show stock levels to staff."""

    stock: StockReader

    def __call__(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        """By SKU, then location.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.stock.list(sku=sku, limit=limit, cursor=cursor)


@dataclass(frozen=True, slots=True)
class ReconcileStock:
    """Compare every counter with the ledger, and the ledger with the live orders."""

    unit_of_work: UnitOfWork
    stock: StockReader

    @retried
    def __call__(self, *, repair: bool = False) -> Sequence[StockDiscrepancy]:
        """Tell what differs. Only with `repair` are counters set to what the ledger says.

        What live orders were promised is only compared: no counter of theirs can be wrong alone.
        """
        found = self.stock.discrepancies()
        if repair and found:
            with self.unit_of_work() as tx:
                for discrepancy in found:
                    if discrepancy.counter != "allocations":
                        tx.stock.correct(discrepancy)
        return found
