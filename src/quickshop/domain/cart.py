"""Carts: what a shopper means to buy."""

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
    """Whether the cart still changes."""

    OPEN = "open"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CartEvent(DomainEvent):
    """Something about one cart."""

    cart_id: CartId


@dataclass(frozen=True, slots=True, kw_only=True)
class CartCreated(CartEvent):
    """A shopper took a cart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLineSet(CartEvent):
    """A line was added or its quantity changed."""

    line_id: CartLineId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLineRemoved(CartEvent):
    """A line was taken out."""

    line_id: CartLineId


@dataclass(frozen=True, slots=True, kw_only=True)
class CartHeld(CartEvent):
    """All that is in the cart was set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartClaimed(CartEvent):
    """The guest who had it signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartsMerged(CartEvent):
    """What was in one cart is in another now; told of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartCompleted(CartEvent):
    """The cart became an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """One variant in a cart, priced as the catalog prices it at the moment of reading."""

    id: CartLineId
    offer: Offer
    quantity: int

    def __post_init__(self) -> None:
        """Validate the quantity.

        Raises:
            InvalidValueError: not within 1 to `MAX_QUANTITY`.
        """
        require_between("quantity", self.quantity, 1, MAX_QUANTITY)

    @property
    def subtotal(self) -> Money:
        """Unit price times quantity."""
        return self.offer.unit_price * self.quantity


@dataclass(slots=True, eq=False, kw_only=True)
class Cart(Aggregate):
    """What one shopper means to buy.

    A guest's cart opens to whoever holds its token. A customer's opens to them alone, and its
    token opens nothing any more: others may use the same browser.
    """

    id: CartId
    token_digest: str
    """SHA-256 of the secret that opens a guest's cart; the secret itself is not kept."""
    currency: str
    created_at: datetime
    lines: tuple[CartLine, ...] = ()
    status: CartStatus = CartStatus.OPEN
    customer_id: CustomerId | None = None
    """Whose it is; None for a guest's."""
    changed_at: datetime | None = None
    """When its shopper last did something with it."""

    def __post_init__(self) -> None:
        """Re-check every rule, also for a stored cart.

        Raises:
            InvalidValueError: too many lines, or a line twice.
        """
        self._require_room(len(self.lines))
        if len({line.offer.variant_id for line in self.lines}) < len(self.lines):
            raise InvalidValueError("lines", "must each hold another variant")

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
        """Take a new, empty cart."""
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
        """Put units in the cart; a variant that is there already gets more of them.

        Raises:
            CartStateError: the cart has become an order.
            NotForSaleError: the product is not published.
            CurrencyMismatchError: priced in another currency than the cart.
            InvalidValueError: more than 999 units, or more than 100 lines.
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
        """Set the units of a line.

        Raises:
            CartStateError: the cart has become an order.
            NotFoundError: no such line.
            InvalidValueError: not within 1 to 999.
        """
        self._require_open()
        changed = replace(self._line(line_id), quantity=quantity)
        self.lines = tuple(changed if line.id == line_id else line for line in self.lines)
        self._record_line(changed, now)

    def remove(self, line_id: CartLineId, *, now: datetime) -> None:
        """Take a line out.

        Raises:
            CartStateError: the cart has become an order.
            NotFoundError: no such line.
        """
        self._require_open()
        gone = self._line(line_id)
        self.lines = tuple(line for line in self.lines if line.id != line_id)
        self._record(CartLineRemoved(cart_id=self.id, line_id=gone.id, occurred_at=now))

    def complete(self, *, now: datetime) -> None:
        """Freeze the cart, because it becomes an order.

        Raises:
            CartStateError: it has already.
            EmptyCartError: there is nothing in it.
            NotForSaleError: something in it is no longer sold.
        """
        self._require_buyable()
        self.status = CartStatus.COMPLETED
        self._record(CartCompleted(cart_id=self.id, occurred_at=now))

    def claim(self, customer_id: CustomerId, *, now: datetime) -> None:
        """Let a guest's cart belong to the customer whom the guest turned out to be.

        Raises:
            CartStateError: the cart has become an order.
            NotFoundError: it is somebody's already.
        """
        self._require_open()
        if self.customer_id is not None:
            raise NotFoundError("cart")
        self.customer_id = customer_id
        self._record(CartClaimed(cart_id=self.id, occurred_at=now))

    def takes(self, guest: Cart) -> bool:
        """Whether `merge` loses nothing of this cart's and the guest's lines."""
        theirs = {line.offer.variant_id: line.quantity for line in guest.lines}
        mine = {line.offer.variant_id: line.quantity for line in self.lines}
        fits = all(
            quantity + mine.get(variant_id, 0) <= MAX_QUANTITY
            for variant_id, quantity in theirs.items()
        )
        return fits and len(mine | theirs) <= MAX_LINES and self.currency == guest.currency

    def merge(self, guest: Cart, *, new_line_id: Callable[[], CartLineId], now: datetime) -> None:
        """Take every line of a guest's cart, which is empty afterwards. Quantities add up.

        Raises:
            CartStateError: one of them has become an order.
            InvalidValueError: they do not fit into one cart.
        """
        self._require_open()
        guest._require_open()
        if not self.takes(guest):
            raise InvalidValueError("lines", "must fit into one cart: see `takes`")
        theirs = {line.offer.variant_id: line for line in guest.lines}
        added = (
            replace(line, quantity=line.quantity + theirs.pop(line.offer.variant_id).quantity)
            if line.offer.variant_id in theirs
            else line
            for line in self.lines
        )
        kept = tuple(added)
        self.lines = (*kept, *(replace(line, id=new_line_id()) for line in theirs.values()))
        guest.lines = ()
        self._record(CartsMerged(cart_id=self.id, occurred_at=now))
        guest._record(CartsMerged(cart_id=guest.id, occurred_at=now))

    def hold(self, *, now: datetime) -> None:
        """Set aside all that is in the cart. The caller does so to the stock.

        Raises:
            CartStateError: the cart has become an order.
            EmptyCartError: there is nothing in it.
            NotForSaleError: something in it is no longer sold.
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
        """Whether this shopper may see and change it: see `customers.opens_to`."""
        return opens_to(
            self.customer_id,
            self.token_digest,
            token_digest=token_digest,
            customer_id=customer_id,
        )

    @property
    def subtotal(self) -> Money:
        """All lines at today's prices."""
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
