"""Carts in tables. A cart and today's prices of what is in it are read in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, Row, Select, bindparam, delete, exists, insert, select, update

from quickshop.adapters.sql.catalog import OFFER_COLUMNS, offer_of
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.tables import cart_lines, carts, products, stock_holds, variants
from quickshop.adapters.tracking import Tracker
from quickshop.domain.cart import Cart, CartId, CartLine, CartLineId, CartStatus
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.ports.cart import CartView

_SELECT: Final[Select[Any]] = (
    select(
        carts.c.id.label("cart_id"),
        carts.c.token_digest,
        carts.c.currency.label("cart_currency"),
        carts.c.status,
        carts.c.created_at,
        carts.c.version,
        cart_lines.c.id.label("line_id"),
        cart_lines.c.quantity,
        *OFFER_COLUMNS,
    )
    .select_from(
        carts.outerjoin(cart_lines, cart_lines.c.cart_id == carts.c.id)
        .outerjoin(variants, variants.c.id == cart_lines.c.variant_id)
        .outerjoin(products, products.c.id == variants.c.product_id)
    )
    .where(carts.c.id == bindparam("cart"), carts.c.token_digest == bindparam("digest"))
    .order_by(cart_lines.c.id)
)
_SELECT_WITH_HOLDS: Final = _SELECT.add_columns(
    exists()
    .where(stock_holds.c.cart_id == carts.c.id, stock_holds.c.ended.is_(None))
    .correlate(carts)
    .label("holds_units")
)
_INSERT: Final = insert(carts)
_UPDATE: Final = (
    update(carts)
    .where(carts.c.id == bindparam("cart"), carts.c.version == bindparam("read_version"))
    .values(status=bindparam("new_status"), version=carts.c.version + 1)
)
_INSERT_LINE: Final = insert(cart_lines)
_UPDATE_LINE: Final = (
    update(cart_lines)
    .where(cart_lines.c.id == bindparam("line"))
    .values(quantity=bindparam("new_quantity"))
)
_DELETE_LINE: Final = delete(cart_lines).where(cart_lines.c.id == bindparam("line"))


class SqlCarts:
    """Carts, noticing on save when someone else was faster."""

    def __init__(
        self,
        connection: BatchingConnection,
        tracker: Tracker,
        log: EventLog,
        holding_nothing: set[UUID],
    ) -> None:
        self._connection = connection
        self._tracker = tracker
        self._log = log
        self._holding_nothing = holding_nothing
        self._held_nothing_when_read: set[CartId] = set()
        self._read: dict[CartId, tuple[CartLine, ...]] = {}

    def get(self, cart_id: CartId, *, token_digest: str) -> Cart:
        """As the port promises."""
        rows = _rows(self._connection, _SELECT_WITH_HOLDS, cart_id, token_digest)
        cart = _cart_of(rows)
        if not rows[0].holds_units:
            self._held_nothing_when_read.add(cart.id)
        self._tracker.watch(cart)
        self._read[cart.id] = cart.lines
        return cart

    def add(self, cart: Cart) -> None:
        """As the port promises."""
        self._connection.execute(
            _INSERT,
            {
                "id": cart.id,
                "token_digest": cart.token_digest,
                "currency": cart.currency,
                "status": cart.status,
                "created_at": cart.created_at,
                "version": 1,
            },
        )
        self._write_lines(cart, ())
        self._finish(cart)

    def save(self, cart: Cart) -> None:
        """As the port promises."""
        mine = {"cart": cart.id, "read_version": cart.version, "new_status": cart.status}
        if self._connection.execute(_UPDATE, mine).rowcount == 0:
            raise ConflictError("cart")
        if cart.id in self._held_nothing_when_read:
            # Holds are added by those who saved the cart: nobody did meanwhile, nor can now.
            self._holding_nothing.add(cart.id)
        self._write_lines(cart, self._read.get(cart.id, ()))
        self._finish(cart)

    def _write_lines(self, cart: Cart, before: Sequence[CartLine]) -> None:
        known = {line.id: line.quantity for line in before}
        kept = {line.id for line in cart.lines}
        for line_id in known.keys() - kept:
            self._connection.execute(_DELETE_LINE, {"line": line_id})
        for line in cart.lines:
            if line.id not in known:
                self._connection.execute(_INSERT_LINE, _line_row(cart.id, line))
            elif known[line.id] != line.quantity:
                changed = {"line": line.id, "new_quantity": line.quantity}
                self._connection.execute(_UPDATE_LINE, changed)

    def _finish(self, cart: Cart) -> None:
        self._log.write(cart)
        cart.version += 1
        self._read[cart.id] = cart.lines


class SqlCartReader:
    """Carts as their shoppers read them."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    def get(self, cart_id: CartId, *, token_digest: str) -> CartView:
        """As the port promises."""
        with translated(), self._engine.connect() as connection:
            plain = BatchingConnection(connection)
            return CartView.of(_cart_of(_rows(plain, _SELECT, cart_id, token_digest)))


def _rows(
    connection: BatchingConnection, statement: Select[Any], cart_id: CartId, token_digest: str
) -> Sequence[Row[Any]]:
    rows = connection.execute(statement, {"cart": cart_id, "digest": token_digest}).all()
    if not rows:
        raise NotFoundError("cart")
    return rows


def _cart_of(rows: Sequence[Row[Any]]) -> Cart:
    first = rows[0]
    return Cart(
        id=CartId(first.cart_id),
        token_digest=first.token_digest,
        currency=first.cart_currency,
        created_at=first.created_at,
        lines=tuple(_line_of(row) for row in rows if row.line_id is not None),
        status=CartStatus(first.status),
        version=first.version,
    )


def _line_of(row: Row[Any]) -> CartLine:
    return CartLine(id=CartLineId(row.line_id), offer=offer_of(row), quantity=row.quantity)


def _line_row(cart_id: CartId, line: CartLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "cart_id": cart_id,
        "variant_id": line.offer.variant_id,
        "quantity": line.quantity,
    }
