"""What the shop needs from whoever keeps its carts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from quickshop.domain.cart import Cart, CartId, CartLine, CartStatus
from quickshop.domain.customers import CustomerId
from quickshop.domain.money import Money
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class CartRepository(Protocol):
    """The carts, as seen from inside one transaction. Lines carry today's prices."""

    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Cart:
        """The guest's cart that this secret opens, or the cart of this customer.

        Not locked: `save` notices who was faster.

        Raises:
            NotFoundError: there is none with this id, or it is another's.
        """
        ...

    def latest_of(self, customer_id: CustomerId) -> Cart | None:
        """The open cart that this customer changed last."""
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
    customer_id: CustomerId | None = None
    """Whose it is; None for a guest's."""

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
            customer_id=cart.customer_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveCart:
    """A cart that somebody may come back to, as staff see it."""

    id: CartId
    customer_id: CustomerId | None
    lines: int
    units: int
    changed_at: datetime


class CartReader(Protocol):
    """Carts as their shoppers read them; no transaction needed."""

    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> CartView:
        """The guest's cart that this secret opens, or the cart of this customer.

        Raises:
            NotFoundError: as `CartRepository.get`.
        """
        ...

    def of_customer(
        self, customer_id: CustomerId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CartView]:
        """One page of the open carts of this customer, the one changed last first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def active(
        self, since: datetime, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ActiveCart]:
        """Open carts with something in them that were changed since then, newest cart first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...
