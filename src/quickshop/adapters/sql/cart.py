"""Carts in tables. One statement reads a cart with the current prices of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from typing_extensions import override

from quickshop.adapters.sql.catalog import OFFER_COLUMNS, offer_of
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.paging import page_of
from quickshop.adapters.sql.tables import cart_lines, carts, products, stock_holds, variants
from quickshop.adapters.tracking import Tracker
from quickshop.domain.cart import Cart, CartId, CartLine, CartLineId, CartStatus
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.ports.cart import ActiveCart, CartReader, CartRepository, CartView
from quickshop.ports.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Page,
    moment_key,
    moment_of,
    require_limit,
)

_SELECT: Final[Select[Any]] = (
    select(
        carts.c.id.label("cart_id"),
        carts.c.token_digest,
        carts.c.currency.label("cart_currency"),
        carts.c.status,
        carts.c.created_at,
        carts.c.customer_id,
        carts.c.changed_at,
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
    .order_by(cart_lines.c.id)
)
# The rule of `Cart.opens_to` as a condition.
_OPENS: Final = or_(
    and_(carts.c.customer_id.is_(None), carts.c.token_digest == bindparam("digest")),
    carts.c.customer_id == bindparam("customer", type_=Uuid()),
)
_GET: Final = _SELECT.where(carts.c.id == bindparam("cart"), _OPENS)
_OPEN_OF: Final = (
    select(carts.c.id, carts.c.changed_at)
    .where(carts.c.customer_id == bindparam("customer"), carts.c.status == CartStatus.OPEN)
    .order_by(carts.c.changed_at.desc(), carts.c.id.desc())
    .limit(bindparam("most"))
)
_LATEST_FIRST: Final = "changed"
_THESE: Final = _SELECT.where(carts.c.id.in_(bindparam("these", expanding=True)))
_ACTIVE: Final = (
    select(
        carts.c.id,
        carts.c.customer_id,
        carts.c.changed_at,
        func.count().label("lines"),
        func.sum(cart_lines.c.quantity).label("units"),
    )
    .join(cart_lines, cart_lines.c.cart_id == carts.c.id)
    .where(carts.c.status == CartStatus.OPEN)
    .group_by(carts.c.id, carts.c.customer_id, carts.c.changed_at)
    .order_by(carts.c.id.desc())
)
_GET_WITH_HOLDS: Final = _GET.add_columns(
    exists()
    .where(stock_holds.c.cart_id == carts.c.id, stock_holds.c.ended.is_(None))
    .correlate(carts)
    .label("holds_units")
)
_INSERT: Final = insert(carts)
_UPDATE: Final = (
    update(carts)
    .where(carts.c.id == bindparam("cart"), carts.c.version == bindparam("read_version"))
    .values(
        status=bindparam("new_status"),
        customer_id=bindparam("new_customer", type_=Uuid()),
        changed_at=bindparam("now", type_=carts.c.changed_at.type),
        version=carts.c.version + 1,
    )
)
_INSERT_LINE: Final = insert(cart_lines)
_UPDATE_LINE: Final = (
    update(cart_lines)
    .where(cart_lines.c.id == bindparam("line"))
    .values(quantity=bindparam("new_quantity"))
)
_DELETE_LINE: Final = delete(cart_lines).where(cart_lines.c.id == bindparam("line"))


class SqlCarts(CartRepository):
    """Carts, with a check on save for changes by other transactions."""

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

    @override
    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Cart:
        opened_by = {"cart": cart_id, "digest": token_digest, "customer": customer_id}
        rows = self._connection.execute(_GET_WITH_HOLDS, opened_by).all()
        cart = _opened(rows, token_digest, customer_id)
        if not rows[0].holds_units:
            self._held_nothing_when_read.add(cart.id)
        self._tracker.watch(cart)
        self._read[cart.id] = cart.lines
        return cart

    @override
    def latest_of(self, customer_id: CustomerId) -> Cart | None:
        latest = self._connection.execute(_OPEN_OF, {"customer": customer_id, "most": 1})
        cart_id = latest.scalar_one_or_none()
        if cart_id is None:
            return None
        return self.get(CartId(cart_id), token_digest="", customer_id=customer_id)

    @override
    def add(self, cart: Cart) -> None:
        self._connection.execute(
            _INSERT,
            {
                "id": cart.id,
                "token_digest": cart.token_digest,
                "currency": cart.currency,
                "status": cart.status,
                "created_at": cart.created_at,
                "customer_id": cart.customer_id,
                "changed_at": cart.changed_at,
                "version": 1,
            },
        )
        self._write_lines(cart, ())
        self._finish(cart)

    @override
    def save(self, cart: Cart) -> None:
        changes = {
            "cart": cart.id,
            "read_version": cart.version,
            "new_status": cart.status,
            "new_customer": cart.customer_id,
            "now": cart.changed_at,
        }
        if self._connection.execute(_UPDATE, changes).rowcount == 0:
            raise ConflictError("cart")
        if cart.id in self._held_nothing_when_read:
            # Adding a hold saves the cart; no other transaction did so before, and none can now.
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


class SqlCartReader(CartReader):
    """Carts as their shoppers read them."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    @override
    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> CartView:
        opened_by = {"cart": cart_id, "digest": token_digest, "customer": customer_id}
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(_GET, opened_by).all()
        return CartView.of(_opened(rows, token_digest, customer_id))

    @override
    def of_customer(
        self, customer_id: CustomerId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CartView]:
        require_limit(limit)
        statement = _OPEN_OF if cursor is None else _OPEN_OF.where(_after(cursor))
        values = {"customer": customer_id, "most": limit + 1}
        with translated(), self._engine.connect() as connection:
            latest = connection.execute(statement, values).all()
            these = {"these": [row.id for row in latest]}
            rows = connection.execute(_THESE, these).all() if latest else []
        page = page_of(
            latest, limit, sort=_LATEST_FIRST, key=lambda row: moment_key(row.changed_at)
        )
        lines = [[row for row in rows if row.cart_id == cart.id] for cart in page.items]
        return Page([CartView.of(_cart_of(each)) for each in lines], page.next_cursor)

    @override
    def active(
        self, since: datetime, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ActiveCart]:
        require_limit(limit)
        statement = _ACTIVE.where(carts.c.changed_at >= since).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(carts.c.id < Cursor.decode(cursor, sort="newest").id)
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(statement).mappings().all()
        return page_of([ActiveCart(**row) for row in rows], limit)


def _after(cursor: str) -> ColumnElement[bool]:
    last = Cursor.decode(cursor, sort=_LATEST_FIRST)
    return tuple_(carts.c.changed_at, carts.c.id) < (moment_of(last.key), last.id)


def _opened(rows: Sequence[Row[Any]], token_digest: str, customer_id: CustomerId | None) -> Cart:
    cart = _cart_of(rows) if rows else None
    if cart is None or not cart.opens_to(token_digest=token_digest, customer_id=customer_id):
        raise NotFoundError("cart")
    return cart


def _cart_of(rows: Sequence[Row[Any]]) -> Cart:
    first = rows[0]
    return Cart(
        id=CartId(first.cart_id),
        token_digest=first.token_digest,
        currency=first.cart_currency,
        created_at=first.created_at,
        lines=tuple(_line_of(row) for row in rows if row.line_id is not None),
        status=CartStatus(first.status),
        customer_id=first.customer_id,
        changed_at=first.changed_at,
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
