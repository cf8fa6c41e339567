"""Setting stock levels from an imported file, through the ledger."""

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
    """The stock changes of one imported product."""

    units: int
    """Units added or removed, summed as absolute values."""
    levels: int
    """Levels that were created or got another back-order limit."""


def set_stock_levels(
    tx: Transaction,
    place: Location,
    pairs: Sequence[tuple[VariantDraft, Variant]],
    *,
    reason: str,
    now: datetime,
    note: Note,
) -> StockChange:
    """Set the back-order limits and the units of the stock levels. Call it last.

    Allocated and held units stay covered, even if the file has fewer units.

    Raises:
        ConflictError: units were sold meanwhile; repeat the whole transaction.
    """
    ids = [variant.id for _, variant in pairs]
    known = {
        level.variant_id: level for level in tx.stock.levels(ids) if level.location_id == place.id
    }
    created = 0
    movements: list[StockMovement] = []
    for draft, variant in sorted(pairs, key=lambda pair: pair[1].sku):  # the order of locks
        level, changed = _level_for(tx, place, variant, draft, known.get(variant.id), note)
        created += changed
        if units := _missing(level, draft, note):
            kind = MovementKind.ADJUSTED if variant.id in known else MovementKind.RECEIVED
            movement = StockMovement.adjustment(level, units, reason=reason, now=now)
            movements.append(replace(movement, kind=kind))
    try:
        if movements:
            tx.stock.record(movements)
    except OutOfStockError as error:
        raise ConflictError("stock level") from error
    return StockChange(sum(abs(movement.on_hand) for movement in movements), created)


def note_ignored_stock(draft: ProductDraft, note: Note) -> None:
    """Note that the stock in the file is ignored, if it has any."""
    for variant in draft.variants:
        if variant.on_hand is not None or variant.backorder_limit:
            reason = f"ignored: you need the permission {Permission.INVENTORY_WRITE}"
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
            f"orders wait for {owed} missing units; the back-order limit is {owed}",
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
            f"is less than the allocated and held units; set to {lowest}",
        )
    return max(lowest, draft.on_hand) - level.on_hand
