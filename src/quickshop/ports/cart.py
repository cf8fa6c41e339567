"""Ports that store and read carts."""

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
    """The carts in one transaction. Lines have current prices."""

    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Cart:
        """Return the guest's cart that this secret opens, or the cart of this customer.

        The cart is not locked; `save` detects concurrent changes.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
        """
        ...

    def latest_of(self, customer_id: CustomerId) -> Cart | None:
        """Return the open cart that this customer changed last, if any."""
        ...

    def add(self, cart: Cart) -> None:
        """Store a new cart."""
        ...

    def save(self, cart: Cart) -> None:
        """Store the changes of a cart read in this transaction.

        Raises:
            ConflictError: another transaction saved the cart since it was read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CartView:
    """A priced cart. The amounts are those of a checkout now."""

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
    """The owner; None for a guest."""

    @classmethod
    def of(cls, cart: Cart) -> Self:
        """Return the cart as a shopper sees it."""
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
    """An open cart, as staff see it."""

    id: CartId
    customer_id: CustomerId | None
    lines: int
    units: int
    changed_at: datetime


class CartReader(Protocol):
    """Reads carts without a transaction."""

    def get(
        self, cart_id: CartId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> CartView:
        """Return the guest's cart that this secret opens, or the cart of this customer.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
        """
        ...

    def of_customer(
        self, customer_id: CustomerId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CartView]:
        """Return one page of the open carts of this customer, the last changed first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def active(
        self, since: datetime, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ActiveCart]:
        """Return one page of the open carts with lines that changed since `since`, newest first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...
