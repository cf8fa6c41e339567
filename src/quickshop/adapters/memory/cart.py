"""Carts in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.domain.cart import Cart, CartId, CartStatus
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import AlreadyExistsError, NotFoundError
from quickshop.ports.cart import ActiveCart, CartReader, CartRepository, CartView
from quickshop.ports.paging import DEFAULT_LIMIT, Cursor, Page, moment_key, moment_of


class MemoryCarts(CartRepository):
    """The carts. Reading a cart gives its lines their current prices."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Cart:
        return self._session.hand_out(_opened(self._state, cart_id, token_digest, customer_id))

    @override
    def latest_of(self, customer_id: CustomerId) -> Cart | None:
        found = _of_customer(self._state, customer_id)
        return self._session.hand_out(found[0]) if found else None

    @override
    def add(self, cart: Cart) -> None:
        if cart.id in self._state.carts:
            raise AlreadyExistsError("cart", "id")
        self._put(cart)

    @override
    def save(self, cart: Cart) -> None:
        self._session.require_version(self._state.carts, cart.id, cart, "cart")
        self._put(cart)

    def _put(self, cart: Cart) -> None:
        known = self._state.offers
        require(all(line.offer.variant_id in known for line in cart.lines), "no such variant")
        self._session.keep(self._state.carts, cart.id, cart)


def _opened(
    state: MemoryState, cart_id: CartId, token_digest: str, customer_id: CustomerId | None
) -> Cart:
    cart = state.carts.get(cart_id)
    if cart is None or not cart.opens_to(token_digest=token_digest, customer_id=customer_id):
        raise NotFoundError("cart")
    return _priced(state, cart)


def _priced(state: MemoryState, cart: Cart) -> Cart:
    lines = (replace(line, offer=state.offers[line.offer.variant_id]) for line in cart.lines)
    return replace(cart, lines=tuple(lines))


def _of_customer(state: MemoryState, customer_id: CustomerId) -> list[Cart]:
    found = (
        _priced(state, cart)
        for cart in state.carts.values()
        if cart.customer_id == customer_id and cart.status is CartStatus.OPEN
    )
    return sorted(found, key=lambda cart: (_changed(cart), cart.id), reverse=True)


def _changed(cart: Cart) -> datetime:
    return cart.changed_at or cart.created_at


class MemoryCartReader(CartReader):
    """Carts as their shoppers read them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> CartView:
        return CartView.of(_opened(self._store.state, cart_id, token_digest, customer_id))

    @override
    def of_customer(
        self, customer_id: CustomerId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CartView]:
        if cursor is not None:
            moment_of(Cursor.decode(cursor, sort="changed").key)
        rows = (
            Row(moment_key(_changed(cart)), cart.id, CartView.of(cart))
            for cart in _of_customer(self._store.state, customer_id)
        )
        return page_of(rows, sort="changed", limit=limit, cursor=cursor, descending=True)

    @override
    def active(
        self, since: datetime, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ActiveCart]:
        rows = (
            Row(0, cart.id, _active(cart))
            for cart in self._store.state.carts.values()
            if cart.status is CartStatus.OPEN and cart.lines and _changed(cart) >= since
        )
        return page_of(rows, sort="newest", limit=limit, cursor=cursor, descending=True)


def _active(cart: Cart) -> ActiveCart:
    return ActiveCart(
        id=cart.id,
        customer_id=cart.customer_id,
        lines=len(cart.lines),
        units=sum(line.quantity for line in cart.lines),
        changed_at=_changed(cart),
    )
