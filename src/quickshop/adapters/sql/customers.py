"""Customers in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Engine, Row, Select, and_, bindparam, exists, or_, select
from typing_extensions import override

from quickshop.adapters.sql.aggregates import AggregateRows, RowShape
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.paging import page_of
from quickshop.adapters.sql.tables import (
    account_roles,
    accounts,
    customers,
    notifications,
    orders,
)
from quickshop.adapters.tracking import Tracker
from quickshop.domain.customers import Consent, Customer, CustomerId, SavedAddress
from quickshop.domain.errors import NotFoundError
from quickshop.domain.identity import AccountStatus
from quickshop.domain.notifications import MessageKind
from quickshop.ports.customers import (
    CustomerQuery,
    CustomerReader,
    CustomerRepository,
    CustomerView,
    SentMessage,
)
from quickshop.ports.paging import Cursor, Page, require_limit

_ADDRESSES: Final = TypeAdapter(tuple[SavedAddress, ...])
_CONSENTS: Final = TypeAdapter(tuple[Consent, ...])

_CUSTOMERS: Final[RowShape[Customer]] = RowShape(
    customers,
    "customer",
    lambda customer: {
        "id": customer.id,
        "name": customer.name,
        "phone": customer.phone,
        "addresses": _ADDRESSES.dump_python(customer.addresses, mode="json"),
        "consents": _CONSENTS.dump_python(customer.consents, mode="json"),
        "created_at": customer.created_at,
    },
)
_GET: Final = select(customers).where(customers.c.id == bindparam("customer")).with_for_update()
_VIEWS: Final = select(customers, accounts.c.email, accounts.c.status).join(
    accounts, accounts.c.id == customers.c.id
)
_ROLES: Final = select(account_roles).where(
    account_roles.c.account_id.in_(bindparam("accounts", expanding=True))
)
_MESSAGES: Final = (
    select(notifications.c.kind, notifications.c.order_id, notifications.c.sent_at)
    .where(
        notifications.c.sent_at.is_not(None),
        or_(
            notifications.c.order_id.in_(
                select(orders.c.id).where(orders.c.customer_id == bindparam("customer"))
            ),
            and_(notifications.c.order_id.is_(None), notifications.c.recipient == bindparam("to")),
        ),
    )
    .order_by(notifications.c.sent_at, notifications.c.event_id)
)


class SqlCustomers(CustomerRepository):
    """Customers, locked from reading to the end of the transaction."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._rows = AggregateRows(_CUSTOMERS, connection, tracker, log)

    @override
    def get(self, customer_id: CustomerId) -> Customer:
        row = self._connection.execute(_GET, {"customer": customer_id}).one_or_none()
        if row is None:
            raise NotFoundError("customer")
        return self._rows.watch(
            Customer(
                id=CustomerId(row.id),
                name=row.name,
                phone=row.phone,
                addresses=_ADDRESSES.validate_python(row.addresses),
                consents=_CONSENTS.validate_python(row.consents),
                created_at=row.created_at,
                version=row.version,
            )
        )

    @override
    def add(self, customer: Customer) -> None:
        self._rows.add(customer)

    @override
    def save(self, customer: Customer) -> None:
        self._rows.save(customer)


class SqlCustomerReader(CustomerReader):
    """Customers as queries read them."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    @override
    def get(self, customer_id: CustomerId) -> CustomerView:
        views = self._views(_VIEWS.where(customers.c.id == customer_id))
        if not views:
            raise NotFoundError("customer")
        return views[0]

    @override
    def list(self, query: CustomerQuery) -> Page[CustomerView]:
        require_limit(query.limit)
        statement = _VIEWS.order_by(customers.c.id.desc()).limit(query.limit + 1)
        if query.email is not None:
            statement = statement.where(accounts.c.email == query.email)
        if query.staff:
            is_staff = exists().where(account_roles.c.account_id == customers.c.id)
            statement = statement.where(is_staff)
        if query.cursor is not None:
            last = Cursor.decode(query.cursor, sort="newest")
            statement = statement.where(customers.c.id < last.id)
        return page_of(self._views(statement), query.limit)

    @override
    def messages(self, customer_id: CustomerId) -> Sequence[SentMessage]:
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(_MESSAGES, {"customer": customer_id, "to": str(customer_id)})
            return [
                SentMessage(kind=MessageKind(row.kind), order_id=row.order_id, sent_at=row.sent_at)
                for row in rows
            ]

    def _views(self, statement: Select[Any]) -> Sequence[CustomerView]:
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(statement).all()
            these = {"accounts": [row.id for row in rows]}
            held = connection.execute(_ROLES, these).all() if rows else []
        return [_view_of(row, _roles_of(row.id, held)) for row in rows]


def _roles_of(account_id: UUID, held: Sequence[Row[Any]]) -> Sequence[str]:
    return sorted(row.role for row in held if row.account_id == account_id)


def _view_of(row: Row[Any], roles: Sequence[str]) -> CustomerView:
    return CustomerView(
        id=CustomerId(row.id),
        email=row.email,
        status=AccountStatus(row.status),
        name=row.name,
        phone=row.phone,
        addresses=_ADDRESSES.validate_python(row.addresses),
        consents=_CONSENTS.validate_python(row.consents),
        created_at=row.created_at,
        roles=roles,
    )
