"""Stock in tables: counters that change only together with the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Update, bindparam, insert, select, update
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.stock_moves import Change, Moved, Place, changes_of
from quickshop.adapters.sql.stripes import lock, rewrite, whole
from quickshop.adapters.sql.tables import (
    allocations,
    locations,
    stock_levels,
    stock_movements,
    variants,
)
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import (
    ConflictError,
    ContentionError,
    DomainError,
    NotFoundError,
    OutOfStockError,
)
from quickshop.domain.inventory import (
    COUNTERS,
    Allocation,
    AllocationId,
    Hold,
    LevelChange,
    Location,
    LocationId,
    ShippedUnits,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
    choose_shipped,
)
from quickshop.ports.inventory import StockRepository

_LEVEL: Final = select(
    stock_levels.c.variant_id,
    stock_levels.c.location_id,
    *(whole(name).label(name) for name in COUNTERS),
    stock_levels.c.backorder_limit,
    stock_levels.c.low_stock_threshold,
    stock_levels.c.stripes,
    variants.c.sku,
    locations.c.priority,
).select_from(stock_levels.join(variants).join(locations))
_LEVELS: Final = _LEVEL.where(
    stock_levels.c.variant_id.in_(bindparam("variants", expanding=True))
).order_by(variants.c.sku, stock_levels.c.location_id)
_INSERT_MOVEMENTS: Final = insert(stock_movements).inline()
_INSERT_ALLOCATIONS: Final = insert(allocations)
_LIVE: Final = (
    select(allocations, variants.c.sku)
    .select_from(allocations.join(variants, variants.c.id == allocations.c.variant_id))
    .where(allocations.c.order_id == bindparam("order"), ~allocations.c.released)
)
_THIS_LEVEL: Final = _LEVEL.where(
    stock_levels.c.variant_id == bindparam("variant"),
    stock_levels.c.location_id == bindparam("location"),
)
_SHIP: Final = (
    update(allocations)
    .where(
        allocations.c.id == bindparam("allocation"),
        allocations.c.shipped == bindparam("was"),
        ~allocations.c.released,
    )
    .values(shipped=allocations.c.shipped + bindparam("units"))
)
_NAMES: Final = select(locations.c.id, locations.c.name).where(
    locations.c.id.in_(bindparam("places", expanding=True))
)
_RELEASE: Final = (
    update(allocations)
    .where(allocations.c.order_id == bindparam("order"), ~allocations.c.released)
    .values(released=True)
    .returning(allocations.c.id)
)


class SqlStock(StockRepository):
    """Stock levels, their ledger, and allocations."""

    def __init__(
        self,
        connection: BatchingConnection,
        dialect: SqlDialect,
        log: EventLog,
        low_stock_threshold: int | None = None,
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._log = log
        self._low_stock_threshold = low_stock_threshold
        self._striped: set[Place] = set()

    @override
    def location(self, name: str) -> Location:
        row = self._connection.execute(
            select(locations).where(locations.c.name == name)
        ).one_or_none()
        if row is None:
            raise NotFoundError("location")
        return Location(id=LocationId(row.id), name=row.name, priority=row.priority)

    @override
    def get_or_create_location(self, location: Location) -> Location:
        row = {"id": location.id, "name": location.name, "priority": location.priority}
        self._dialect.insert_if_absent(self._connection, locations.name, row)
        return self.location(location.name)

    @override
    def levels(self, variant_ids: Collection[VariantId]) -> Sequence[StockLevel]:
        if not variant_ids:
            return []
        rows = self._connection.execute(_LEVELS, {"variants": list(variant_ids)}).all()
        self._striped.update((row.variant_id, row.location_id) for row in rows if row.stripes)
        return [_level_of(row) for row in rows]

    @override
    def get_or_create_level(self, level: StockLevel) -> StockLevel:
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
            opened.configured(backorder_limit=level.backorder_limit)
            raise ContentionError("another transaction changed the stock level; try again")
        return opened

    @override
    def lock(self, variant_id: VariantId, location_id: LocationId) -> StockLevel:
        # The lock is a separate statement: the next one sees what the lock waited for.
        if lock(self._connection, (variant_id, location_id)) is None:
            raise NotFoundError("stock level")
        this = {"variant": variant_id, "location": location_id}
        return _level_of(self._connection.execute(_THIS_LEVEL, this).one())

    @override
    def configure(
        self,
        level: StockLevel,
        *,
        now: datetime,
        backorder_limit: int | None = None,
        low_stock_threshold: int | None = None,
        stripes: int | None = None,
    ) -> None:
        before = self.lock(level.variant_id, level.location_id)
        after = before.configured(
            backorder_limit=backorder_limit, low_stock_threshold=low_stock_threshold
        )
        self._connection.later(
            _this(level).values(
                backorder_limit=after.backorder_limit,
                low_stock_threshold=after.low_stock_threshold,
                version=stock_levels.c.version + 1,
            ),
            {},
        )
        if stripes is not None or after.low_stock_threshold != before.low_stock_threshold:
            place = (level.variant_id, level.location_id)
            default = self._low_stock_threshold
            self._dialect.stripe_level(
                self._connection, place, stripes, low_stock_threshold=default
            )
        self._enqueue_events([LevelChange(before, after)], now)

    @override
    def record(self, movements: Sequence[StockMovement]) -> None:
        if not movements:
            return
        self._connection.later(_INSERT_MOVEMENTS, [_movement_row(m) for m in movements])
        changes = changes_of(movements)
        moved = self._dialect.move_levels(
            self._connection,
            list(changes.values()),
            striped=self._striped,
            low_stock_threshold=self._low_stock_threshold,
        )
        for place, change in changes.items():
            if place not in moved:
                raise self._refusal(change)
        skus = {(m.variant_id, m.location_id): m.sku for m in movements}
        moves = [
            _move(change, after, skus[place])
            for place, change in changes.items()
            if (after := moved[place]) is not None
        ]
        self._enqueue_events(moves, movements[0].occurred_at)

    def _enqueue_events(self, moves: Sequence[LevelChange], now: datetime) -> None:
        crossing = [move for move in moves if move.crosses(self._low_stock_threshold)]
        if not crossing:
            return
        places = {move.after.location_id for move in crossing}
        rows = self._connection.execute(_NAMES, {"places": list(places)})
        names = {row.id: row.name for row in rows}
        for move in crossing:
            name = names[move.after.location_id]
            threshold = self._low_stock_threshold
            self._log.enqueue(move.events(name, default_threshold=threshold, now=now))

    def _refusal(self, change: Change) -> Exception:
        """Return why a level could not be moved; the caller must roll back."""
        for level in self.levels([change.variant]):
            if level.location_id == change.location:
                break
        else:
            return NotFoundError("stock level")
        try:
            level.moved(**change.counters)
        except DomainError as error:
            return error
        return ContentionError("another transaction moved the stock; try again")

    @override
    def allocate(
        self, promised: Sequence[Allocation], *, now: datetime, spending: Sequence[Hold] = ()
    ) -> None:
        if not promised:
            return
        rows = [_allocation_row(allocation) for allocation in promised]
        self._connection.later(_INSERT_ALLOCATIONS, rows)
        taken = [allocation.taken(now) for allocation in promised]
        self._record_plan(taken + [hold.spent(now) for hold in spending])

    @override
    def hold(
        self, holds: Sequence[Hold], *, now: datetime, releasing: Sequence[Hold] = ()
    ) -> None:
        taken = [hold.taken(now) for hold in holds]
        self._record_plan(taken + [hold.released(now) for hold in releasing])

    def _record_plan(self, movements: Sequence[StockMovement]) -> None:
        """Record movements that were planned before the levels were locked."""
        try:
            self.record(movements)
        except OutOfStockError as error:
            # Moved units are already subtracted, so the levels show what is free for the others.
            levels = self.levels({m.variant_id for m in movements if m.sku == error.sku})
            if error.requested <= sum(max(0, level.available) for level in levels):
                raise ContentionError("another transaction moved the stock; plan again") from error
            raise

    @override
    def allocations(self, order_id: UUID) -> Sequence[Allocation]:
        rows = self._connection.execute(_LIVE, {"order": order_id})
        return [_allocation_of(row) for row in rows]

    @override
    def release(self, order_id: UUID, *, now: datetime) -> int:
        """Release by compare-and-set: of two concurrent calls one succeeds."""
        live = {allocation.id: allocation for allocation in self.allocations(order_id)}
        released = self._connection.execute(_RELEASE, {"order": order_id}).scalars()
        ended = [live[AllocationId(this)] for this in released if this in live]
        back = [allocation for allocation in ended if allocation.unshipped]
        self.record([allocation.released(now) for allocation in back])
        return sum(allocation.unshipped for allocation in back)

    @override
    def ship(
        self,
        order_id: UUID,
        quantities: Mapping[UUID, int],
        *,
        location_id: LocationId | None = None,
        now: datetime,
    ) -> Sequence[ShippedUnits]:
        """Ship by compare-and-set: no unit is shipped twice."""
        chosen = choose_shipped(self.allocations(order_id), quantities, location_id)
        for allocation, units in chosen:
            this = {"allocation": allocation.id, "was": allocation.shipped, "units": units}
            if self._connection.execute(_SHIP, this).rowcount == 0:
                raise ConflictError("order")
        self.record([allocation.sent(units, now) for allocation, units in chosen])
        return [allocation.shipping(units) for allocation, units in chosen]

    @override
    def correct(self, discrepancy: StockDiscrepancy) -> None:
        place = (discrepancy.variant_id, discrepancy.location_id)
        locked = lock(self._connection, place)
        if locked and locked.total(discrepancy.counter) == discrepancy.recorded:
            right = {discrepancy.counter: discrepancy.expected}
            total = locked.counters._replace(**right)
            rewrite(self._connection, place, locked, total, self._low_stock_threshold)


def _move(change: Change, now: Moved, sku: str) -> LevelChange:
    after = StockLevel(
        variant_id=change.variant, sku=sku, location_id=change.location, **now._asdict()
    )
    before = replace(
        after,
        on_hand=now.on_hand - change.on_hand,
        allocated=now.allocated - change.allocated,
        held=now.held - change.held,
    )
    return LevelChange(before, after)


def _this(level: StockLevel) -> Update:
    return update(stock_levels).where(
        stock_levels.c.variant_id == level.variant_id,
        stock_levels.c.location_id == level.location_id,
    )


def _set_limit(level: StockLevel) -> Update:
    owed = whole("on_hand") - whole("allocated") - whole("held")
    return (
        _this(level)
        .where(
            stock_levels.c.backorder_limit != level.backorder_limit,
            owed >= -level.backorder_limit,
        )
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
        low_stock_threshold=row.low_stock_threshold,
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
        shipped=row.shipped,
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
        "shipped": allocation.shipped,
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
