"""Carts: the products that a shopper wants to buy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.catalog import Offer
from quickshop.domain.customers import CustomerId, opens_to
from quickshop.domain.errors import (
    CartStateError,
    CurrencyMismatchError,
    EmptyCartError,
    InvalidValueError,
    NotForSaleError,
    NotFoundError,
)
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.money import Money, total
from quickshop.domain.values import require_between

CartId = NewType("CartId", UUID)
CartLineId = NewType("CartLineId", UUID)

MAX_LINES: Final = 100
MAX_QUANTITY: Final = 999
"""Units per line."""


class CartStatus(StrEnum):
    """Whether the cart can change."""

    OPEN = "open"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CartEvent(DomainEvent):
    """An event of one cart."""

    cart_id: CartId


@dataclass(frozen=True, slots=True, kw_only=True)
class CartCreated(CartEvent):
    """A cart was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLineSet(CartEvent):
    """A line was added or its quantity changed."""

    line_id: CartLineId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLineRemoved(CartEvent):
    """A line was removed."""

    line_id: CartLineId


@dataclass(frozen=True, slots=True, kw_only=True)
class CartHeld(CartEvent):
    """All units in the cart were put on hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartClaimed(CartEvent):
    """The guest who owned the cart signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartsMerged(CartEvent):
    """The lines of one cart moved to another; both carts record it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartCompleted(CartEvent):
    """The cart became an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """One variant in a cart, with its catalog price at the time of reading."""

    id: CartLineId
    offer: Offer
    quantity: int

    def __post_init__(self) -> None:
        """Validate the quantity.

        Raises:
            InvalidValueError: the quantity is not between 1 and `MAX_QUANTITY`.
        """
        require_between("quantity", self.quantity, 1, MAX_QUANTITY)

    @property
    def subtotal(self) -> Money:
        """Unit price times quantity."""
        return self.offer.unit_price * self.quantity


@dataclass(slots=True, eq=False, kw_only=True)
class Cart(Aggregate):
    """The cart of one shopper.

    A guest's cart opens with its token. A customer's cart opens to that customer only; its token
    stops working, because other people may use the same browser.
    """

    id: CartId
    token_digest: str
    """SHA-256 of the secret that opens a guest's cart; the secret is not stored."""
    currency: str
    created_at: datetime
    lines: tuple[CartLine, ...] = ()
    status: CartStatus = CartStatus.OPEN
    customer_id: CustomerId | None = None
    """The owner; None for a guest."""
    changed_at: datetime | None = None
    """When the shopper last changed it."""

    def __post_init__(self) -> None:
        """Check every rule, also for a stored cart.

        Raises:
            InvalidValueError: there are too many lines, or two lines have the same variant.
        """
        self._require_room(len(self.lines))
        if len({line.offer.variant_id for line in self.lines}) < len(self.lines):
            raise InvalidValueError("lines", "must each have a different variant")

    @classmethod
    def create(
        cls,
        *,
        id: CartId,
        token_digest: str,
        currency: str,
        now: datetime,
        customer_id: CustomerId | None = None,
    ) -> Cart:
        """Create an empty cart."""
        cart = cls(
            id=id,
            token_digest=token_digest,
            currency=currency,
            created_at=now,
            customer_id=customer_id,
        )
        cart._record(CartCreated(cart_id=id, occurred_at=now))
        return cart

    def _record(self, event: DomainEvent) -> None:
        self.changed_at = event.occurred_at
        Aggregate._record(self, event)  # noqa: SLF001 - super() does not know slots

    def add(self, offer: Offer, quantity: int, *, line_id: CartLineId, now: datetime) -> None:
        """Add units to the cart, to the line of the same variant if there is one.

        Raises:
            CartStateError: the cart has become an order.
            NotForSaleError: the product is not published.
            CurrencyMismatchError: the price is in another currency than the cart.
            InvalidValueError: the line would have more than `MAX_QUANTITY` units, or the cart
                more than `MAX_LINES` lines.
        """
        self._require_open()
        if not offer.published:
            raise NotForSaleError(offer.sku)
        if offer.unit_price.currency != self.currency:
            raise CurrencyMismatchError(offer.unit_price.currency, self.currency)
        require_between("quantity", quantity, 1, MAX_QUANTITY)
        same = next(
            (line for line in self.lines if line.offer.variant_id == offer.variant_id), None
        )
        if same is None:
            self._require_room(len(self.lines) + 1)
            line = CartLine(id=line_id, offer=offer, quantity=quantity)
            self.lines = (*self.lines, line)
            self._record_line(line, now)
        else:
            self.change(same.id, same.quantity + quantity, now=now)

    def change(self, line_id: CartLineId, quantity: int, *, now: datetime) -> None:
        """Set the quantity of a line.

        Raises:
            CartStateError: the cart has become an order.
            NotFoundError: no line has this id.
            InvalidValueError: the quantity is not between 1 and 999.
        """
        self._require_open()
        changed = replace(self._line(line_id), quantity=quantity)
        self.lines = tuple(changed if line.id == line_id else line for line in self.lines)
        self._record_line(changed, now)

    def remove(self, line_id: CartLineId, *, now: datetime) -> None:
        """Remove a line.

        Raises:
            CartStateError: the cart has become an order.
            NotFoundError: no line has this id.
        """
        self._require_open()
        removed = self._line(line_id)
        self.lines = tuple(line for line in self.lines if line.id != line_id)
        self._record(CartLineRemoved(cart_id=self.id, line_id=removed.id, occurred_at=now))

    def complete(self, *, now: datetime) -> None:
        """Complete the cart, because it becomes an order.

        Raises:
            CartStateError: the cart has become an order already.
            EmptyCartError: the cart has no lines.
            NotForSaleError: a product in the cart is no longer published.
        """
        self._require_buyable()
        self.status = CartStatus.COMPLETED
        self._record(CartCompleted(cart_id=self.id, occurred_at=now))

    def claim(self, customer_id: CustomerId, *, now: datetime) -> None:
        """Assign a guest's cart to the customer who signed in.

        Raises:
            CartStateError: the cart has become an order.
            NotFoundError: the cart already belongs to a customer.
        """
        self._require_open()
        if self.customer_id is not None:
            raise NotFoundError("cart")
        self.customer_id = customer_id
        self._record(CartClaimed(cart_id=self.id, occurred_at=now))

    def takes(self, guest: Cart) -> bool:
        """Return whether the lines of both carts fit into one; see `merge`."""
        added = {line.offer.variant_id: line.quantity for line in guest.lines}
        own = {line.offer.variant_id: line.quantity for line in self.lines}
        fits = all(
            quantity + own.get(variant_id, 0) <= MAX_QUANTITY
            for variant_id, quantity in added.items()
        )
        return fits and len(own | added) <= MAX_LINES and self.currency == guest.currency

    def merge(self, guest: Cart, *, new_line_id: Callable[[], CartLineId], now: datetime) -> None:
        """Move the lines of a guest's cart to this one. Quantities of the same variant add up.

        Raises:
            CartStateError: one of the carts has become an order.
            InvalidValueError: the lines do not fit into one cart; see `takes`.
        """
        self._require_open()
        guest._require_open()
        if not self.takes(guest):
            rule = f"must be at most {MAX_LINES}, in one currency, of at most {MAX_QUANTITY} units"
            raise InvalidValueError("lines", rule)
        added = {line.offer.variant_id: line for line in guest.lines}
        lines = tuple(
            replace(line, quantity=line.quantity + added.pop(line.offer.variant_id).quantity)
            if line.offer.variant_id in added
            else line
            for line in self.lines
        )
        self.lines = (*lines, *(replace(line, id=new_line_id()) for line in added.values()))
        guest.lines = ()
        self._record(CartsMerged(cart_id=self.id, occurred_at=now))
        guest._record(CartsMerged(cart_id=guest.id, occurred_at=now))

    def hold(self, *, now: datetime) -> None:
        """Record a hold on all units in the cart. The caller holds the stock.

        Raises:
            CartStateError: the cart has become an order.
            EmptyCartError: the cart has no lines.
            NotForSaleError: a product in the cart is no longer published.
        """
        self._require_buyable()
        self._record(CartHeld(cart_id=self.id, occurred_at=now))

    def _require_buyable(self) -> None:
        self._require_open()
        if not self.lines:
            raise EmptyCartError
        for line in self.lines:
            if not line.offer.published:
                raise NotForSaleError(line.offer.sku)
            if line.offer.unit_price.currency != self.currency:
                raise CurrencyMismatchError(line.offer.unit_price.currency, self.currency)

    def opens_to(self, *, token_digest: str, customer_id: CustomerId | None) -> bool:
        """Return whether this shopper may see and change the cart; see `customers.opens_to`."""
        return opens_to(
            self.customer_id,
            self.token_digest,
            token_digest=token_digest,
            customer_id=customer_id,
        )

    @property
    def subtotal(self) -> Money:
        """The sum of all lines at current prices."""
        return total([line.subtotal for line in self.lines], self.currency)

    def _line(self, line_id: CartLineId) -> CartLine:
        for line in self.lines:
            if line.id == line_id:
                return line
        raise NotFoundError("cart line")

    def _record_line(self, line: CartLine, now: datetime) -> None:
        self._record(
            CartLineSet(cart_id=self.id, line_id=line.id, quantity=line.quantity, occurred_at=now)
        )

    def _require_open(self) -> None:
        if self.status is not CartStatus.OPEN:
            raise CartStateError

    @staticmethod
    def _require_room(count: int) -> None:
        if count > MAX_LINES:
            raise InvalidValueError("lines", f"must be at most {MAX_LINES} per cart")
