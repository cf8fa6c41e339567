"""Carts in memory."""

from __future__ import annotations

from dataclasses import replace

from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.domain.cart import Cart, CartId
from quickshop.domain.errors import AlreadyExistsError, NotFoundError
from quickshop.ports.cart import CartView


class MemoryCarts:
    """The carts. Their lines are priced anew whenever one is got."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    def get(self, cart_id: CartId, *, token_digest: str) -> Cart:
        """As `CartRepository.get`.

        Raises:
            NotFoundError: there is none with this id, or the secret is another's.
        """
        return self._session.hand_out(_opened(self._state, cart_id, token_digest))

    def add(self, cart: Cart) -> None:
        """As `CartRepository.add`.

        Raises:
            AlreadyExistsError: its id is taken.
        """
        if cart.id in self._state.carts:
            raise AlreadyExistsError("cart", "id")
        self._put(cart)

    def save(self, cart: Cart) -> None:
        """As `CartRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        self._session.require_version(self._state.carts, cart.id, cart, "cart")
        self._put(cart)

    def _put(self, cart: Cart) -> None:
        known = self._state.offers
        assert all(line.offer.variant_id in known for line in cart.lines), "no such variant"
        self._session.keep(self._state.carts, cart.id, cart)


def _opened(state: MemoryState, cart_id: CartId, token_digest: str) -> Cart:
    cart = state.carts.get(cart_id)
    if cart is None or cart.token_digest != token_digest:
        raise NotFoundError("cart")
    lines = (replace(line, offer=state.offers[line.offer.variant_id]) for line in cart.lines)
    return replace(cart, lines=tuple(lines))


class MemoryCartReader:
    """Carts as their shoppers read them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, cart_id: CartId, *, token_digest: str) -> CartView:
        """As `CartReader.get`.

        Raises:
            NotFoundError: there is none with this id, or the secret is another's.
        """
        return CartView.of(_opened(self._store.state, cart_id, token_digest))
