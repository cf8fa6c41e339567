"""Customers in memory."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.domain.customers import Customer, CustomerId
from quickshop.domain.errors import AlreadyExistsError, NotFoundError
from quickshop.domain.identity import AccountId
from quickshop.domain.notifications import Notification
from quickshop.ports.customers import (
    CustomerQuery,
    CustomerReader,
    CustomerRepository,
    CustomerView,
    SentMessage,
)
from quickshop.ports.paging import Page


class MemoryCustomers(CustomerRepository):
    """The customers."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def get(self, customer_id: CustomerId) -> Customer:
        return self._session.hand_out(_get(self._state, customer_id))

    @override
    def add(self, customer: Customer) -> None:
        if customer.id in self._state.customers:
            raise AlreadyExistsError("customer", "id")
        require(AccountId(customer.id) in self._state.accounts, "no such account")
        self._session.keep(self._state.customers, customer.id, customer)

    @override
    def save(self, customer: Customer) -> None:
        table = self._state.customers
        self._session.require_version(table, customer.id, customer, "customer")
        self._session.keep(table, customer.id, customer)


def _get(state: MemoryState, customer_id: CustomerId) -> Customer:
    customer = state.customers.get(customer_id)
    if customer is None:
        raise NotFoundError("customer")
    return customer


def _view(state: MemoryState, customer: Customer) -> CustomerView:
    return CustomerView.of(state.accounts[AccountId(customer.id)], customer)


class MemoryCustomerReader(CustomerReader):
    """Customers as queries read them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def get(self, customer_id: CustomerId) -> CustomerView:
        state = self._store.state
        return _view(state, _get(state, customer_id))

    @override
    def list(self, query: CustomerQuery) -> Page[CustomerView]:
        state = self._store.state
        rows = (
            Row(0, customer.id, view)
            for customer in state.customers.values()
            if query.email in {None, (view := _view(state, customer)).email}
            and (view.roles or not query.staff)
        )
        return page_of(
            rows, sort="newest", limit=query.limit, cursor=query.cursor, descending=True
        )

    @override
    def messages(self, customer_id: CustomerId) -> Sequence[SentMessage]:
        state = self._store.state
        theirs = sorted(
            (record.sent_at, record.event_id, record)
            for record in state.notifications.values()
            if record.sent_at is not None and _is_about(state, record, customer_id)
        )
        return [
            SentMessage(kind=record.kind, order_id=record.order_id, sent_at=sent_at)
            for sent_at, _event_id, record in theirs
        ]


def _is_about(state: MemoryState, record: Notification, customer_id: CustomerId) -> bool:
    if record.order_id is None:
        return record.recipient == str(customer_id)
    return state.orders[record.order_id].customer_id == customer_id
