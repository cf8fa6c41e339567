"""The use case that transfers units between locations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quickshop.application.holds import ReleaseExpiredHolds
from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.inventory.levels import (
    get_or_create_level,
    get_or_create_location,
    once,
)
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import InvalidValueError, NotFoundError, OutOfStockError
from quickshop.domain.identity import Permission
from quickshop.domain.inventory import StockLevel, StockMovement, lock_order, require_ledger_reason
from quickshop.domain.values import require_units
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class StockTransfer:
    """A transfer of units between two locations."""

    sku: str
    quantity: int
    from_location: str
    to_location: str


@needs(Permission.INVENTORY_WRITE)
@dataclass(frozen=True, slots=True)
class TransferStock:
    """Transfer units from one location to another. The total stays the same."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    default_location: str
    release: ReleaseExpiredHolds

    def __call__(
        self,
        sku: str,
        quantity: int,
        *,
        to_location: str,
        from_location: str | None = None,
        reason: str = "transferred",
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[StockTransfer]:
        """Transfer free units; allocated and held units stay. A new target location is created.

        A repeated call with the same `idempotency_key` and `by` returns the first call's answer.

        Raises:
            NotFoundError: no variant has this SKU, or it has no stock level at the source.
            OutOfStockError: the source has fewer free units.
            InvalidValueError: fewer than one unit, no reason, or the same location twice.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        require_units(quantity)
        require_ledger_reason(reason)
        place = self.default_location if from_location is None else from_location
        if place == to_location:
            raise InvalidValueError("to_location", "must be another location")
        transfer = StockTransfer(
            sku=sku, quantity=quantity, from_location=place, to_location=to_location
        )
        asked = once(by, "transfer", idempotency_key, sku, quantity, place, to_location, reason)
        return self.release.retry_after_releasing(lambda: self._transfer(transfer, reason, asked))

    @retried
    def _transfer(
        self, transfer: StockTransfer, reason: str, asked: Once
    ) -> Answer[StockTransfer]:
        now = self.clock.now()

        def move(tx: Transaction, keep: Keep[StockTransfer]) -> None:
            ends = self._ends(tx, transfer)
            keep(transfer)
            tx.stock.record(_movements(tx, ends, transfer.quantity, reason, now))

        return asked.run(self.unit_of_work, StockTransfer, now, move)

    def _ends(self, tx: Transaction, transfer: StockTransfer) -> tuple[StockLevel, StockLevel]:
        offer = tx.products.offer(transfer.sku)
        source = tx.stock.location(transfer.from_location)
        for level in tx.stock.levels([offer.variant_id]):
            if level.location_id == source.id:
                break
        else:
            raise NotFoundError("stock level")
        target = get_or_create_location(tx, transfer.to_location, self.identifiers)
        return level, get_or_create_level(tx, offer, target, backorder_limit=None)


def _movements(
    tx: Transaction,
    ends: tuple[StockLevel, StockLevel],
    quantity: int,
    reason: str,
    now: datetime,
) -> tuple[StockMovement, StockMovement]:
    """Lock both levels, require enough free units at the source, and return the movements.

    The back-order limit does not count: units that are moved must be there.
    """
    source, target = ends
    for level in sorted(ends, key=lock_order):
        locked = tx.stock.lock(level.variant_id, level.location_id)
        if level is source and locked.free < quantity:
            raise OutOfStockError(source.sku, requested=quantity, available=max(0, locked.free))
    return StockMovement.transfer(source, target, quantity, reason=reason, now=now)
