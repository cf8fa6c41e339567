"""What the shop needs from whoever keeps its carts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from quickshop.domain.cart import Cart, CartId, CartLine, CartStatus
from quickshop.domain.money import Money


class CartRepository(Protocol):
    """The carts, as seen from inside one transaction. Lines carry today's prices."""

    def get(self, cart_id: CartId, *, token_digest: str) -> Cart:
        """The cart that this secret opens. Not locked: `save` notices who was faster.

        Raises:
            NotFoundError: there is none with this id, or the secret is another's.
        """
        ...

    def add(self, cart: Cart) -> None:
        """Store a new cart."""
        ...

    def save(self, cart: Cart) -> None:
        """Store the changes of a cart got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CartView:
    """A priced cart. Amounts are what checking out now would come to."""

    id: CartId
    status: CartStatus
    lines: Sequence[CartLine]
    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    version: int

    @classmethod
    def of(cls, cart: Cart) -> Self:
        """The cart as a shopper sees it."""
        nothing = Money.zero(cart.currency)
        return cls(
            id=cart.id,
            status=cart.status,
            lines=cart.lines,
            subtotal=cart.subtotal,
            discount=nothing,
            shipping=nothing,
            tax=nothing,
            total=cart.subtotal,
            version=cart.version,
        )


class CartReader(Protocol):
    """Carts as their shoppers read them; no transaction needed."""

    def get(self, cart_id: CartId, *, token_digest: str) -> CartView:
        """The cart that this secret opens.

        Raises:
            NotFoundError: as `CartRepository.get`.
        """
        ...
