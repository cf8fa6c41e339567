"""What the shop needs from whoever keeps its orders."""

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
    """The orders, as seen from inside one transaction.

    The events of a stored order become its timeline, besides what reacts to them.
    """

    def next_number(self) -> str:
        """A number that no other order has; later ones are higher, gaps are possible."""
        ...

    def get(self, order_id: OrderId) -> Order:
        """The order, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> Order:
        """The guest's order that this secret opens, or the order of this customer; locked.

        Raises:
            NotFoundError: there is none with this id, or it is another's.
        """
        ...

    def add(self, order: Order) -> None:
        """Store a new order and its events.

        Raises:
            CartStateError: its cart has become an order already.
        """
        ...

    def unpaid_since(self, now: datetime, *, limit: int) -> Sequence[Order]:
        """Orders that are to be paid and were not by their `expires_at`, locked.

        Those locked by others are left out.
        """
        ...

    def save(self, order: Order) -> None:
        """Store the changes of an order got from here, and its events.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...

    def under_way(self, customer_id: CustomerId) -> Sequence[str]:
        """Numbers of this customer's orders that are still to be paid or shipped, locked."""
        ...

    def anonymize(self, customer_id: CustomerId, *, email: str) -> int:
        """Let this customer's orders tell nothing of who placed them; tell how many there are.

        Addresses keep their country, and `email` takes the place of the address.
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
    """What the shopper needs to prove themselves to their bank, while that is asked of them."""
    fulfillments: tuple[FulfillmentView, ...] = ()
    """The parcels, the first one first."""
    customer_id: CustomerId | None = None
    """Who placed it; None for a guest."""

    @classmethod
    def of(
        cls,
        order: Order,
        *,
        fulfillments: Sequence[Fulfillment] = (),
        payment_action: str | None = None,
    ) -> Self:
        """The order as it stands."""
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
    """One thing that happened to an order."""

    kind: str
    """The event's name, such as `OrderPaid`."""
    occurred_at: datetime
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders to list, newest first. Every criterion given must hold."""

    token_digest: str | None = None
    """Only orders of guests that this secret opens."""
    customer_id: CustomerId | None = None
    """Only orders of this customer."""
    number: str | None = None
    email: str | None = None
    """As orders keep it: `normalize_email`ed."""
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    """Orders placed at this very moment are left out."""
    status: OrderStatus | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


class OrderReader(Protocol):
    """Orders as people read them; no transaction needed."""

    def get(self, order_id: OrderId) -> OrderView:
        """The order.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def get_own(
        self, order_id: OrderId, *, token_digest: str, customer_id: CustomerId | None = None
    ) -> OrderView:
        """The guest's order that this secret opens, or the order of this customer.

        Raises:
            NotFoundError: there is none with this id, or it is another's.
        """
        ...

    def find_by_number(self, number: str) -> OrderView | None:
        """The order that people call by this number."""
        ...

    def list(self, query: OrderQuery) -> Page[OrderView]:
        """One page of orders.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def timeline(self, order_id: OrderId, *, newest: int) -> Sequence[TimelineEntry]:
        """So many of the newest things that happened to the order, oldest first."""
        ...
