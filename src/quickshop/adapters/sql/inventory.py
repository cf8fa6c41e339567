"""Stock in tables: counters that only move together with their ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.tables import (
    allocations,
    locations,
    stock_levels,
    stock_movements,
    variants,
)
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import (
    ContentionError,
    InvalidValueError,
    NotFoundError,
    OutOfStockError,
)
from quickshop.domain.inventory import (
    MAX_UNITS,
    Allocation,
    AllocationId,
    Location,
    LocationId,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
    lock_order,
)

_LEVELS: Final = (
    select(stock_levels, variants.c.sku, locations.c.priority)
    .select_from(stock_levels.join(variants).join(locations))
    .where(stock_levels.c.variant_id.in_(bindparam("variants", expanding=True)))
    .order_by(variants.c.sku, stock_levels.c.location_id)
)
_INSERT_MOVEMENTS: Final = insert(stock_movements).inline()
_MOVED: Final = {
    name: stock_levels.c[name] + bindparam(f"by_{name}")
    for name in ("on_hand", "allocated", "held")
}
_MOVE: Final = (
    update(stock_levels)
    .where(
        stock_levels.c.variant_id == bindparam("variant"),
        stock_levels.c.location_id == bindparam("location"),
        # The domain's rule, a second time and on the very row: nobody can have changed it since.
        _MOVED["on_hand"] - _MOVED["allocated"] - _MOVED["held"] + stock_levels.c.backorder_limit
        >= 0,
        _MOVED["on_hand"] <= MAX_UNITS,
    )
    .values(**_MOVED, version=stock_levels.c.version + 1)
)
_INSERT_ALLOCATIONS: Final = insert(allocations)
_LIVE: Final = (
    select(allocations, variants.c.sku)
    .select_from(allocations.join(variants, variants.c.id == allocations.c.variant_id))
    .where(allocations.c.order_id == bindparam("order"), ~allocations.c.released)
)
_RELEASE: Final = (
    update(allocations)
    .where(allocations.c.order_id == bindparam("order"), ~allocations.c.released)
    .values(released=True)
    .returning(allocations.c.id)
)


class SqlStock:
    """Levels, their ledger, and what orders were promised."""

    def __init__(self, connection: BatchingConnection, dialect: SqlDialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def location(self, name: str) -> Location:
        """As the port promises."""
        row = self._connection.execute(
            select(locations).where(locations.c.name == name)
        ).one_or_none()
        if row is None:
            raise NotFoundError("location")
        return Location(id=LocationId(row.id), name=row.name, priority=row.priority)

    def open_location(self, location: Location) -> Location:
        """As the port promises."""
        row = {"id": location.id, "name": location.name, "priority": location.priority}
        self._dialect.insert_if_absent(self._connection, locations.name, row)
        return self.location(location.name)

    def levels(self, variant_ids: Collection[VariantId]) -> Sequence[StockLevel]:
        """As the port promises."""
        if not variant_ids:
            return []
        rows = self._connection.execute(_LEVELS, {"variants": list(variant_ids)})
        return [_level_of(row) for row in rows]

    def open_level(self, level: StockLevel) -> StockLevel:
        """As the port promises."""
        row = {
            "variant_id": level.variant_id,
            "location_id": level.location_id,
            "on_hand": 0,
            "allocated": 0,
            "held": 0,
            "backorder_limit": level.backorder_limit,
            "version": 1,
        }
        if not self._dialect.insert_if_absent(self._connection, stock_levels.name, row):
            self._connection.execute(_set_limit(level))
        levels = self.levels([level.variant_id])
        opened = next(found for found in levels if found.location_id == level.location_id)
        if opened.backorder_limit != level.backorder_limit:
            raise InvalidValueError("backorder_limit", "must cover what is sold on credit already")
        return opened

    def record(self, movements: Sequence[StockMovement]) -> None:
        """As the port promises."""
        if not movements:
            return
        self._connection.later(_INSERT_MOVEMENTS, [_movement_row(m) for m in movements])
        changes = _changes(movements)
        if self._connection.execute(_MOVE, changes).rowcount < len(changes):
            raise self._refusal(movements)

    def _refusal(self, movements: Sequence[StockMovement]) -> Exception:
        """Why not every level could be moved: the transaction is to be rolled back."""
        levels = {
            (level.variant_id, level.location_id): level
            for level in self.levels({m.variant_id for m in movements})
        }
        wanted: defaultdict[tuple[VariantId, LocationId], int] = defaultdict(int)
        for movement in movements:
            place = (movement.variant_id, movement.location_id)
            wanted[place] -= movement.on_hand - movement.allocated - movement.held
        if wanted.keys() - levels.keys():
            return NotFoundError("stock level")
        arrived = sum(max(0, movement.on_hand) for movement in movements)
        if any(level.on_hand + arrived > MAX_UNITS for level in levels.values()):
            return InvalidValueError(
                "quantity", f"must leave at most {MAX_UNITS} units on a shelf"
            )
        # At least one of these did not move; others may look short by what was just taken.
        short = [place for place, units in wanted.items() if levels[place].available < units]
        if len(short) != 1:
            return ContentionError("the stock moved meanwhile")
        level = levels[short[0]]
        return OutOfStockError(
            level.sku, requested=wanted[short[0]], available=max(0, level.available)
        )

    def allocate(self, promised: Sequence[Allocation], *, now: datetime) -> None:
        """As the port promises."""
        if not promised:
            return
        rows = [_allocation_row(allocation) for allocation in promised]
        self._connection.later(_INSERT_ALLOCATIONS, rows)
        try:
            self.record([allocation.taken(now) for allocation in promised])
        except OutOfStockError as error:
            if self._lies_elsewhere(promised, error.sku):
                raise ContentionError("the stock moved meanwhile; plan again") from error
            raise

    def _lies_elsewhere(self, promised: Sequence[Allocation], sku: str) -> bool:
        mine = [allocation for allocation in promised if allocation.sku == sku]
        levels = self.levels({allocation.variant_id for allocation in mine})
        requested = sum(allocation.quantity for allocation in mine)
        return requested <= sum(max(0, level.available) for level in levels)

    def allocations(self, order_id: UUID) -> Sequence[Allocation]:
        """As the port promises."""
        rows = self._connection.execute(_LIVE, {"order": order_id})
        return [_allocation_of(row) for row in rows]

    def release(self, order_id: UUID, *, now: datetime) -> int:
        """As the port promises; compare-and-set, so that two cannot both do it."""
        live = {allocation.id: allocation for allocation in self.allocations(order_id)}
        released = self._connection.execute(_RELEASE, {"order": order_id}).scalars()
        mine = [live[AllocationId(this)] for this in released if this in live]
        self.record([allocation.released(now) for allocation in mine])
        return sum(allocation.quantity for allocation in mine)

    def correct(self, discrepancy: StockDiscrepancy) -> None:
        """As the port promises."""
        self._connection.execute(
            update(stock_levels)
            .where(
                stock_levels.c.variant_id == discrepancy.variant_id,
                stock_levels.c.location_id == discrepancy.location_id,
                stock_levels.c[discrepancy.counter] == discrepancy.recorded,
            )
            .values(
                {discrepancy.counter: discrepancy.expected, "version": stock_levels.c.version + 1}
            )
        )


def _changes(movements: Sequence[StockMovement]) -> list[dict[str, Any]]:
    """One change per level, in the order of locks."""
    changes: dict[tuple[VariantId, LocationId], dict[str, Any]] = {}
    for movement in sorted(movements, key=lock_order):
        change = changes.setdefault(
            (movement.variant_id, movement.location_id),
            {
                "variant": movement.variant_id,
                "location": movement.location_id,
                "by_on_hand": 0,
                "by_allocated": 0,
                "by_held": 0,
            },
        )
        change["by_on_hand"] += movement.on_hand
        change["by_allocated"] += movement.allocated
        change["by_held"] += movement.held
    return list(changes.values())


def _set_limit(level: StockLevel) -> Any:
    mine = (
        stock_levels.c.variant_id == level.variant_id,
        stock_levels.c.location_id == level.location_id,
        stock_levels.c.backorder_limit != level.backorder_limit,
    )
    owed = stock_levels.c.on_hand - stock_levels.c.allocated - stock_levels.c.held
    enough = owed >= -level.backorder_limit
    return (
        update(stock_levels)
        .where(*mine, enough)
        .values(backorder_limit=level.backorder_limit, version=stock_levels.c.version + 1)
    )


def _level_of(row: Row[Any]) -> StockLevel:
    return StockLevel(
        variant_id=VariantId(row.variant_id),
        sku=row.sku,
        location_id=LocationId(row.location_id),
        on_hand=row.on_hand,
        allocated=row.allocated,
        held=row.held,
        backorder_limit=row.backorder_limit,
        location_priority=row.priority,
    )


def _allocation_of(row: Row[Any]) -> Allocation:
    return Allocation(
        id=AllocationId(row.id),
        order_id=row.order_id,
        order_line_id=row.order_line_id,
        variant_id=VariantId(row.variant_id),
        sku=row.sku,
        location_id=LocationId(row.location_id),
        quantity=row.quantity,
    )


def _allocation_row(allocation: Allocation) -> dict[str, Any]:
    return {
        "id": allocation.id,
        "order_id": allocation.order_id,
        "order_line_id": allocation.order_line_id,
        "variant_id": allocation.variant_id,
        "location_id": allocation.location_id,
        "quantity": allocation.quantity,
        "released": False,
    }


def _movement_row(movement: StockMovement) -> dict[str, Any]:
    return {
        "kind": movement.kind,
        "variant_id": movement.variant_id,
        "location_id": movement.location_id,
        "on_hand": movement.on_hand,
        "allocated": movement.allocated,
        "held": movement.held,
        "reason": movement.reason,
        "order_id": movement.order_id,
        "occurred_at": movement.occurred_at,
    }
