"""How levels are kept, and whether they add up."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quickshop.application.inventory.levels import empty_level
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
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
    """Show stock levels to staff."""

    stock: StockReader

    def __call__(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        """By SKU, then location.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid.
        """
        return self.stock.list(sku=sku, limit=limit, cursor=cursor)


@needs(Permission.INVENTORY_READ)
@dataclass(frozen=True, slots=True)
class ListLocations:
    """Show the places where stock lies to staff."""

    stock: StockReader

    def __call__(self) -> Sequence[Location]:
        """All of them, by name."""
        return self.stock.locations()


@needs(Permission.INVENTORY_WRITE)
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
