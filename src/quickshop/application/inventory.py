"""Use cases about stock."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from quickshop.application.access import digest
from quickshop.application.holds import ReleaseExpiredHolds
from quickshop.application.idempotency import Once
from quickshop.application.retries import retried
from quickshop.domain.catalog import Offer
from quickshop.domain.customers import require_text
from quickshop.domain.errors import (
    ConflictError,
    InvalidValueError,
    QuickShopError,
    TransientError,
)
from quickshop.domain.inventory import (
    COUNTERS,
    MAX_UNITS,
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

MAX_STRIPES: Final = 64

logger: Final = logging.getLogger("quickshop.stock")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChange:
    """By how much a shelf was changed."""

    sku: str
    location: str
    quantity: int
    """Units more, or below 0 fewer."""


@dataclass(frozen=True, slots=True)
class StockChanged:
    """The answer to staff who changed a shelf."""

    change: StockChange
    replayed: bool = False
    """Whether this is the stored answer to an earlier request with the same key."""


def _changed(change: StockChange) -> StockChanged:
    """The answer, now that it is committed; the log is told, too."""
    facts = {"sku": change.sku, "location": change.location, "units": change.quantity}
    logger.info("stock changed", extra=facts)
    return StockChanged(change)


def _once(verb: str, key: str | None, *asked: object) -> Once:
    return Once(f"staff:{verb}", key, digest(repr(asked)))


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
        idempotency_key: str | None = None,
    ) -> StockChanged:
        """The location is opened if it is new; without one the default is used.

        Without a `backorder_limit` the level keeps the one it has; a new level has none. With an
        `idempotency_key` a repeated call gives the first one's answer.

        Raises:
            NotFoundError: no variant has this SKU.
            InvalidValueError: fewer than one unit, a limit below what is sold on credit, or no
                reason.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        require_whole("quantity", quantity)
        if quantity < 1:
            raise InvalidValueError("quantity", "must be at least 1")
        require_text("reason", reason, max_length=200)
        place = self.default_location if location is None else location
        once = _once("receive", idempotency_key, sku, quantity, place, backorder_limit, reason)
        change = StockChange(sku=sku, location=place, quantity=quantity)
        now = self.clock.now()
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, StockChange, now):
                return StockChanged(earlier, replayed=True)
            level = open_level(
                tx,
                tx.products.offer(sku),
                open_location(tx, place, self.identifiers),
                backorder_limit=backorder_limit,
            )
            movement = StockMovement.adjustment(level, quantity, reason=reason, now=now)
            once.keep(tx, change)
            tx.stock.record([replace(movement, kind=MovementKind.RECEIVED)])
        return _changed(change)


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
    release: ReleaseExpiredHolds

    def __call__(
        self,
        sku: str,
        quantity: int,
        *,
        reason: str,
        location: str | None = None,
        idempotency_key: str | None = None,
    ) -> StockChanged:
        """`quantity` is the difference, not the new count: for that there is `CountStock`.

        With an `idempotency_key` a repeated call gives the first one's answer.

        Raises:
            NotFoundError: no such SKU, or it has no stock at this location.
            OutOfStockError: units already promised would be missing.
            InvalidValueError: no change, or no reason.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        if quantity == 0:
            raise InvalidValueError("quantity", "must not be 0")
        require_text("reason", reason, max_length=200)
        place = self.default_location if location is None else location
        once = _once("adjust", idempotency_key, sku, quantity, place, reason)
        change = StockChange(sku=sku, location=place, quantity=quantity)
        return self.release.before_refusing(lambda: self._adjust(change, reason, once))

    @retried
    def _adjust(self, change: StockChange, reason: str, once: Once) -> StockChanged:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, StockChange, now):
                return StockChanged(earlier, replayed=True)
            level = _empty_level(tx, change.sku, change.location)
            movement = StockMovement.adjustment(level, change.quantity, reason=reason, now=now)
            once.keep(tx, change)
            tx.stock.record([movement])
        return _changed(change)


def _empty_level(tx: Transaction, sku: str, location: str) -> StockLevel:
    offer = tx.products.offer(sku)
    place = tx.stock.location(location)
    return StockLevel(variant_id=offer.variant_id, sku=offer.sku, location_id=place.id)


@dataclass(frozen=True, slots=True)
class CountStock:
    """Have the shelf hold what somebody counted there."""

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
    ) -> StockChanged:
        """`counted` is what lies there, promised units included; the ledger gets the difference.

        A count that was as expected stands in the ledger, too. With an `idempotency_key` a
        repeated call gives the first one's answer.

        Raises:
            NotFoundError: no such SKU or location.
            OutOfStockError: more units are promised than were counted.
            InvalidValueError: fewer than 0 units, or no reason.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        require_whole("counted", counted)
        if not 0 <= counted <= MAX_UNITS:
            raise InvalidValueError("counted", f"must be between 0 and {MAX_UNITS}")
        require_text("reason", reason, max_length=200)
        place = self.default_location if location is None else location
        once = _once("count", idempotency_key, sku, counted, place, reason)
        return self.release.before_refusing(lambda: self._count(sku, place, counted, reason, once))

    @retried
    def _count(self, sku: str, place: str, counted: int, reason: str, once: Once) -> StockChanged:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, StockChange, now):
                return StockChanged(earlier, replayed=True)
            opened = open_level(
                tx, tx.products.offer(sku), tx.stock.location(place), backorder_limit=None
            )
            level = tx.stock.lock(opened.variant_id, opened.location_id)
            units = counted - level.on_hand
            change = StockChange(sku=sku, location=place, quantity=units)
            once.keep(tx, change)
            movement = StockMovement.adjustment(level, units, reason=reason, now=now)
            tx.stock.record([movement])
        return _changed(change)


@dataclass(frozen=True, slots=True)
class ConfigureStock:
    """Say how far a level may be sold below nothing, and when staff are to be told."""

    unit_of_work: UnitOfWork
    clock: Clock
    default_location: str

    @retried
    def __call__(
        self,
        sku: str,
        *,
        location: str | None = None,
        backorder_limit: int | None = None,
        low_stock_threshold: int | None = None,
        stripes: int | None = None,
    ) -> None:
        """What is None stays as it is. Safe to repeat.

        `stripes`, 0 to 64, spreads a level that many buy from at once, so that they do not queue.

        Raises:
            NotFoundError: no such SKU, or it has no stock at this location.
            InvalidValueError: a limit below what is sold on credit, or one below 0.
        """
        for name, value in (
            ("backorder_limit", backorder_limit),
            ("low_stock_threshold", low_stock_threshold),
        ):
            if value is not None:
                require_whole(name, value)
                if not 0 <= value <= MAX_UNITS:
                    raise InvalidValueError(name, f"must be between 0 and {MAX_UNITS}")
        if stripes is not None:
            require_whole("stripes", stripes)
            if not 0 <= stripes <= MAX_STRIPES:
                raise InvalidValueError("stripes", f"must be between 0 and {MAX_STRIPES}")
        place = self.default_location if location is None else location
        with self.unit_of_work() as tx:
            tx.stock.configure(
                _empty_level(tx, sku, place),
                now=self.clock.now(),
                backorder_limit=backorder_limit,
                low_stock_threshold=low_stock_threshold,
                stripes=stripes,
            )


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

    def __call__(self, *, repair: bool = False) -> Sequence[StockDiscrepancy]:
        """Tell what differs. Only with `repair` are counters set to what the ledger says.

        What live orders and live holds have is only compared: who is wrong then is not known. A
        level of which more was promised than its ledger has is logged and left as it is.
        """
        found = self.stock.discrepancies()
        if repair:
            wrong = [each for each in found if each.counter in COUNTERS]
            for level in sorted({(each.variant_id, each.location_id) for each in wrong}):
                self._repair(
                    [each for each in wrong if (each.variant_id, each.location_id) == level]
                )
        return found

    def _repair(self, wrong: Sequence[StockDiscrepancy]) -> None:
        try:
            self._correct(wrong)
        except (TransientError, ConflictError):
            raise
        except QuickShopError as error:
            logger.warning("%s: cannot be set right: %s", wrong[0], error)

    @retried
    def _correct(self, wrong: Sequence[StockDiscrepancy]) -> None:
        """Set the counters of one level; first those that free units, so that none is missing."""
        with self.unit_of_work() as tx:
            for discrepancy in sorted(wrong, key=_freed, reverse=True):
                tx.stock.correct(discrepancy)


def _freed(wrong: StockDiscrepancy) -> int:
    more = wrong.expected - wrong.recorded
    return more if wrong.counter == "on_hand" else -more
