"""Striped levels: the counters of a busy level, spread over several rows to avoid lock waits.

A level is the sum of its own row and its stripes. The free units of a stripe never go below zero,
so neither does their sum. Units can be taken from and returned to any stripe, so no other code
needs to know about stripes. A change that does not fit in one stripe locks all of them and spreads
the units again: no purchase is refused while another stripe has units.

A change that may cross a notification threshold (low stock or the last unit) also locks all rows.
Either each stripe holds and keeps its share of the units above the thresholds, the floor; or the
stripes are empty, and all units are in the level's own row.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, select, text, update

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.stock_moves import Change, Moved, Place
from quickshop.adapters.sql.tables import stock_levels, stock_stripes
from quickshop.domain.errors import DomainError
from quickshop.domain.inventory import COUNTERS, MAX_UNITS, StockLevel

_OF_LEVEL: Final = (stock_stripes.c.variant_id == stock_levels.c.variant_id) & (
    stock_stripes.c.location_id == stock_levels.c.location_id
)


def whole(column: str) -> ColumnElement[int]:
    """Return a counter (or the version) of a level, including its stripes."""
    stripes = (
        select(func.coalesce(func.sum(stock_stripes.c[column]), 0))
        .where(_OF_LEVEL)
        .correlate(stock_levels)
        .scalar_subquery()
    )
    # CASE, so that no stripes are searched for levels without stripes.
    return stock_levels.c[column] + case((stock_levels.c.stripes > 0, stripes), else_=0)


# The stripe must stay at or above its floor, which is the same expression as in `floor_of`.
_MOVE_ONE: Final = text("""
    UPDATE stock_stripes stripe
    SET on_hand = stripe.on_hand + :on_hand, allocated = stripe.allocated + :allocated,
        held = stripe.held + :held, version = stripe.version + 1
    FROM stock_levels level
    WHERE level.variant_id = :variant AND level.location_id = :location AND level.stripes > 0
        AND stripe.variant_id = level.variant_id AND stripe.location_id = level.location_id
        AND stripe.stripe = 1 + CAST(:dice AS int) % level.stripes
        AND stripe.on_hand - stripe.allocated - stripe.held - greatest(0, CAST(:taken AS int))
            >= 1 + coalesce(level.low_stock_threshold, CAST(:threshold AS int), 0) / level.stripes
        AND stripe.on_hand + :on_hand <= :most / level.stripes
""")
_SAVEPOINT: Final = text("SAVEPOINT one_stripe")
_BACK: Final = text("ROLLBACK TO SAVEPOINT one_stripe")
_LOCK_LEVEL: Final = (
    select(stock_levels)
    .where(
        stock_levels.c.variant_id == bindparam("variant"),
        stock_levels.c.location_id == bindparam("location"),
    )
    .with_for_update(key_share=True)
)
_LOCK_STRIPES: Final = (
    select(stock_stripes)
    .where(
        stock_stripes.c.variant_id == bindparam("variant"),
        stock_stripes.c.location_id == bindparam("location"),
    )
    .order_by(stock_stripes.c.stripe)
    .with_for_update(key_share=True)
)
_THIS_LEVEL: Final = (
    stock_levels.c.variant_id == bindparam("variant"),
    stock_levels.c.location_id == bindparam("location"),
)
_SET_LEVEL: Final = (
    update(stock_levels)
    .where(*_THIS_LEVEL)
    .values(
        **{name: bindparam(f"new_{name}") for name in COUNTERS},
        stripes=bindparam("new_stripes"),
        version=bindparam("new_version"),
    )
)
_SET_STRIPE: Final = (
    update(stock_stripes)
    .where(
        stock_stripes.c.variant_id == bindparam("variant"),
        stock_stripes.c.location_id == bindparam("location"),
        stock_stripes.c.stripe == bindparam("number"),
    )
    .values(
        **{name: bindparam(f"new_{name}") for name in COUNTERS},
        version=stock_stripes.c.version + 1,
    )
)
_DELETE: Final = delete(stock_stripes).where(
    stock_stripes.c.variant_id == bindparam("variant"),
    stock_stripes.c.location_id == bindparam("location"),
)
_INSERT: Final = insert(stock_stripes)


class Counters(NamedTuple):
    """The counters of one row."""

    on_hand: int
    allocated: int
    held: int


class Locked(NamedTuple):
    """A level whose rows are all locked."""

    level: Any
    """The level's own row."""
    stripes: Sequence[Any]

    @property
    def counters(self) -> Counters:
        """Return the counters of the whole level."""
        return Counters(*(self.total(name) for name in COUNTERS))

    def total(self, name: str) -> int:
        """Return a counter, or the version, of the whole level."""
        return sum(int(getattr(row, name)) for row in (self.level, *self.stripes))


def lock(connection: BatchingConnection, place: Place) -> Locked | None:
    """Lock a level and its stripes in the fixed order; None if the level does not exist."""
    this = {"variant": place[0], "location": place[1]}
    level = connection.execute(_LOCK_LEVEL, this).one_or_none()
    if level is None:
        return None
    stripes = connection.execute(_LOCK_STRIPES, this).all() if level.stripes else ()
    return Locked(level, stripes)


def floor_of(threshold: int | None, stripes: int) -> int:
    """Return the free units per stripe that keep the sum of the stripes above the threshold."""
    return 1 + (threshold or 0) // stripes


def spread(
    total: Counters, stripes: int, threshold: int | None
) -> tuple[Counters, Sequence[Counters]]:
    """Return the counters for the level's own row and for each of its stripes."""
    nothing = Counters(0, 0, 0)
    promised = total.allocated + total.held
    free = total.on_hand - promised
    if not stripes or free < stripes * floor_of(threshold, stripes):
        return total, [nothing] * stripes
    each, left = divmod(free, stripes)
    shares = [Counters(each + (number < left), 0, 0) for number in range(stripes)]
    first = Counters(shares[0].on_hand + promised, total.allocated, total.held)
    return nothing, [first, *shares[1:]]


def move(
    connection: BatchingConnection, change: Change, threshold: int | None
) -> tuple[bool, Moved | None]:
    """Move a striped level; return whether it had enough units, and its new counters if read."""
    values = change._asdict() | {
        "dice": random.getrandbits(16),
        "taken": change.taken,
        "threshold": threshold,
        "most": MAX_UNITS,
    }
    connection.later(_SAVEPOINT, {})
    if connection.execute(_MOVE_ONE, values).rowcount:
        return True, None
    # Roll back: a row that did not fit stays locked after a wait, out of the order of locks.
    connection.execute(_BACK)
    moved = _move_whole(connection, change, threshold)
    return moved is not None, moved


def _move_whole(
    connection: BatchingConnection, change: Change, threshold: int | None
) -> Moved | None:
    place = (change.variant, change.location)
    locked = lock(connection, place)
    if locked is None:
        return None
    before = StockLevel(
        variant_id=change.variant,
        sku="",
        location_id=change.location,
        **locked.counters._asdict(),
        backorder_limit=locked.level.backorder_limit,
        low_stock_threshold=locked.level.low_stock_threshold,
    )
    try:
        after = before.moved(**change.counters)
    except DomainError:
        return None
    total = Counters(after.on_hand, after.allocated, after.held)
    rewrite(connection, place, locked, total, threshold)
    return Moved(*total, after.backorder_limit, after.low_stock_threshold)


def rewrite(
    connection: BatchingConnection,
    place: Place,
    locked: Locked,
    total: Counters,
    threshold: int | None,
) -> None:
    """Set the counters of a locked level, spread evenly over its stripes.

    `threshold` is the low-stock threshold for a level without one of its own.
    """
    this = {"variant": place[0], "location": place[1]}
    own, shares = spread(total, locked.level.stripes, _own(locked, threshold))
    version = locked.level.version + 1
    connection.later(_SET_LEVEL, this | _new(own, locked.level.stripes, version))
    changed = [
        this | {f"new_{name}": getattr(share, name) for name in COUNTERS} | {"number": row.stripe}
        for row, share in zip(locked.stripes, shares, strict=True)
        if share != Counters(row.on_hand, row.allocated, row.held)
    ]
    if changed:
        connection.later(_SET_STRIPE, changed)
    connection.flush()


def _own(locked: Locked, threshold: int | None) -> int | None:
    own: int | None = locked.level.low_stock_threshold
    return threshold if own is None else own


def stripe_level(
    connection: BatchingConnection, place: Place, stripes: int | None, threshold: int | None
) -> None:
    """Spread a level again over this number of stripes; 0 removes them, None keeps the number."""
    locked = lock(connection, place)
    if locked is None or not (stripes or locked.level.stripes):
        return
    stripes = locked.level.stripes if stripes is None else stripes
    this = {"variant": place[0], "location": place[1]}
    own, shares = spread(locked.counters, stripes, _own(locked, threshold))
    connection.execute(_DELETE, this)
    version = locked.total("version") + 1
    connection.execute(_SET_LEVEL, this | _new(own, stripes, version))
    rows = [
        {"variant_id": place[0], "location_id": place[1], "stripe": number, "version": 0}
        | share._asdict()
        for number, share in enumerate(shares, start=1)
    ]
    if rows:
        connection.execute(_INSERT, rows)


def _new(counters: Counters, stripes: int, version: int) -> dict[str, int]:
    return {
        **{f"new_{name}": getattr(counters, name) for name in COUNTERS},
        "new_stripes": stripes,
        "new_version": version,
    }
