"""Ports that store and read orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from quickshop.domain.customers import Address, CustomerId
from quickshop.domain.fulfillment import Fulfillment
from quickshop.domain.money import Money
from quickshop.domain.orders import Order, OrderId, OrderLine, OrderStatus
from quickshop.ports.fulfillment import FulfillmentView
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class OrderRepository(Protocol):
    """The orders in one transaction.

    The events of a stored order become its timeline, and jobs.
    """

    def next_number(self) -> str:
        """Return an unused order number. Later numbers are higher; gaps are possible."""
        ...

    def get(self, order_id: OrderId) -> Order:
        """Return the order, locked until the transaction ends.

        Raises:
            NotFoundError: no order has this id.
        """
        ...

    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Order:
        """Return the guest's order that this secret opens, or this customer's order; locked.

        Raises:
            NotFoundError: no order has this id, or it belongs to another shopper.
        """
        ...

    def add(self, order: Order) -> None:
        """Store a new order and its events.

        Raises:
            CartStateError: the cart has already become an order.
        """
        ...

    def unpaid_since(self, now: datetime, *, limit: int) -> Sequence[Order]:
        """Return orders that are unpaid past their `expires_at`, locked.

        Orders locked by other transactions are left out.
        """
        ...

    def save(self, order: Order) -> None:
        """Store the changes of an order read in this transaction, and its events.

        Raises:
            ConflictError: another transaction saved the order since it was read.
        """
        ...

    def under_way(self, customer_id: CustomerId) -> Sequence[str]:
        """Return the numbers of this customer's orders that must be paid or shipped, locked."""
        ...

    def anonymize(self, customer_id: CustomerId, *, email: str) -> int:
        """Erase personal data in this customer's orders; return the number of orders.

        Addresses keep their country, and `email` replaces the email address.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as its shopper and staff see it."""

    id: OrderId
    number: str
    status: OrderStatus
    email: str
    lines: tuple[OrderLine, ...]
    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    shipping_address: Address
    billing_address: Address
    placed_at: datetime
    payment_action: str | None = None
    """A URL or a gateway secret with which the shopper authenticates the payment, if required."""
    fulfillments: tuple[FulfillmentView, ...] = ()
    """The fulfillments, oldest first."""
    customer_id: CustomerId | None = None
    """The customer; None for a guest."""

    @classmethod
    def of(
        cls,
        order: Order,
        *,
        fulfillments: Sequence[Fulfillment] = (),
        payment_action: str | None = None,
    ) -> Self:
        """Return the current state of the order."""
        return cls(
            id=order.id,
            number=order.number,
            status=order.status,
            email=order.email,
            lines=order.lines,
            subtotal=order.subtotal,
            discount=order.discount,
            shipping=order.shipping,
            tax=order.tax,
            total=order.total,
            shipping_address=order.shipping_address,
            billing_address=order.billing_address,
            placed_at=order.placed_at,
            payment_action=payment_action,
            fulfillments=tuple(FulfillmentView.of(parcel) for parcel in fulfillments),
            customer_id=order.customer_id,
        )


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event in the timeline of an order."""

    kind: str
    """The event's name, such as `OrderPaid`."""
    occurred_at: datetime
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Criteria for a list of orders, newest first. All given criteria must match."""

    token_digest: str | None = None
    """Only guests' orders that this secret opens."""
    customer_id: CustomerId | None = None
    """Only orders of this customer."""
    number: str | None = None
    email: str | None = None
    """In the form of `normalize_email`."""
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    """The end of the period, not included."""
    status: OrderStatus | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


class OrderReader(Protocol):
    """Reads orders without a transaction."""

    def get(self, order_id: OrderId) -> OrderView:
        """Return the order with this id.

        Raises:
            NotFoundError: no order has this id.
        """
        ...

    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> OrderView:
        """Return the guest's order that this secret opens, or the order of this customer.

        Raises:
            NotFoundError: no order has this id, or it belongs to another shopper.
        """
        ...

    def find_by_number(self, number: str) -> OrderView | None:
        """Return the order with this number, if any."""
        ...

    def list(self, query: OrderQuery) -> Page[OrderView]:
        """Return one page of orders.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def timeline(self, order_id: OrderId, *, newest: int) -> Sequence[TimelineEntry]:
        """Return the `newest` last events of the order, oldest first."""
        ...
