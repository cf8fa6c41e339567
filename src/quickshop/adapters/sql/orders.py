"""Orders in tables. Order lines never change, so a save updates only the row of the order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Uuid,
    and_,
    bindparam,
    false,
    insert,
    or_,
    select,
    update,
)
from typing_extensions import override

from quickshop.adapters.sql.column_types import Json
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.fulfillment import fulfillments_of
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.paging import page_of
from quickshop.adapters.sql.tables import order_events, order_lines, orders, payments
from quickshop.adapters.tracking import Tracker
from quickshop.domain.cart import CartId
from quickshop.domain.catalog import VariantId
from quickshop.domain.customers import Address, CustomerId
from quickshop.domain.errors import ConflictError, NotFoundError
from quickshop.domain.money import Money
from quickshop.domain.orders import (
    HOLDS_STOCK,
    UNPAID,
    Order,
    OrderId,
    OrderLine,
    OrderLineId,
    OrderStatus,
    is_order_number,
)
from quickshop.domain.payments import PaymentStatus
from quickshop.ports.orders import (
    OrderQuery,
    OrderReader,
    OrderRepository,
    OrderView,
    TimelineEntry,
)
from quickshop.ports.paging import Cursor, Page, require_limit

_THIS: Final = orders.c.id == bindparam("order")
_GET: Final = select(orders).where(_THIS)
# The rule of `Order.opens_to` as a condition.
_GET_OWN: Final = _GET.where(
    or_(
        and_(orders.c.customer_id.is_(None), orders.c.token_digest == bindparam("digest")),
        orders.c.customer_id == bindparam("customer", type_=Uuid()),
    )
)
_LINES: Final = (
    select(order_lines)
    .where(order_lines.c.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(order_lines.c.order_id, order_lines.c.position)
)
_HAVE_FULFILLMENTS: Final = frozenset(
    {"partially_fulfilled", "fulfilled", "completed", "refunded"}
)
"""The statuses of orders whose fulfillments are read."""
_INSERT: Final = insert(orders)
_INSERT_LINES: Final = insert(order_lines)
_INSERT_EVENTS: Final = insert(order_events).inline()
_UPDATE: Final = (
    update(orders)
    .where(_THIS, orders.c.version == bindparam("read_version"))
    .values(
        status=bindparam("new_status"),
        expires_at=bindparam("new_expires_at", type_=orders.c.expires_at.type),
        version=orders.c.version + 1,
    )
)
_UNPAID: Final = (
    select(orders)
    .where(orders.c.status.in_(sorted(UNPAID)), orders.c.expires_at <= bindparam("now"))
    .order_by(orders.c.expires_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_OF_CUSTOMER: Final = (
    select(orders)
    .where(orders.c.customer_id == bindparam("customer", type_=Uuid()))
    .order_by(orders.c.id)
    .with_for_update()
)
_UNDER_WAY: Final = _OF_CUSTOMER.where(orders.c.status.in_(sorted(HOLDS_STOCK)))
_ANONYMIZE: Final = (
    update(orders)
    .where(_THIS)
    .values(
        email=bindparam("new_email"),
        shipping_address=bindparam("shipping", type_=Json),
        billing_address=bindparam("billing", type_=Json),
        version=orders.c.version + 1,
    )
)
_ACTIONS: Final = select(payments.c.order_id, payments.c.action).where(
    payments.c.order_id.in_(bindparam("orders", expanding=True)),
    payments.c.status == PaymentStatus.REQUIRES_ACTION,
)


class SqlOrders(OrderRepository):
    """Orders, locked from reading to the end of the transaction."""

    def __init__(
        self, connection: BatchingConnection, dialect: SqlDialect, tracker: Tracker, log: EventLog
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._tracker = tracker
        self._log = log

    @override
    def next_number(self) -> str:
        return str(self._dialect.next_order_number(self._connection))

    @override
    def get(self, order_id: OrderId) -> Order:
        return self._get(_GET_LOCKED, {"order": order_id})

    @override
    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Order:
        opened_by = {"order": order_id, "digest": token_digest, "customer": customer_id}
        order = self._get(_GET_OWN_LOCKED, opened_by)
        if not order.opens_to(token_digest=token_digest, customer_id=customer_id):
            raise NotFoundError("order")
        return order

    def _get(self, statement: Any, values: Mapping[str, Any]) -> Order:
        row = self._connection.execute(statement, values).one_or_none()
        if row is None:
            raise NotFoundError("order")
        lines = self._connection.execute(_LINES, {"orders": [row.id]}).all()
        order = _order_of(row, lines)
        self._tracker.watch(order)
        return order

    @override
    def add(self, order: Order) -> None:
        self._connection.later(_INSERT, _row_of(order))
        rows = [_line_row(order.id, n, line) for n, line in enumerate(order.lines)]
        self._connection.later(_INSERT_LINES, rows)
        self._finish(order)

    @override
    def unpaid_since(self, now: datetime, *, limit: int) -> Sequence[Order]:
        rows = self._connection.execute(_UNPAID, {"now": now, "most": limit}).all()
        lines = self._connection.execute(_LINES, {"orders": [row.id for row in rows]}).all()
        found = [_order_of(row, _of(row.id, lines)) for row in rows]
        for order in found:
            self._tracker.watch(order)
        return found

    @override
    def save(self, order: Order) -> None:
        changes = {
            "order": order.id,
            "read_version": order.version,
            "new_status": order.status,
            "new_expires_at": order.expires_at,
        }
        if self._connection.execute(_UPDATE, changes).rowcount == 0:
            raise ConflictError("order")
        self._finish(order)

    @override
    def under_way(self, customer_id: CustomerId) -> Sequence[str]:
        rows = self._connection.execute(_UNDER_WAY, {"customer": customer_id})
        return [str(row.number) for row in rows]

    @override
    def anonymize(self, customer_id: CustomerId, *, email: str) -> int:
        theirs = self._connection.execute(_OF_CUSTOMER, {"customer": customer_id}).all()
        for row in theirs:
            self._connection.later(
                _ANONYMIZE,
                {
                    "order": row.id,
                    "new_email": email,
                    "shipping": _address_row(Address.nowhere(row.shipping_address["country"])),
                    "billing": _address_row(Address.nowhere(row.billing_address["country"])),
                },
            )
        return len(theirs)

    def _finish(self, order: Order) -> None:
        events = self._log.write(order)
        if events:
            self._connection.later(
                _INSERT_EVENTS,
                [
                    {
                        "order_id": order.id,
                        "kind": type(event).__name__,
                        "facts": {k: v for k, v in event.facts.items() if k != "order_id"},
                        "occurred_at": event.occurred_at,
                    }
                    for event in events
                ],
            )
        order.version += 1


_GET_LOCKED: Final = _GET.with_for_update()
_GET_OWN_LOCKED: Final = _GET_OWN.with_for_update()


class SqlOrderReader(OrderReader):
    """Orders as queries read them."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    @override
    def get(self, order_id: OrderId) -> OrderView:
        return self._one(_GET, {"order": order_id})

    @override
    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> OrderView:
        opened_by = {"order": order_id, "digest": token_digest, "customer": customer_id}
        return self._one(_GET_OWN, opened_by)

    def _one(self, statement: Any, values: Mapping[str, Any]) -> OrderView:
        views = self._views(statement, values)
        if not views:
            raise NotFoundError("order")
        return views[0]

    @override
    def find_by_number(self, number: str) -> OrderView | None:
        if not is_order_number(number):
            return None
        views = self._views(select(orders).where(orders.c.number == int(number)), {})
        return views[0] if views else None

    @override
    def list(self, query: OrderQuery) -> Page[OrderView]:
        require_limit(query.limit)
        statement = select(orders).order_by(orders.c.id.desc()).limit(query.limit + 1)
        statement = statement.where(*_conditions(query))
        if query.cursor is not None:
            last = Cursor.decode(query.cursor, sort="newest")
            statement = statement.where(orders.c.id < last.id)
        return page_of(self._views(statement, {}), query.limit)

    @override
    def timeline(self, order_id: OrderId, *, newest: int) -> Sequence[TimelineEntry]:
        statement = (
            select(order_events)
            .where(order_events.c.order_id == order_id)
            .order_by(order_events.c.id.desc())
            .limit(newest)
        )
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        return [TimelineEntry(row.kind, row.occurred_at, row.facts) for row in reversed(rows)]

    def _views(self, statement: Any, values: Mapping[str, Any]) -> Sequence[OrderView]:
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(statement, values).all()
            if not rows:
                return []
            these = {"orders": [row.id for row in rows]}
            lines = connection.execute(_LINES, these).all()
            actions = {row.order_id: row.action for row in connection.execute(_ACTIONS, these)}
            parcels = fulfillments_of(
                connection, [r.id for r in rows if r.status in _HAVE_FULFILLMENTS]
            )
        return [
            OrderView.of(
                _order_of(row, _of(row.id, lines)),
                fulfillments=parcels.get(row.id, ()),
                payment_action=actions.get(row.id),
            )
            for row in rows
        ]


def _of(order_id: UUID, lines: Iterable[Row[Any]]) -> Iterable[Row[Any]]:
    return (line for line in lines if line.order_id == order_id)


def _conditions(query: OrderQuery) -> Iterable[ColumnElement[bool]]:
    if query.token_digest is not None:
        yield orders.c.customer_id.is_(None) & (orders.c.token_digest == query.token_digest)
    wanted = {
        "customer_id": query.customer_id,
        "email": query.email,
        "status": query.status,
    }
    for name, value in wanted.items():
        if value is not None:
            yield orders.c[name] == value
    if query.number is not None:
        known = is_order_number(query.number)
        yield orders.c.number == int(query.number) if known else false()
    if query.placed_from is not None:
        yield orders.c.placed_at >= query.placed_from
    if query.placed_before is not None:
        yield orders.c.placed_at < query.placed_before


def _order_of(row: Row[Any], lines: Iterable[Row[Any]]) -> Order:
    def money(minor: int) -> Money:
        return Money(minor, row.currency)

    return Order(
        id=OrderId(row.id),
        number=str(row.number),
        cart_id=CartId(row.cart_id),
        token_digest=row.token_digest,
        email=row.email,
        lines=tuple(
            OrderLine(
                id=OrderLineId(line.id),
                variant_id=VariantId(line.variant_id),
                sku=line.sku,
                title=line.title,
                variant_title=line.variant_title,
                quantity=line.quantity,
                unit_price=money(line.unit_price_minor),
            )
            for line in lines
        ),
        subtotal=money(row.subtotal_minor),
        discount=money(row.discount_minor),
        shipping=money(row.shipping_minor),
        tax=money(row.tax_minor),
        total=money(row.total_minor),
        shipping_address=Address(**row.shipping_address),
        billing_address=Address(**row.billing_address),
        placed_at=row.placed_at,
        expires_at=row.expires_at,
        customer_id=row.customer_id,
        status=OrderStatus(row.status),
        version=row.version,
    )


def _row_of(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": int(order.number),
        "cart_id": order.cart_id,
        "token_digest": order.token_digest,
        "email": order.email,
        "status": order.status,
        "currency": order.total.currency,
        "subtotal_minor": order.subtotal.minor,
        "discount_minor": order.discount.minor,
        "shipping_minor": order.shipping.minor,
        "tax_minor": order.tax.minor,
        "total_minor": order.total.minor,
        "shipping_address": _address_row(order.shipping_address),
        "billing_address": _address_row(order.billing_address),
        "placed_at": order.placed_at,
        "expires_at": order.expires_at,
        "customer_id": order.customer_id,
        "version": order.version + 1,
    }


def _address_row(address: Address) -> dict[str, str | None]:
    return {field.name: getattr(address, field.name) for field in fields(address)}


def _line_row(order_id: OrderId, position: int, line: OrderLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "order_id": order_id,
        "position": position,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "title": line.title,
        "variant_title": line.variant_title,
        "quantity": line.quantity,
        "unit_price_minor": line.unit_price.minor,
    }
