"""Bringing the shelf to what an imported file says, through the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quickshop.application.imports.variants import Note
from quickshop.domain.catalog import Variant
from quickshop.domain.errors import ConflictError, OutOfStockError
from quickshop.domain.identity import Permission
from quickshop.domain.inventory import Location, MovementKind, StockLevel, StockMovement
from quickshop.ports.imports import ProductDraft, VariantDraft
from quickshop.ports.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class StockChange:
    """What an import did to the shelves of one product."""

    units: int
    """Sum over levels of by how much the shelf changed."""
    levels: int
    """Levels that were opened or got another back-order limit."""


def stock_shelves(
    tx: Transaction,
    place: Location,
    pairs: Sequence[tuple[VariantDraft, Variant]],
    *,
    reason: str,
    now: datetime,
    note: Note,
) -> StockChange:
    """Set back-order limits, then move the units that are missing or too many. Call it last.

    Units that are promised to orders stay covered, whatever the file says.

    Raises:
        ConflictError: someone bought units meanwhile; do the whole transaction again.
    """
    ids = [variant.id for _, variant in pairs]
    known = {
        level.variant_id: level for level in tx.stock.levels(ids) if level.location_id == place.id
    }
    opened = 0
    movements: list[StockMovement] = []
    for draft, variant in sorted(pairs, key=lambda pair: pair[1].sku):  # the order of locks
        level, changed = _level_for(tx, place, variant, draft, known.get(variant.id), note)
        opened += changed
        if units := _missing(level, draft, note):
            kind = MovementKind.ADJUSTED if variant.id in known else MovementKind.RECEIVED
            movement = StockMovement.adjustment(level, units, reason=reason, now=now)
            movements.append(replace(movement, kind=kind))
    try:
        if movements:
            tx.stock.record(movements)
    except OutOfStockError as error:
        raise ConflictError("stock level") from error
    return StockChange(sum(abs(movement.on_hand) for movement in movements), opened)


def note_left_aside(draft: ProductDraft, note: Note) -> None:
    """Say that what the file says of stock is not done, where it says anything."""
    for variant in draft.variants:
        if variant.on_hand is not None or variant.backorder_limit:
            reason = f"left aside: this needs {Permission.INVENTORY_WRITE}"
            note(variant.line, "on_hand", reason)
            return


def _level_for(
    tx: Transaction,
    place: Location,
    variant: Variant,
    draft: VariantDraft,
    known: StockLevel | None,
    note: Note,
) -> tuple[StockLevel, bool]:
    owed = -known.free if known else 0
    limit = max(draft.backorder_limit, owed)
    if limit > draft.backorder_limit:
        note(
            draft.line,
            "backorder_limit",
            f"orders wait for {owed} units that are not there: as many may go on waiting",
        )
    if known is not None and known.backorder_limit == limit:
        return known, False
    level = StockLevel(
        variant_id=variant.id, sku=variant.sku, location_id=place.id, backorder_limit=limit
    )
    return tx.stock.get_or_create_level(level), True


def _missing(level: StockLevel, draft: VariantDraft, note: Note) -> int:
    if draft.on_hand is None:
        return 0
    lowest = level.allocated + level.held - level.backorder_limit
    if lowest > draft.on_hand:
        note(
            draft.line,
            "on_hand",
            f"is less than what orders were promised; stocked as {lowest}",
        )
    return max(lowest, draft.on_hand) - level.on_hand
