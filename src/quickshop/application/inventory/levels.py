"""Use cases that change stock levels: receive, adjust and count."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final

from quickshop.application.holds import ReleaseExpiredHolds
from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.catalog import Offer
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.identity import Permission
from quickshop.domain.inventory import (
    MAX_UNITS,
    Location,
    LocationId,
    MovementKind,
    StockLevel,
    StockMovement,
    require_ledger_reason,
    require_location,
)
from quickshop.domain.values import require_between, require_units
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

logger: Final = logging.getLogger("quickshop.stock")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChange:
    """A change of a stock level."""

    sku: str
    location: str
    quantity: int
    """Units added; below 0, removed."""


def _logged(answer: Answer[StockChange]) -> Answer[StockChange]:
    """Log a change that was just committed."""
    if not answer.replayed:
        change = answer.value
        facts = {"sku": change.sku, "location": change.location, "units": change.quantity}
        logger.info("stock changed", extra=facts)
    return answer


def once(by: str, verb: str, key: str | None, *asked: object) -> Once:
    """Return an idempotent staff request. Equal keys of other accounts are separate."""
    return Once(f"{by}:{verb}", key, digest(repr(asked)))


@needs(Permission.INVENTORY_WRITE)
@dataclass(frozen=True, slots=True)
class ReceiveStock:
    """Add received units to the stock."""

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
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[StockChange]:
        """Add the units. A new location is created; the default is the shop's location.

        Without a `backorder_limit`, the level keeps its limit; a new level has 0. A repeated call
        with the same `idempotency_key` and `by` returns the first call's answer.

        Raises:
            NotFoundError: no variant has this SKU.
            InvalidValueError: fewer than one unit, a limit below the units already
                back-ordered, or no reason.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        require_units(quantity)
        require_ledger_reason(reason)
        place = self.default_location if location is None else location
        asked = once(by, "receive", idempotency_key, sku, quantity, place, backorder_limit, reason)
        change = StockChange(sku=sku, location=place, quantity=quantity)
        now = self.clock.now()

        def receive(tx: Transaction, keep: Keep[StockChange]) -> None:
            level = get_or_create_level(
                tx,
                tx.products.offer(sku),
                get_or_create_location(tx, place, self.identifiers),
                backorder_limit=backorder_limit,
            )
            movement = StockMovement.adjustment(level, quantity, reason=reason, now=now)
            keep(change)
            tx.stock.record([replace(movement, kind=MovementKind.RECEIVED)])

        return _logged(asked.run(self.unit_of_work, StockChange, now, receive))


def get_or_create_location(tx: Transaction, name: str, identifiers: Identifiers) -> Location:
    """Return the location of this name. Create it if it is new."""
    require_location(name)
    return tx.stock.get_or_create_location(Location(id=LocationId(identifiers.new()), name=name))


def get_or_create_level(
    tx: Transaction, offer: Offer, location: Location, *, backorder_limit: int | None
) -> StockLevel:
    """Return the level of a variant at a location. Create it if it is new.

    A `backorder_limit` of None leaves the limit of the level unchanged.
    """
    if backorder_limit is None:
        for level in tx.stock.levels([offer.variant_id]):
            if level.location_id == location.id:
                return level
    return tx.stock.get_or_create_level(
        StockLevel(
            variant_id=offer.variant_id,
            sku=offer.sku,
            location_id=location.id,
            backorder_limit=backorder_limit or 0,
        )
    )


@needs(Permission.INVENTORY_WRITE)
@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Correct a stock level by a difference, with a reason."""

    unit_of_work: UnitOfWork
    clock: Clock
    default_location: str
    release: ReleaseExpiredHolds

    def __call__(
        self,
        sku: str,
        quantity: int,
        *,
        reason: str,
        location: str | None = None,
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[StockChange]:
        """Add `quantity` to the level, or remove it if below 0. To set a count, use `CountStock`.

        A repeated call with the same `idempotency_key` and `by` returns the first call's answer.

        Raises:
            NotFoundError: no variant has this SKU, or it has no stock level at this location.
            OutOfStockError: allocated or held units would be missing.
            InvalidValueError: the quantity is 0, or the reason is missing.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        if quantity == 0:
            raise InvalidValueError("quantity", "must not be 0")
        require_ledger_reason(reason)
        place = self.default_location if location is None else location
        asked = once(by, "adjust", idempotency_key, sku, quantity, place, reason)
        change = StockChange(sku=sku, location=place, quantity=quantity)
        return self.release.retry_after_releasing(lambda: self._adjust(change, reason, asked))

    @retried
    def _adjust(self, change: StockChange, reason: str, asked: Once) -> Answer[StockChange]:
        now = self.clock.now()

        def adjust(tx: Transaction, keep: Keep[StockChange]) -> None:
            level = empty_level(tx, change.sku, change.location)
            movement = StockMovement.adjustment(level, change.quantity, reason=reason, now=now)
            keep(change)
            tx.stock.record([movement])

        return _logged(asked.run(self.unit_of_work, StockChange, now, adjust))


def empty_level(tx: Transaction, sku: str, location: str) -> StockLevel:
    """Return the level of a SKU at a location without its counters."""
    offer = tx.products.offer(sku)
    place = tx.stock.location(location)
    return StockLevel(variant_id=offer.variant_id, sku=offer.sku, location_id=place.id)


@needs(Permission.INVENTORY_WRITE)
@dataclass(frozen=True, slots=True)
class CountStock:
    """Set a stock level to a counted number of units."""

    unit_of_work: UnitOfWork
    clock: Clock
    default_location: str
    release: ReleaseExpiredHolds

    def __call__(
        self,
        sku: str,
        counted: int,
        *,
        reason: str = "counted",
        location: str | None = None,
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[StockChange]:
        """Set the level to `counted` units, allocated units included.

        The ledger gets the difference, even if it is 0. A repeated call with the same
        `idempotency_key` and `by` returns the first call's answer.

        Raises:
            NotFoundError: no variant has this SKU, or no location has this name.
            OutOfStockError: more units are allocated or held than were counted.
            InvalidValueError: fewer than 0 units, or no reason.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        require_between("counted", counted, 0, MAX_UNITS)
        require_ledger_reason(reason)
        place = self.default_location if location is None else location
        asked = once(by, "count", idempotency_key, sku, counted, place, reason)
        return self.release.retry_after_releasing(
            lambda: self._count(sku, place, counted, reason, asked)
        )

    @retried
    def _count(
        self, sku: str, place: str, counted: int, reason: str, asked: Once
    ) -> Answer[StockChange]:
        now = self.clock.now()

        def count(tx: Transaction, keep: Keep[StockChange]) -> None:
            offer, location = tx.products.offer(sku), tx.stock.location(place)
            known = get_or_create_level(tx, offer, location, backorder_limit=None)
            level = tx.stock.lock(known.variant_id, known.location_id)
            units = counted - level.on_hand
            keep(StockChange(sku=sku, location=place, quantity=units))
            movement = StockMovement.adjustment(level, units, reason=reason, now=now)
            tx.stock.record([movement])

        return _logged(asked.run(self.unit_of_work, StockChange, now, count))
