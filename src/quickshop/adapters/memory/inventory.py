"""Stock in memory: levels, and the ledger of movements that they sum up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from quickshop.adapters.memory.constraints import refused, require
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryState, MemoryStore, StoredLevel
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.domain.inventory import (
    COUNTERS,
    Allocation,
    Hold,
    LevelChange,
    Location,
    LocationId,
    ShippedUnits,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
    choose_shipped,
    lock_order,
)
from quickshop.domain.orders import HOLDS_STOCK, OrderId
from quickshop.ports.inventory import StockReader, StockRepository, StockView
from quickshop.ports.paging import DEFAULT_LIMIT, Cursor, Page, require_limit


class MemoryStock(StockRepository):
    """Stock levels and their ledger. Only movements change counters."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def location(self, name: str) -> Location:
        for location in self._state.locations.values():
            if location.name == name:
                return location
        raise NotFoundError("location")

    @override
    def get_or_create_location(self, location: Location) -> Location:
        try:
            return self.location(location.name)
        except NotFoundError:
            require(location.id not in self._state.locations, "a location's id was used before")
            self._state.locations[location.id] = location
            return location

    @override
    def levels(self, variant_ids: Collection[VariantId]) -> Sequence[StockLevel]:
        return [
            self._named(stored.level)
            for variant_id in dict.fromkeys(variant_ids)
            for stored in self._state.levels.get(variant_id, {}).values()
        ]

    @override
    def get_or_create_level(self, level: StockLevel) -> StockLevel:
        require(level.variant_id in self._state.offers, "no such variant")
        require(level.location_id in self._state.locations, "no such location")
        stored = self._find(level)
        if stored is None:
            opened = replace(level, on_hand=0, allocated=0, held=0)
        elif stored.level.backorder_limit == level.backorder_limit:
            return self._named(stored.level)
        else:
            opened = stored.level.configured(backorder_limit=level.backorder_limit)
        self._put(opened)
        return self._named(opened)

    @override
    def record(self, movements: Sequence[StockMovement]) -> None:
        by_level: defaultdict[tuple[VariantId, LocationId], list[StockMovement]]
        by_level = defaultdict(list)
        for movement in sorted(movements, key=lock_order):
            by_level[_level_key(movement)].append(movement)
        changes = [self._moved(group) for group in by_level.values()]
        for change in changes:
            self._put(change.after)
        self._state.ledger.extend(movements)
        for change in changes:
            self._enqueue_events(change, movements[0].occurred_at)

    def _enqueue_events(self, change: LevelChange, now: datetime) -> None:
        name = self._state.locations[change.after.location_id].name
        threshold = self._session.low_stock_threshold
        self._session.enqueue(change.events(name, default_threshold=threshold, now=now))

    @override
    def lock(self, variant_id: VariantId, location_id: LocationId) -> StockLevel:
        stored = self._state.levels.get(variant_id, {}).get(location_id)
        if stored is None:
            raise NotFoundError("stock level")
        return self._named(stored.level)

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
        self._put(after)
        self._enqueue_events(LevelChange(before, after), now)

    def _moved(self, movements: Sequence[StockMovement]) -> LevelChange:
        stored = self._find(movements[0])
        if stored is None:
            raise NotFoundError("stock level")
        change = {name: sum(getattr(m, name) for m in movements) for name in COUNTERS}
        before = self._named(stored.level)
        return LevelChange(before, before.moved(**change))

    @override
    def allocate(
        self, allocations: Sequence[Allocation], *, now: datetime, spending: Sequence[Hold] = ()
    ) -> None:
        for allocation in allocations:
            self._require_sound(allocation)
        taken = [allocation.taken(now) for allocation in allocations]
        self.record(taken + [hold.spent(now) for hold in spending])
        promised = self._state.allocations
        for allocation in allocations:
            before = promised.get(allocation.order_id, ())
            promised[allocation.order_id] = (*before, allocation)

    @override
    def hold(
        self, holds: Sequence[Hold], *, now: datetime, releasing: Sequence[Hold] = ()
    ) -> None:
        taken = [hold.taken(now) for hold in holds]
        self.record(taken + [hold.released(now) for hold in releasing])

    def _require_sound(self, allocation: Allocation) -> None:
        order = self._state.orders.get(OrderId(allocation.order_id))
        if order is None:
            raise refused("the order of an allocation must exist")
        line = next((line for line in order.lines if line.id == allocation.order_line_id), None)
        if line is None:
            raise refused("the line of an allocation must be in its order")
        require(
            line.variant_id == allocation.variant_id,
            "an allocation must be of the ordered variant",
        )
        require(allocation.quantity > 0, "an allocation must be of at least one unit")
        before = self._state.allocations.get(allocation.order_id, ())
        require(
            all(a.id != allocation.id for a in before), "an allocation must be added only once"
        )

    @override
    def allocations(self, order_id: UUID) -> Sequence[Allocation]:
        return self._state.allocations.get(order_id, ())

    @override
    def release(self, order_id: UUID, *, now: datetime) -> int:
        allocations = self._state.allocations.pop(order_id, ())
        back = [allocation for allocation in allocations if allocation.unshipped]
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
        allocations = self.allocations(order_id)
        chosen = choose_shipped(allocations, quantities, location_id)
        self.record([allocation.sent(units, now) for allocation, units in chosen])
        sent = {allocation.id: units for allocation, units in chosen}
        if chosen:
            self._state.allocations[order_id] = tuple(
                replace(allocation, shipped=allocation.shipped + sent.get(allocation.id, 0))
                for allocation in allocations
            )
        return [allocation.shipping(units) for allocation, units in chosen]

    @override
    def correct(self, discrepancy: StockDiscrepancy) -> None:
        require(discrepancy.counter in COUNTERS, "only a counter can be set")
        level = self.lock(discrepancy.variant_id, discrepancy.location_id)
        counters = {name: getattr(level, name) for name in COUNTERS}
        self._put(replace(level, **{**counters, discrepancy.counter: discrepancy.expected}))

    def _find(self, at: StockLevel | StockMovement) -> StoredLevel | None:
        return self._state.levels.get(at.variant_id, {}).get(at.location_id)

    def _put(self, level: StockLevel) -> None:
        stored = self._find(level)
        changes = stored.changes + 1 if stored else 1
        others = self._state.levels.get(level.variant_id, {})
        self._state.levels[level.variant_id] = {
            **others,
            level.location_id: StoredLevel(level, changes),
        }

    def _named(self, level: StockLevel) -> StockLevel:
        """Return the level with its current SKU and the priority of its location."""
        return replace(
            level,
            sku=self._state.offers[level.variant_id].sku,
            location_priority=self._state.locations[level.location_id].priority,
        )


def _level_key(at: StockLevel | StockMovement | Allocation) -> tuple[VariantId, LocationId]:
    return (at.variant_id, at.location_id)


def _levels(state: MemoryState) -> Iterator[StoredLevel]:
    for levels in state.levels.values():
        yield from levels.values()


class MemoryStockReader(StockReader):
    """Stock as staff read it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def list(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        require_limit(limit)
        state = self._store.state
        places = sorted(
            (view.sku, view.location, stored.level.location_id, view)
            for stored in _levels(state)
            if (view := _view(state, stored.level)) and sku in {None, view.sku}
        )
        if cursor is not None:
            after = _after(state, cursor)
            places = [place for place in places if place[:2] > after]
        shown = places[:limit]
        more = len(places) > limit
        next_cursor = Cursor("sku", shown[-1][0], shown[-1][2]).encode() if more else None
        return Page([view for *_, view in shown], next_cursor)

    @override
    def locations(self) -> Sequence[Location]:
        return sorted(self._store.state.locations.values(), key=lambda location: location.name)

    @override
    def discrepancies(self) -> Sequence[StockDiscrepancy]:
        state = self._store.state
        ledger: defaultdict[tuple[VariantId, LocationId, str], int] = defaultdict(int)
        for movement in state.ledger:
            for counter in COUNTERS:
                ledger[*_level_key(movement), counter] += getattr(movement, counter)
        promised = _promised_to_live_orders(state)
        held = _held(state)
        found = []
        for level in (stored.level for stored in _levels(state)):
            for counter in COUNTERS:
                expected = ledger[*_level_key(level), counter]
                found += _compare(state, level, counter, getattr(level, counter), expected)
            expected = promised[_level_key(level)]
            found += _compare(state, level, "allocations", level.allocated, expected)
            expected = held[_level_key(level)]
            found += _compare(state, level, "holds", level.held, expected)
        return sorted(found, key=lambda d: (d.sku, d.location, d.counter))

    @override
    def orders_without_stock(self) -> Sequence[str]:
        state = self._store.state
        return [
            order.number
            for order in state.orders.values()
            if order.status in HOLDS_STOCK
            and sum(a.quantity for a in state.allocations.get(order.id, ()))
            < sum(line.quantity for line in order.lines)
        ]


def _view(state: MemoryState, level: StockLevel) -> StockView | None:
    offer = state.offers[level.variant_id]
    if state.skus.get(offer.sku) != level.variant_id:
        return None  # The variant was removed from its product.
    return StockView(
        sku=offer.sku,
        title=offer.title,
        location=state.locations[level.location_id].name,
        on_hand=level.on_hand,
        allocated=level.allocated,
        held=level.held,
        available=level.available,
        backorder_limit=level.backorder_limit,
        low_stock_threshold=level.low_stock_threshold,
    )


def _after(state: MemoryState, cursor: str) -> tuple[str, str]:
    last = Cursor.decode(cursor, sort="sku")
    location = state.locations.get(LocationId(last.id))
    if location is None or not isinstance(last.key, str):
        raise InvalidValueError("cursor", "must be the next_cursor of the previous page")
    return (last.key, location.name)


def _promised_to_live_orders(
    state: MemoryState,
) -> defaultdict[tuple[VariantId, LocationId], int]:
    promised: defaultdict[tuple[VariantId, LocationId], int] = defaultdict(int)
    for order_id, allocations in state.allocations.items():
        if state.orders[OrderId(order_id)].status in HOLDS_STOCK:
            for allocation in allocations:
                promised[_level_key(allocation)] += allocation.unshipped
    return promised


def _held(state: MemoryState) -> Counter[tuple[VariantId, LocationId]]:
    held = Counter[tuple[VariantId, LocationId]]()
    for hold in state.holds.values():
        held[hold.variant_id, hold.location_id] += hold.quantity
    return held


def _compare(
    state: MemoryState, level: StockLevel, counter: str, recorded: int, expected: int
) -> list[StockDiscrepancy]:
    if recorded == expected:
        return []
    return [
        StockDiscrepancy(
            variant_id=level.variant_id,
            location_id=level.location_id,
            sku=state.offers[level.variant_id].sku,
            location=state.locations[level.location_id].name,
            counter=counter,
            recorded=recorded,
            expected=expected,
        )
    ]
