"""Carts shown from a copy, and who is told that a copy is none any more."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from quickshop.application.shopper import Shopper
from quickshop.domain.cart import Cart, CartId
from quickshop.ports.cache import CachedCart, CartCache
from quickshop.ports.cart import CartReader, CartView


@dataclass(frozen=True, slots=True)
class CartInvalidation:
    """Told of every change of a cart once it is committed."""

    cache: CartCache

    def __call__(self, cart: Cart) -> None:
        """Nobody is shown an older copy."""
        self.cache.forget(cart.id, version=cart.version)


@dataclass(frozen=True, slots=True)
class GetCartPage:
    """A cart as rendered bytes, from a copy if there is one: its prices may be seconds old."""

    carts: CartReader
    cache: CartCache

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, render: Callable[[CartView], bytes]
    ) -> bytes:
        """Opens to whom `GetCart` opens it; a copy is for the shopper for whom it was made.

        Raises:
            NotFoundError: there is none with this id, or it is another's.
        """
        shopper = Shopper.of(opener)
        if self.cache.keeps:
            copy = self.cache.find(cart_id)
            if copy is not None and _is_for(copy, shopper):
                return copy.body
        token_digest, customer_id = shopper.token_digest, shopper.customer_id
        view = self.carts.get(cart_id, token_digest=token_digest, customer_id=customer_id)
        body = render(view)
        self.cache.put(cart_id, CachedCart(view.version, token_digest, customer_id, body))
        return body


def _is_for(copy: CachedCart, shopper: Shopper) -> bool:
    same_secret = hmac.compare_digest(copy.token_digest or "", shopper.token_digest)
    return same_secret and copy.customer_id == shopper.customer_id
