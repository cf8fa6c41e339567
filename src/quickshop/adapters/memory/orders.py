"""Orders in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.domain.customers import Address, CustomerId
from quickshop.domain.errors import AlreadyExistsError, CartStateError, NotFoundError
from quickshop.domain.orders import HOLDS_STOCK, UNPAID, Order, OrderEvent, OrderId
from quickshop.domain.payments import PaymentStatus
from quickshop.ports.orders import (
    OrderQuery,
    OrderReader,
    OrderRepository,
    OrderView,
    TimelineEntry,
)
from quickshop.ports.paging import Page


class MemoryOrders(OrderRepository):
    """The orders and their timelines."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def next_number(self) -> str:
        self._state.last_number += 1
        return str(self._state.last_number)

    @override
    def get(self, order_id: OrderId) -> Order:
        return self._session.hand_out(_get(self._state, order_id))

    @override
    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Order:
        return self._session.hand_out(_opened(self._state, order_id, token_digest, customer_id))

    @override
    def add(self, order: Order) -> None:
        if order.cart_id in self._state.order_by_cart:
            raise CartStateError
        if order.id in self._state.orders:
            raise AlreadyExistsError("order", "id")
        if order.number in self._state.order_by_number:
            raise AlreadyExistsError("order", "number")
        require(order.cart_id in self._state.carts, "no such cart")
        known = self._state.offers
        require(all(line.variant_id in known for line in order.lines), "no such variant")
        self._state.order_by_cart[order.cart_id] = order.id
        self._state.order_by_number[order.number] = order.id
        self._put(order)

    @override
    def unpaid_since(self, now: datetime, *, limit: int) -> Sequence[Order]:
        late = sorted(
            (order.expires_at, order.id)
            for order in self._state.orders.values()
            if order.status in UNPAID and order.expires_at is not None and order.expires_at <= now
        )
        return [self.get(order_id) for _expires_at, order_id in late[:limit]]

    @override
    def save(self, order: Order) -> None:
        self._session.require_version(self._state.orders, order.id, order, "order")
        self._put(order)

    @override
    def under_way(self, customer_id: CustomerId) -> Sequence[str]:
        return [
            order.number
            for _id, order in sorted(self._state.orders.items())
            if order.customer_id == customer_id and order.status in HOLDS_STOCK
        ]

    @override
    def anonymize(self, customer_id: CustomerId, *, email: str) -> int:
        theirs = [each for each in self._state.orders.values() if each.customer_id == customer_id]
        for order in theirs:
            self._state.orders[order.id] = replace(
                order,
                email=email,
                shipping_address=Address.nowhere(order.shipping_address.country),
                billing_address=Address.nowhere(order.billing_address.country),
                version=order.version + 1,
            )
        return len(theirs)

    def _put(self, order: Order) -> None:
        events = self._session.keep(self._state.orders, order.id, order)
        recorded = tuple(event for event in events if isinstance(event, OrderEvent))
        before = self._state.timelines.get(order.id, ())
        self._state.timelines[order.id] = (*before, *recorded)


def _get(state: MemoryState, order_id: OrderId) -> Order:
    order = state.orders.get(order_id)
    if order is None:
        raise NotFoundError("order")
    return order


def _opened(
    state: MemoryState, order_id: OrderId, token_digest: str, customer_id: CustomerId | None
) -> Order:
    order = _get(state, order_id)
    if not order.opens_to(token_digest=token_digest, customer_id=customer_id):
        raise NotFoundError("order")
    return order


def _view(state: MemoryState, order: Order) -> OrderView:
    attempts = [state.payments[payment_id] for payment_id in state.attempts.get(order.id, ())]
    waiting = (p.action for p in attempts if p.status is PaymentStatus.REQUIRES_ACTION)
    parcels = state.fulfillments.get(order.id, ())
    return OrderView.of(order, fulfillments=parcels, payment_action=next(waiting, None))


def _matches(order: Order, query: OrderQuery) -> bool:
    digest = query.token_digest
    return (
        (digest is None or order.opens_to(token_digest=digest, customer_id=None))
        and query.customer_id in {None, order.customer_id}
        and query.number in {None, order.number}
        and query.email in {None, order.email}
        and query.status in {None, order.status}
        and (query.placed_from is None or query.placed_from <= order.placed_at)
        and (query.placed_before is None or order.placed_at < query.placed_before)
    )


class MemoryOrderReader(OrderReader):
    """Orders as queries read them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def get(self, order_id: OrderId) -> OrderView:
        state = self._store.state
        return _view(state, _get(state, order_id))

    @override
    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> OrderView:
        state = self._store.state
        return _view(state, _opened(state, order_id, token_digest, customer_id))

    @override
    def find_by_number(self, number: str) -> OrderView | None:
        state = self._store.state
        order_id = state.order_by_number.get(number)
        return None if order_id is None else _view(state, state.orders[order_id])

    @override
    def list(self, query: OrderQuery) -> Page[OrderView]:
        state = self._store.state
        rows = (
            Row(0, order.id, order) for order in state.orders.values() if _matches(order, query)
        )
        page = page_of(
            rows, sort="newest", limit=query.limit, cursor=query.cursor, descending=True
        )
        return Page([_view(state, order) for order in page.items], page.next_cursor)

    @override
    def timeline(self, order_id: OrderId, *, newest: int) -> Sequence[TimelineEntry]:
        return [
            TimelineEntry(
                type(event).__name__,
                event.occurred_at,
                {name: fact for name, fact in event.facts.items() if name != "order_id"},
            )
            for event in self._store.state.timelines.get(order_id, ())[-newest:]
        ]
