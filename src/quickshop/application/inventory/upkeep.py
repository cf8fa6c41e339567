"""Use cases to configure, list and reconcile stock levels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quickshop.application.inventory.levels import empty_level
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import (
    ConflictError,
    QuickShopError,
    TransientError,
)
from quickshop.domain.identity import Permission
from quickshop.domain.inventory import COUNTERS, MAX_STRIPES, Location, StockDiscrepancy
from quickshop.domain.values import require_between
from quickshop.ports.clock import Clock
from quickshop.ports.inventory import StockReader, StockView
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import UnitOfWork

logger: Final = logging.getLogger("quickshop.stock")


@needs(Permission.INVENTORY_WRITE)
@dataclass(frozen=True, slots=True)
class ConfigureStock:
    """Set the back-order limit, the low-stock threshold and the stripes of a stock level."""

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
        """Set the given values; None leaves a value unchanged. Safe to repeat.

        `stripes`, 0 to 64, spreads a level over rows, so that concurrent buyers do not queue.

        Raises:
            NotFoundError: no variant has this SKU, or it has no stock level at this location.
            InvalidValueError: a value is out of range, or the limit is below the units already
                back-ordered.
        """
        if stripes is not None:
            require_between("stripes", stripes, 0, MAX_STRIPES)
        place = self.default_location if location is None else location
        with self.unit_of_work() as tx:
            tx.stock.configure(
                empty_level(tx, sku, place),
                now=self.clock.now(),
                backorder_limit=backorder_limit,
                low_stock_threshold=low_stock_threshold,
                stripes=stripes,
            )


@needs(Permission.INVENTORY_READ)
@dataclass(frozen=True, slots=True)
class ListStock:
    """List stock levels for staff."""

    stock: StockReader

    def __call__(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        """Return a page of levels, sorted by SKU and location.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.stock.list(sku=sku, limit=limit, cursor=cursor)


@needs(Permission.INVENTORY_READ)
@dataclass(frozen=True, slots=True)
class ListLocations:
    """List the stock locations for staff."""

    stock: StockReader

    def __call__(self) -> Sequence[Location]:
        """Return all locations, sorted by name."""
        return self.stock.locations()


@needs(Permission.INVENTORY_WRITE)
@dataclass(frozen=True, slots=True)
class ReconcileStock:
    """Compare every counter with the ledger, and the ledger with open orders and holds."""

    unit_of_work: UnitOfWork
    stock: StockReader

    def __call__(self, *, repair: bool = False) -> Sequence[StockDiscrepancy]:
        """Return the differences. With `repair`, set counters to the values of the ledger.

        Differences to open orders and holds are only reported, because either side may be wrong.
        A level with more allocated and held units than its ledger allows is logged and not
        repaired.
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
            logger.warning("%s: cannot be repaired: %s", wrong[0], error)

    @retried
    def _correct(self, wrong: Sequence[StockDiscrepancy]) -> None:
        """Set the counters of one level. Those that free units come first, so none is missing."""
        with self.unit_of_work() as tx:
            for discrepancy in sorted(wrong, key=_freed, reverse=True):
                tx.stock.correct(discrepancy)


def _freed(wrong: StockDiscrepancy) -> int:
    more = wrong.expected - wrong.recorded
    return more if wrong.counter == "on_hand" else -more
