"""Queries of stock for staff, and the check of counters against the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Engine, Select, func, literal, or_, select, tuple_
from typing_extensions import override

from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.stripes import whole
from quickshop.adapters.sql.tables import (
    allocations,
    locations,
    order_lines,
    orders,
    products,
    stock_holds,
    stock_levels,
    stock_movements,
    variants,
)
from quickshop.domain.catalog import VariantId
from quickshop.domain.inventory import COUNTERS, Location, LocationId, StockDiscrepancy
from quickshop.domain.orders import HOLDS_STOCK
from quickshop.ports.inventory import StockReader, StockView
from quickshop.ports.paging import DEFAULT_LIMIT, Cursor, Page, require_limit

_LIST: Final[Select[Any]] = (
    select(  # type: ignore[assignment]
        *(whole(name).label(name) for name in COUNTERS),
        stock_levels.c.location_id,
        stock_levels.c.backorder_limit,
        stock_levels.c.low_stock_threshold,
        stock_levels.c.stripes,
        variants.c.sku,
        products.c.title,
        variants.c.options,
        locations.c.name.label("location"),
    )
    .select_from(
        stock_levels.join(variants)
        .join(products, products.c.id == variants.c.product_id)
        .join(locations, locations.c.id == stock_levels.c.location_id)
    )
    .where(~variants.c.retired)
)
_LOCATIONS: Final = select(locations).order_by(locations.c.name)
_LEDGER: Final = (
    select(
        stock_movements.c.variant_id,
        stock_movements.c.location_id,
        *(func.sum(stock_movements.c[name]).label(name) for name in COUNTERS),
    )
    .group_by(stock_movements.c.variant_id, stock_movements.c.location_id)
    .subquery("ledger")
)
_PROMISED: Final = (
    select(
        allocations.c.variant_id,
        allocations.c.location_id,
        func.sum(allocations.c.quantity - allocations.c.shipped).label("quantity"),
    )
    .join(orders, orders.c.id == allocations.c.order_id)
    .where(~allocations.c.released, orders.c.status.in_(HOLDS_STOCK))
    .group_by(allocations.c.variant_id, allocations.c.location_id)
    .subquery("promised")
)
_HELD: Final = (
    select(
        stock_holds.c.variant_id,
        stock_holds.c.location_id,
        func.sum(stock_holds.c.quantity).label("quantity"),
    )
    .where(stock_holds.c.ended.is_(None))
    .group_by(stock_holds.c.variant_id, stock_holds.c.location_id)
    .subquery("live_holds")
)
_EXPECTED: Final = {name: func.coalesce(_LEDGER.c[name], 0) for name in COUNTERS}
_LIVE_ALLOCATIONS: Final = func.coalesce(_PROMISED.c.quantity, 0)
_LIVE_HOLDS: Final = func.coalesce(_HELD.c.quantity, 0)
_WRONG: Final = (
    select(
        stock_levels.c.variant_id,
        stock_levels.c.location_id,
        variants.c.sku,
        locations.c.name.label("location"),
        *(whole(name).label(f"recorded_{name}") for name in COUNTERS),
        *(_EXPECTED[name].label(f"expected_{name}") for name in COUNTERS),
        _LIVE_ALLOCATIONS.label("promised"),
        _LIVE_HOLDS.label("set_aside"),
    )
    .select_from(
        stock_levels.join(variants)
        .join(locations)
        .outerjoin(
            _LEDGER,
            (_LEDGER.c.variant_id == stock_levels.c.variant_id)
            & (_LEDGER.c.location_id == stock_levels.c.location_id),
        )
        .outerjoin(
            _PROMISED,
            (_PROMISED.c.variant_id == stock_levels.c.variant_id)
            & (_PROMISED.c.location_id == stock_levels.c.location_id),
        )
        .outerjoin(
            _HELD,
            (_HELD.c.variant_id == stock_levels.c.variant_id)
            & (_HELD.c.location_id == stock_levels.c.location_id),
        )
    )
    .where(
        or_(
            *(whole(name) != _EXPECTED[name] for name in COUNTERS),
            whole("allocated") != _LIVE_ALLOCATIONS,
            whole("held") != _LIVE_HOLDS,
        )
    )
    .order_by(variants.c.sku, locations.c.name)
)
_ORDERED: Final = (
    select(func.sum(order_lines.c.quantity))
    .where(order_lines.c.order_id == orders.c.id)
    .scalar_subquery()
)
_ALLOCATED: Final = (
    select(func.coalesce(func.sum(allocations.c.quantity), 0))
    .where(allocations.c.order_id == orders.c.id, ~allocations.c.released)
    .scalar_subquery()
)
_SHORT: Final = (
    select(orders.c.number)
    .where(orders.c.status.in_(HOLDS_STOCK), _ALLOCATED < _ORDERED)
    .order_by(orders.c.number)
)


class SqlStockReader(StockReader):
    """Reads on connections without a transaction."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    @override
    def list(
        self, *, sku: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[StockView]:
        require_limit(limit)
        place = (variants.c.sku, locations.c.name)
        statement = _LIST.order_by(*place).limit(limit + 1)
        if sku is not None:
            statement = statement.where(variants.c.sku == sku)
        if cursor is not None:
            last = Cursor.decode(cursor, sort="sku")
            shown = locations.alias()
            name = select(shown.c.name).where(shown.c.id == last.id).scalar_subquery()
            statement = statement.where(tuple_(*place) > tuple_(literal(str(last.key)), name))
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        views = [_view(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(views)
        end = rows[limit - 1]
        return Page(views, Cursor("sku", end.sku, end.location_id).encode())

    @override
    def locations(self) -> Sequence[Location]:
        with translated(), self._engine.connect() as connection:
            return [
                Location(id=LocationId(row.id), name=row.name, priority=row.priority)
                for row in connection.execute(_LOCATIONS)
            ]

    @override
    def discrepancies(self) -> Sequence[StockDiscrepancy]:
        """Read all counters in one statement, so that the result is consistent."""
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(_WRONG).all()
        return [found for row in rows for found in _discrepancies(row)]

    @override
    def orders_without_stock(self) -> Sequence[str]:
        with translated(), self._engine.connect() as connection:
            return [str(number) for number in connection.execute(_SHORT).scalars()]


def _discrepancies(row: Any) -> Sequence[StockDiscrepancy]:
    compared = [
        (name, getattr(row, f"recorded_{name}"), int(getattr(row, f"expected_{name}")))
        for name in COUNTERS
    ]
    compared.append(("allocations", row.recorded_allocated, int(row.promised)))
    compared.append(("holds", row.recorded_held, int(row.set_aside)))
    return [
        StockDiscrepancy(
            variant_id=VariantId(row.variant_id),
            location_id=LocationId(row.location_id),
            sku=row.sku,
            location=row.location,
            counter=counter,
            recorded=recorded,
            expected=expected,
        )
        for counter, recorded, expected in compared
        if recorded != expected
    ]


def _view(row: Any) -> StockView:
    free = row.on_hand - row.allocated - row.held + row.backorder_limit
    return StockView(
        sku=row.sku,
        title=" / ".join((row.title, *row.options)),
        location=row.location,
        on_hand=row.on_hand,
        allocated=row.allocated,
        held=row.held,
        available=free,
        backorder_limit=row.backorder_limit,
        low_stock_threshold=row.low_stock_threshold,
        stripes=row.stripes,
    )
