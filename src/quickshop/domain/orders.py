"""Orders: what a shopper bought, for how much, and how far it has got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.cart import CartId, CartLine
from quickshop.domain.catalog import VariantId
from quickshop.domain.customers import Address
from quickshop.domain.errors import InvalidValueError, OrderStateError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.money import Money, total

OrderId = NewType("OrderId", UUID)
OrderLineId = NewType("OrderLineId", UUID)

MAX_REASON_LENGTH: Final = 500
"""Characters in the reason of a cancellation."""


class OrderStatus(StrEnum):
    """How far an order has got."""

    PENDING = "pending"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    CANCELED = "canceled"


TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.PENDING: frozenset(
        {OrderStatus.PAID, OrderStatus.PAYMENT_FAILED, OrderStatus.CANCELED}
    ),
    OrderStatus.PAYMENT_FAILED: frozenset({OrderStatus.PENDING, OrderStatus.CANCELED}),
    OrderStatus.PAID: frozenset({OrderStatus.CANCELED}),
    OrderStatus.CANCELED: frozenset(),
}
"""Which status may follow which; every other pair is refused."""


HOLDS_STOCK: Final = frozenset({OrderStatus.PENDING, OrderStatus.PAID})
"""Orders that units are promised to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(DomainEvent):
    """Something about one order. Its timeline is the sequence of these."""

    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(OrderEvent):
    """A cart became an order; its stock is taken and its payment is to be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaid(OrderEvent):
    """The whole total was captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentFailed(OrderEvent):
    """The payment was declined and the stock given back; another attempt may be made."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentRetried(OrderEvent):
    """The shopper pays another way; stock was taken anew."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled(OrderEvent):
    """The order will not ship; its stock is given back and its money returned."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePaymentCaptured(OrderEvent):
    """Money arrived for an order that was canceled meanwhile; it goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """What was bought, as it was called and priced at that moment."""

    id: OrderLineId
    variant_id: VariantId
    sku: str
    title: str
    variant_title: str
    quantity: int
    unit_price: Money

    def __post_init__(self) -> None:
        """Refuse a line of nothing.

        Raises:
            InvalidValueError: fewer than one unit.
        """
        if self.quantity < 1:
            raise InvalidValueError("quantity", "must be at least 1")

    @classmethod
    def of(cls, line: CartLine, *, id: OrderLineId) -> OrderLine:
        """The snapshot of a cart line."""
        offer = line.offer
        return cls(
            id=id,
            variant_id=offer.variant_id,
            sku=offer.sku,
            title=offer.title,
            variant_title=offer.variant_title,
            quantity=line.quantity,
            unit_price=offer.unit_price,
        )

    @property
    def subtotal(self) -> Money:
        """Unit price times quantity."""
        return self.unit_price * self.quantity


@dataclass(slots=True, eq=False, kw_only=True)
class Order(Aggregate):
    """A placed order: a snapshot that is never recomputed. Only its status changes.

    Build a new one with `Order.place`. The constructor is for adapters that bring a stored order
    back; it re-checks the invariants, so a bad row cannot become a bad object.
    """

    id: OrderId
    number: str
    """What people call it; unique."""
    cart_id: CartId
    token_digest: str
    """SHA-256 of the secret that opens this order to a guest."""
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
    status: OrderStatus = OrderStatus.PENDING

    def __post_init__(self) -> None:
        """Re-check that the order adds up.

        Raises:
            InvalidValueError: it has no lines, or its amounts do not add up.
        """
        if not self.lines:
            raise InvalidValueError("lines", "must hold at least one line")
        if self.subtotal != total([line.subtotal for line in self.lines], self.total.currency):
            raise InvalidValueError("subtotal", "must be the sum of the lines")
        if self.total != self.subtotal - self.discount + self.shipping + self.tax:
            raise InvalidValueError("total", "must be subtotal - discount + shipping + tax")

    @classmethod
    def place(
        cls,
        *,
        id: OrderId,
        number: str,
        cart_id: CartId,
        token_digest: str,
        email: str,
        lines: tuple[OrderLine, ...],
        shipping_address: Address,
        billing_address: Address,
        now: datetime,
    ) -> Order:
        """Write down what was bought, `pending` until it is paid."""
        currency = lines[0].unit_price.currency
        nothing = Money.zero(currency)
        subtotal = total([line.subtotal for line in lines], currency)
        order = cls(
            id=id,
            number=number,
            cart_id=cart_id,
            token_digest=token_digest,
            email=email,
            lines=lines,
            subtotal=subtotal,
            discount=nothing,
            shipping=nothing,
            tax=nothing,
            total=subtotal,
            shipping_address=shipping_address,
            billing_address=billing_address,
            placed_at=now,
        )
        order._record(OrderPlaced(order_id=id, occurred_at=now))
        return order

    def mark_paid(self, *, now: datetime) -> None:
        """Record that the whole total was captured.

        Raises:
            OrderStateError: it is not waiting for a payment.
        """
        self._move(OrderStatus.PAID, "paid")
        self._record(OrderPaid(order_id=self.id, occurred_at=now))

    def mark_payment_failed(self, reason: str, *, now: datetime) -> None:
        """Record a known decline. The caller gives the stock back.

        Raises:
            OrderStateError: it is not waiting for a payment.
        """
        self._move(OrderStatus.PAYMENT_FAILED, "declined")
        self._record(OrderPaymentFailed(order_id=self.id, reason=reason, occurred_at=now))

    def retry_payment(self, attempt: int, *, now: datetime) -> None:
        """Wait for another attempt. The caller takes the stock anew.

        Raises:
            OrderStateError: no attempt failed before.
        """
        self._move(OrderStatus.PENDING, "paid again")
        self._record(OrderPaymentRetried(order_id=self.id, attempt=attempt, occurred_at=now))

    def cancel(self, reason: str, *, now: datetime) -> None:
        """Stop the order. The caller gives the stock back; the money follows as a reaction.

        Raises:
            OrderStateError: it is canceled already.
            InvalidValueError: the reason is too long.
        """
        if len(reason) > MAX_REASON_LENGTH or not " ".join(reason.split()).isprintable():
            raise InvalidValueError(
                "reason", f"must be at most {MAX_REASON_LENGTH} printable characters"
            )
        self._move(OrderStatus.CANCELED, "canceled")
        self._record(OrderCanceled(order_id=self.id, reason=reason, occurred_at=now))

    def note_late_payment(self, *, now: datetime) -> None:
        """Record that money came for this canceled order, so that it is sent back."""
        assert self.status is OrderStatus.CANCELED
        self._record(LatePaymentCaptured(order_id=self.id, occurred_at=now))

    def _move(self, status: OrderStatus, action: str) -> None:
        if status not in TRANSITIONS[self.status]:
            raise OrderStateError(self.number, self.status, action)
        self.status = status
