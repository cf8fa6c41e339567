"""An order: the products bought, their prices, and the progress of the order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.cart import CartId, CartLine
from quickshop.domain.catalog import VariantId
from quickshop.domain.customers import Address, CustomerId, opens_to
from quickshop.domain.errors import InvalidValueError, OrderStateError
from quickshop.domain.events import Aggregate
from quickshop.domain.money import Money, total
from quickshop.domain.orders.events import (
    LatePaymentCaptured,
    OrderAuthorized,
    OrderCanceled,
    OrderCompleted,
    OrderExpired,
    OrderExpiryPutOff,
    OrderId,
    OrderNoted,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentRetried,
    OrderPlaced,
    OrderRefunded,
    OrderRefundFailed,
    OrderShipped,
    PaymentActionRequired,
)
from quickshop.domain.orders.status import TRANSITIONS, UNPAID, OrderStatus
from quickshop.domain.values import require_prose, require_reason, require_units

OrderLineId = NewType("OrderLineId", UUID)

MAX_NUMBER_LENGTH: Final = 18
"""Digits in the number of an order."""
MAX_NOTE_LENGTH: Final = 2_000
"""Characters in a note."""


def is_order_number(text: str) -> bool:
    """Return whether this can be the number of an order: digits without leading zeros."""
    digits = text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_LENGTH
    return digits and str(int(text)) == text


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One variant in an order, with its title and price at checkout."""

    id: OrderLineId
    variant_id: VariantId
    sku: str
    title: str
    variant_title: str
    quantity: int
    unit_price: Money

    def __post_init__(self) -> None:
        """Check the quantity.

        Raises:
            InvalidValueError: the quantity is less than 1.
        """
        require_units(self.quantity)

    @classmethod
    def of(cls, line: CartLine, *, id: OrderLineId) -> OrderLine:
        """Return a snapshot of a cart line."""
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

    Create one with `Order.place`. The constructor is for adapters that load a stored order; it
    checks the invariants again, so that a corrupt row raises.
    """

    id: OrderId
    number: str
    """The number that people use for it; unique."""
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
    expires_at: datetime | None
    """When it expires unless it is paid; None once the payment is authorized."""
    status: OrderStatus = OrderStatus.PENDING
    customer_id: CustomerId | None = None
    """The customer, who alone may open it; None for a guest, who needs the secret."""

    def __post_init__(self) -> None:
        """Check that the order adds up.

        Raises:
            InvalidValueError: the order has no lines, or its amounts do not add up.
        """
        if not self.lines:
            raise InvalidValueError("lines", "must contain at least one line")
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
        expires_at: datetime,
        customer_id: CustomerId | None = None,
    ) -> Order:
        """Create an order, `pending` until it is paid."""
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
            expires_at=expires_at,
            customer_id=customer_id,
        )
        order._record(OrderPlaced(order_id=id, occurred_at=now))
        return order

    def opens_to(self, *, token_digest: str, customer_id: CustomerId | None) -> bool:
        """Return whether this shopper may see, pay and cancel it; see `customers.opens_to`."""
        return opens_to(
            self.customer_id,
            self.token_digest,
            token_digest=token_digest,
            customer_id=customer_id,
        )

    def mark_paid(self, *, now: datetime) -> None:
        """Record that the payment was captured.

        Raises:
            OrderStateError: the order is not waiting for a payment.
        """
        self._move(OrderStatus.PAID, "paid")
        self._record(OrderPaid(order_id=self.id, occurred_at=now))

    def mark_payment_failed(self, reason: str, *, now: datetime, expires_at: datetime) -> None:
        """Record a known decline. The caller releases the stock.

        Raises:
            OrderStateError: the order is not waiting for a payment.
        """
        self._move(OrderStatus.PAYMENT_FAILED, "declined")
        self.expires_at = expires_at
        self._record(OrderPaymentFailed(order_id=self.id, reason=reason, occurred_at=now))

    def retry_payment(self, attempt: int, *, now: datetime, expires_at: datetime) -> None:
        """Wait for another payment attempt. The caller allocates the stock again.

        Raises:
            OrderStateError: no attempt has failed.
        """
        self._move(OrderStatus.PENDING, "paid again")
        self.expires_at = expires_at
        self._record(OrderPaymentRetried(order_id=self.id, attempt=attempt, occurred_at=now))

    def cancel(self, reason: str, *, now: datetime) -> None:
        """Cancel the order. The caller releases the stock and refunds the payment.

        Raises:
            OrderStateError: a part of the order has shipped, or it has ended already.
            InvalidValueError: the reason is too long or not printable.
        """
        require_reason(reason)
        self._move(OrderStatus.CANCELED, "canceled")
        self._record(OrderCanceled(order_id=self.id, reason=reason, occurred_at=now))

    def expire(self, *, now: datetime) -> None:
        """Record that the payment did not arrive in time. The caller releases the stock.

        Raises:
            OrderStateError: the order is paid, or has ended already.
        """
        self._move(OrderStatus.EXPIRED, "expired")
        self._record(OrderExpired(order_id=self.id, occurred_at=now))

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the order is unpaid past `expires_at`."""
        return self.status in UNPAID and self.expires_at is not None and self.expires_at <= now

    def wait_until(self, expires_at: datetime, *, now: datetime) -> None:
        """Postpone the expiry, because the result of the payment is unknown."""
        self.expires_at = expires_at
        self._record(OrderExpiryPutOff(order_id=self.id, occurred_at=now))

    def note_authorized(self, *, now: datetime) -> None:
        """Record that the payment is authorized, so that the order does not expire."""
        self.expires_at = None
        self._record(OrderAuthorized(order_id=self.id, occurred_at=now))

    def note_action_required(self, *, now: datetime) -> None:
        """Record that the shopper must authenticate the payment with their bank."""
        self._record(PaymentActionRequired(order_id=self.id, occurred_at=now))

    def note_late_payment(self, *, now: datetime) -> None:
        """Record that a payment arrived that this order does not, or no longer, need."""
        self._record(LatePaymentCaptured(order_id=self.id, occurred_at=now))

    def note_refund(self, amount: Money, reason: str, *, now: datetime, whole: bool) -> None:
        """Record a refund; `whole` if the whole captured amount has gone back.

        A whole refund makes a paid order `refunded`; a canceled order keeps its status.
        """
        if whole and OrderStatus.REFUNDED in TRANSITIONS[self.status]:
            self.status = OrderStatus.REFUNDED
        self._record(
            OrderRefunded(
                order_id=self.id,
                amount_minor=amount.minor,
                currency=amount.currency,
                reason=reason,
                occurred_at=now,
            )
        )

    def note_failed_refund(self, amount: Money, reason: str, *, now: datetime) -> None:
        """Record that the gateway refused a refund."""
        self._record(
            OrderRefundFailed(
                order_id=self.id,
                amount_minor=amount.minor,
                currency=amount.currency,
                reason=reason,
                occurred_at=now,
            )
        )

    def require_shippable(self) -> None:
        """Check that the order can be shipped.

        Raises:
            OrderStateError: the order is not paid, or has shipped already.
        """
        if OrderStatus.FULFILLED not in TRANSITIONS[self.status]:
            raise OrderStateError(self.number, self.status, "shipped")

    def ship(
        self,
        fulfillment_id: UUID,
        *,
        whole: bool,
        carrier: str,
        tracking_number: str,
        now: datetime,
    ) -> None:
        """Record a shipped fulfillment; `whole` if every unit has shipped.

        Raises:
            OrderStateError: the order is not paid, or has shipped already.
        """
        status = OrderStatus.FULFILLED if whole else OrderStatus.PARTIALLY_FULFILLED
        self._move(status, "shipped")
        self._record(
            OrderShipped(
                order_id=self.id,
                fulfillment_id=fulfillment_id,
                tracking_number=tracking_number,
                carrier=carrier,
                occurred_at=now,
            )
        )

    def complete(self, *, now: datetime) -> None:
        """Close the order: the shopper has received everything.

        Raises:
            OrderStateError: a part has not shipped, or the order is closed already.
        """
        self._move(OrderStatus.COMPLETED, "completed")
        self._record(OrderCompleted(order_id=self.id, occurred_at=now))

    def add_note(self, note: str, *, now: datetime) -> None:
        """Add a note to the order, in any status.

        Raises:
            InvalidValueError: the note is blank, too long, or not printable.
        """
        require_prose("note", note, max_length=MAX_NOTE_LENGTH)
        if not note.strip():
            raise InvalidValueError("note", "must not be blank")
        self._record(OrderNoted(order_id=self.id, note=note, occurred_at=now))

    def _move(self, status: OrderStatus, action: str) -> None:
        if status not in TRANSITIONS[self.status]:
            raise OrderStateError(self.number, self.status, action)
        self.status = status
