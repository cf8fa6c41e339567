"""Moves of stock counters in the readable form: one conditional update per level.

Tests compare the faster form of a dialect with `move_one_by_one`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, bindparam, update

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.tables import stock_levels
from quickshop.domain.catalog import VariantId
from quickshop.domain.inventory import (
    COUNTERS,
    MAX_UNITS,
    LocationId,
    StockMovement,
    lock_order,
)

Place = tuple[VariantId, LocationId]


class Change(NamedTuple):
    """The changes of the counters of one level."""

    variant: VariantId
    location: LocationId
    on_hand: int = 0
    allocated: int = 0
    held: int = 0

    @property
    def counters(self) -> dict[str, int]:
        """Return the changes by the name of the counter."""
        return {name: getattr(self, name) for name in COUNTERS}

    @property
    def taken(self) -> int:
        """The number of units that become unavailable; negative if units become available."""
        return self.allocated + self.held - self.on_hand


class Moved(NamedTuple):
    """The counters of one level after a change."""

    on_hand: int
    allocated: int
    held: int
    backorder_limit: int
    low_stock_threshold: int | None


def changes_of(movements: Sequence[StockMovement]) -> Mapping[Place, Change]:
    """Return one change per level, in the order of locks."""
    changes: dict[Place, Change] = {}
    for movement in sorted(movements, key=lock_order):
        place = (movement.variant_id, movement.location_id)
        change = changes.get(place, Change(*place))
        moved = {name: getattr(change, name) + getattr(movement, name) for name in COUNTERS}
        changes[place] = change._replace(**moved)
    return changes


def moved_of(row: Row[Any]) -> Moved:
    """Return the counters in a row of `stock_levels`."""
    return Moved(*(getattr(row, name) for name in Moved._fields))


_MOVED: Final = {name: stock_levels.c[name] + bindparam(f"by_{name}") for name in COUNTERS}
_MOVE: Final = (
    update(stock_levels)
    .where(
        stock_levels.c.variant_id == bindparam("variant"),
        stock_levels.c.location_id == bindparam("location"),
        # The rule of `StockLevel.moved`, in the update itself so that no change comes between.
        _MOVED["on_hand"] - _MOVED["allocated"] - _MOVED["held"] + stock_levels.c.backorder_limit
        >= 0,
        _MOVED["on_hand"] <= MAX_UNITS,
        stock_levels.c.stripes == 0,
    )
    .values(**_MOVED, version=stock_levels.c.version + 1)
    .returning(*(stock_levels.c[name] for name in Moved._fields))
)


def move_one_by_one(
    connection: BatchingConnection, changes: Sequence[Change]
) -> Mapping[Place, Moved]:
    """Move each level with enough units, in the given order; return the new counters."""
    moved: dict[Place, Moved] = {}
    for change in changes:
        values = {
            "variant": change.variant,
            "location": change.location,
            **{f"by_{name}": by for name, by in change.counters.items()},
        }
        row = connection.execute(_MOVE, values).one_or_none()
        if row is not None:
            moved[change.variant, change.location] = moved_of(row)
    return moved
