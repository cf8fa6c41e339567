"""Holds in a table: one active row per cart and level."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, exists, insert, select, update
from typing_extensions import override

from quickshop.adapters.sql.column_types import UtcDateTime
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.tables import stock_holds, variants
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import ConflictError
from quickshop.domain.inventory import Hold, HoldEnd, HoldId, HoldOwner, LocationId
from quickshop.ports.inventory import HoldRepository

_LIVE: Final[Select[Any]] = (
    select(stock_holds, variants.c.sku)
    .join(variants, variants.c.id == stock_holds.c.variant_id)
    .where(stock_holds.c.ended.is_(None))
    .order_by(stock_holds.c.id)
)
_OF_CART: Final = _LIVE.where(stock_holds.c.cart_id == bindparam("cart")).with_for_update(
    of=stock_holds
)
_EXPIRED: Final = _LIVE.where(
    stock_holds.c.expires_at <= bindparam("now", type_=UtcDateTime())
).limit(bindparam("most"))
_ALL_EXPIRED: Final = _EXPIRED.with_for_update(of=stock_holds, skip_locked=True)
_EXPIRED_OF_SKU: Final = _EXPIRED.where(variants.c.sku == bindparam("sku")).with_for_update(
    of=stock_holds
)
_ANY_EXPIRED: Final = select(
    exists().where(
        stock_holds.c.variant_id == variants.c.id,
        variants.c.sku == bindparam("sku"),
        stock_holds.c.ended.is_(None),
        stock_holds.c.expires_at <= bindparam("now", type_=UtcDateTime()),
    )
)
_INSERT: Final = insert(stock_holds)
_END: Final = (
    update(stock_holds)
    .where(stock_holds.c.id.in_(bindparam("holds", expanding=True)), stock_holds.c.ended.is_(None))
    .values(ended=bindparam("how"), ended_at=bindparam("now", type_=UtcDateTime()))
)
_RENEW: Final = (
    update(stock_holds)
    .where(stock_holds.c.id.in_(bindparam("holds", expanding=True)), stock_holds.c.ended.is_(None))
    .values(owner=bindparam("by"), expires_at=bindparam("until", type_=UtcDateTime()))
)
_FORGET: Final = delete(stock_holds).where(
    stock_holds.c.ended_at < bindparam("before", type_=UtcDateTime())
)


class SqlHolds(HoldRepository):
    """Holds on units for carts."""

    def __init__(self, connection: BatchingConnection, holding_nothing: set[UUID]) -> None:
        self._connection = connection
        self._holding_nothing = holding_nothing

    @override
    def of_cart(self, cart_id: UUID) -> Sequence[Hold]:
        if cart_id in self._holding_nothing:
            return []
        rows = self._connection.execute(_OF_CART, {"cart": cart_id})
        return [_hold_of(row) for row in rows]

    @override
    def any_expired(self, now: datetime, *, sku: str) -> bool:
        found = self._connection.execute(_ANY_EXPIRED, {"now": now, "sku": sku})
        return bool(found.scalar_one())

    @override
    def expired(
        self, now: datetime, *, sku: str | None = None, limit: int = 100
    ) -> Sequence[Hold]:
        values = {"now": now, "most": limit}
        rows = (
            self._connection.execute(_ALL_EXPIRED, values)
            if sku is None
            else self._connection.execute(_EXPIRED_OF_SKU, values | {"sku": sku})
        )
        return [_hold_of(row) for row in rows]

    @override
    def add(self, holds: Sequence[Hold]) -> None:
        """Add holds. A unique index allows one active hold per cart and level."""
        if holds:
            self._holding_nothing.difference_update(hold.cart_id for hold in holds)
            self._connection.later(_INSERT, [_row_of(hold) for hold in holds])

    @override
    def renew(self, holds: Sequence[Hold], *, owner: HoldOwner, expires_at: datetime) -> None:
        if holds:
            values = {"holds": [hold.id for hold in holds], "by": owner, "until": expires_at}
            self._connection.later(_RENEW, values)

    @override
    def end(self, holds: Sequence[Hold], how: HoldEnd, *, now: datetime) -> None:
        """End holds by compare-and-set."""
        if not holds:
            return
        values = {"holds": [hold.id for hold in holds], "how": how, "now": now}
        if self._connection.execute(_END, values).rowcount < len(holds):
            raise ConflictError("hold")

    @override
    def purge_ended(self, before: datetime) -> int:
        return self._connection.execute(_FORGET, {"before": before}).rowcount


def _hold_of(row: Row[Any]) -> Hold:
    return Hold(
        id=HoldId(row.id),
        owner=HoldOwner(row.owner),
        cart_id=row.cart_id,
        variant_id=VariantId(row.variant_id),
        sku=row.sku,
        location_id=LocationId(row.location_id),
        quantity=row.quantity,
        expires_at=row.expires_at,
    )


def _row_of(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "owner": hold.owner,
        "cart_id": hold.cart_id,
        "variant_id": hold.variant_id,
        "location_id": hold.location_id,
        "quantity": hold.quantity,
        "expires_at": hold.expires_at,
    }
