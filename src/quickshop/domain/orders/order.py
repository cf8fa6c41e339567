"""What a shopper bought, for how much, and how far it has got."""

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
    """Whether an order may have this number: digits without leading zeros."""
    digits = text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_LENGTH
    return digits and str(int(text)) == text


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
        require_units(self.quantity)

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
    expires_at: datetime | None
    """When it is given up if it is not paid by then; None while the money is set aside."""
    status: OrderStatus = OrderStatus.PENDING
    customer_id: CustomerId | None = None
    """Who placed it, and alone may open it; None for a guest, who needs the secret."""

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
        expires_at: datetime,
        customer_id: CustomerId | None = None,
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
            expires_at=expires_at,
            customer_id=customer_id,
        )
        order._record(OrderPlaced(order_id=id, occurred_at=now))
        return order

    def opens_to(self, *, token_digest: str, customer_id: CustomerId | None) -> bool:
        """Whether this shopper may see, pay and cancel it: see `customers.opens_to`."""
        return opens_to(
            self.customer_id,
            self.token_digest,
            token_digest=token_digest,
            customer_id=customer_id,
        )

    def mark_paid(self, *, now: datetime) -> None:
        """Record that the money was captured.

        Raises:
            OrderStateError: it is not waiting for a payment.
        """
        self._move(OrderStatus.PAID, "paid")
        self._record(OrderPaid(order_id=self.id, occurred_at=now))

    def mark_payment_failed(self, reason: str, *, now: datetime, expires_at: datetime) -> None:
        """Record a known decline. The caller gives the stock back.

        Raises:
            OrderStateError: it is not waiting for a payment.
        """
        self._move(OrderStatus.PAYMENT_FAILED, "declined")
        self.expires_at = expires_at
        self._record(OrderPaymentFailed(order_id=self.id, reason=reason, occurred_at=now))

    def retry_payment(self, attempt: int, *, now: datetime, expires_at: datetime) -> None:
        """Wait for another attempt. The caller takes the stock anew.

        Raises:
            OrderStateError: no attempt failed before.
        """
        self._move(OrderStatus.PENDING, "paid again")
        self.expires_at = expires_at
        self._record(OrderPaymentRetried(order_id=self.id, attempt=attempt, occurred_at=now))

    def cancel(self, reason: str, *, now: datetime) -> None:
        """Stop the order. The caller gives the stock and the money back.

        Raises:
            OrderStateError: something of it has shipped, or it has ended already.
            InvalidValueError: the reason is too long.
        """
        require_reason(reason)
        self._move(OrderStatus.CANCELED, "canceled")
        self._record(OrderCanceled(order_id=self.id, reason=reason, occurred_at=now))

    def expire(self, *, now: datetime) -> None:
        """Give up waiting for the money. The caller gives the stock back.

        Raises:
            OrderStateError: it is paid, or has ended already.
        """
        self._move(OrderStatus.EXPIRED, "expired")
        self._record(OrderExpired(order_id=self.id, occurred_at=now))

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been paid by now and is not."""
        return self.status in UNPAID and self.expires_at is not None and self.expires_at <= now

    def wait_until(self, expires_at: datetime, *, now: datetime) -> None:
        """Wait longer for the money: what the gateway did is still to be found out."""
        self.expires_at = expires_at
        self._record(OrderExpiryPutOff(order_id=self.id, occurred_at=now))

    def note_authorized(self, *, now: datetime) -> None:
        """Record that the money is set aside, so that it is not waited for any more."""
        self.expires_at = None
        self._record(OrderAuthorized(order_id=self.id, occurred_at=now))

    def note_action_required(self, *, now: datetime) -> None:
        """Record that the shopper is to prove themselves to their bank."""
        self._record(PaymentActionRequired(order_id=self.id, occurred_at=now))

    def note_late_payment(self, *, now: datetime) -> None:
        """Record that money came that this order did not wait for (any more)."""
        self._record(LatePaymentCaptured(order_id=self.id, occurred_at=now))

    def note_refund(self, amount: Money, reason: str, *, now: datetime, whole: bool) -> None:
        """Record that money went back; `whole` when nothing that was captured is left.

        An order that was paid is `refunded` then; one called off stays what it is.
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
        """Record that the gateway refused to send money back."""
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
        """Refuse to ship what is not paid, or has shipped already.

        Raises:
            OrderStateError: it is in no status to ship from.
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
        """Record that a parcel left; `whole` when nothing is left to ship.

        Raises:
            OrderStateError: it is not paid, or has shipped already.
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
        """Close it: the shopper has everything.

        Raises:
            OrderStateError: it has not shipped wholly, or is closed already.
        """
        self._move(OrderStatus.COMPLETED, "completed")
        self._record(OrderCompleted(order_id=self.id, occurred_at=now))

    def add_note(self, note: str, *, now: datetime) -> None:
        """Write something down about it, in any status.

        Raises:
            InvalidValueError: blank, too long, or not printable.
        """
        require_prose("note", note, max_length=MAX_NOTE_LENGTH)
        if not note.strip():
            raise InvalidValueError("note", "must not be blank")
        self._record(OrderNoted(order_id=self.id, note=note, occurred_at=now))

    def _move(self, status: OrderStatus, action: str) -> None:
        if status not in TRANSITIONS[self.status]:
            raise OrderStateError(self.number, self.status, action)
        self.status = status
