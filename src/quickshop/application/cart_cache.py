"""The cart cache, and its invalidation."""

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
    """Invalidates a cached cart after every committed change."""

    cache: CartCache

    def __call__(self, cart: Cart) -> None:
        """Remove the cart's older entry."""
        self.cache.forget(cart.id, version=cart.version)


@dataclass(frozen=True, slots=True)
class GetCartPage:
    """Return a cart as rendered bytes, from the cache if possible. Prices may be seconds old."""

    carts: CartReader
    cache: CartCache

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, render: Callable[[CartView], bytes]
    ) -> bytes:
        """Return the page to the shoppers whom `GetCart` allows. An entry serves one shopper only.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
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
