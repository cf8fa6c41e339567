"""Use cases for carts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.holds import Holding, ReleaseExpiredHolds
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import Shopper, digest
from quickshop.domain.cart import Cart, CartId, CartLineId
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import NotSignedInError, OutOfStockError
from quickshop.domain.identity import Permission
from quickshop.domain.inventory import HoldOwner
from quickshop.ports.cart import ActiveCart, CartReader, CartView
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class NewCart:
    """A new cart, and its token, which is shown only once."""

    cart: CartView
    token: str
    """The secret of a guest's cart. It does not open a customer's cart."""


@dataclass(frozen=True, slots=True)
class CreateCart:
    """Create an empty cart for a guest or a customer."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    currency: str
    invalidate: CartInvalidation

    def __call__(self, *, customer_id: CustomerId | None = None) -> NewCart:
        """Create the cart. A guest's cart opens only with the token; a customer needs none."""
        token, now = self.identifiers.secret(), self.clock.now()
        cart = Cart.create(
            id=CartId(self.identifiers.new()),
            token_digest=digest(token),
            currency=self.currency,
            now=now,
            customer_id=customer_id,
        )
        with self.unit_of_work() as tx:
            tx.carts.add(cart)
        self.invalidate(cart)
        return NewCart(CartView.of(cart), token)


@dataclass(frozen=True, slots=True)
class GetCart:
    """Return a cart at current prices."""

    carts: CartReader

    def __call__(self, cart_id: CartId, opener: str | Shopper) -> CartView:
        """Return the cart. `opener` is the token of a guest's cart, or the shopper who owns it.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
        """
        shopper = Shopper.of(opener)
        return self.carts.get(
            cart_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
        )


@dataclass(frozen=True, slots=True)
class ListOwnCarts:
    """List a customer's open carts."""

    carts: CartReader

    def __call__(
        self, customer_id: CustomerId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CartView]:
        """Return a page of carts, last changed first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.carts.of_customer(customer_id, limit=limit, cursor=cursor)


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class ListActiveCarts:
    """List the active carts of all shoppers for staff."""

    carts: CartReader
    clock: Clock

    def __call__(
        self, within: timedelta, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ActiveCart]:
        """Return a page of open carts with lines, changed in this time; newest cart first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.carts.active(self.clock.now() - within, limit=limit, cursor=cursor)


def get_cart(tx: Transaction, cart_id: CartId, shopper: Shopper) -> Cart:
    """Return the shopper's cart.

    Raises:
        NotFoundError: no cart has this id, or it belongs to another shopper.
    """
    return tx.carts.get(
        cart_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
    )


@dataclass(frozen=True, slots=True)
class CartStock:
    """Updates the holds of a changed cart."""

    holding: Holding
    release: ReleaseExpiredHolds
    hold_carts: bool
    """Whether units in carts are held."""

    def follow(self, tx: Transaction, cart: Cart, now: datetime) -> None:
        """Update the holds of a cart that was just saved. Call it last in the transaction.

        Raises:
            OutOfStockError: too few units are available.
        """
        if self.hold_carts:
            self.holding.cover(tx, cart, HoldOwner.CART, now)
        else:
            self.holding.trim(tx, cart, now)


@dataclass(frozen=True, slots=True)
class AddCartLine:
    """Add units of a SKU to a cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    stock: CartStock
    invalidate: CartInvalidation

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, *, sku: str, quantity: int = 1
    ) -> CartView:
        """Add the units. If the cart has a line of this SKU, its quantity grows.

        Stock is checked at checkout, unless the shop holds the units in carts.

        Raises:
            NotFoundError: no cart has this id, it belongs to another shopper, or the SKU is
                unknown.
            NotForSaleError: the product is not published.
            CurrencyMismatchError: the price is in another currency than the cart.
            CartStateError: the cart has become an order.
            InvalidValueError: more than `MAX_QUANTITY` units or `MAX_LINES` lines.
            OutOfStockError: the shop holds units in carts, and too few are available.
        """
        shopper = Shopper.of(opener)
        return self.stock.release.retry_after_releasing(
            lambda: self._add(cart_id, shopper, sku, quantity)
        )

    @retried
    def _add(self, cart_id: CartId, shopper: Shopper, sku: str, quantity: int) -> CartView:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            cart = get_cart(tx, cart_id, shopper)
            line_id = CartLineId(self.identifiers.new())
            cart.add(tx.products.offer(sku), quantity, line_id=line_id, now=now)
            tx.carts.save(cart)
            if self.stock.hold_carts:
                self.stock.follow(tx, cart, now)
        self.invalidate(cart)
        return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class ChangeCartLine:
    """Set the quantity of a cart line."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: CartStock
    invalidate: CartInvalidation

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, line_id: CartLineId, *, quantity: int
    ) -> CartView:
        """Set the quantity. Safe to repeat.

        Raises:
            NotFoundError: the shopper has no such cart, or the cart no such line.
            CartStateError: the cart has become an order.
            InvalidValueError: the quantity is not from 1 to 999.
            OutOfStockError: the shop holds units in carts, and too few are available.
        """
        shopper = Shopper.of(opener)
        return self.stock.release.retry_after_releasing(
            lambda: self._change(cart_id, shopper, line_id, quantity)
        )

    @retried
    def _change(
        self, cart_id: CartId, shopper: Shopper, line_id: CartLineId, quantity: int
    ) -> CartView:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            cart = get_cart(tx, cart_id, shopper)
            cart.change(line_id, quantity, now=now)
            tx.carts.save(cart)
            self.stock.follow(tx, cart, now)
        self.invalidate(cart)
        return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class RemoveCartLine:
    """Remove a line from a cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: CartStock
    invalidate: CartInvalidation

    @retried
    def __call__(self, cart_id: CartId, opener: str | Shopper, line_id: CartLineId) -> CartView:
        """Remove the line, and release its holds.

        Raises:
            NotFoundError: the shopper has no such cart, or the cart no such line.
            CartStateError: the cart has become an order.
        """
        now = self.clock.now()
        shopper = Shopper.of(opener)
        with self.unit_of_work() as tx:
            cart = get_cart(tx, cart_id, shopper)
            cart.remove(line_id, now=now)
            tx.carts.save(cart)
            self.stock.holding.trim(tx, cart, now)
        self.invalidate(cart)
        return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class ClaimCart:
    """Assign a guest's cart to the customer who signed in."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    stock: CartStock
    invalidate: CartInvalidation

    def __call__(self, cart_id: CartId, token: str, customer_id: CustomerId) -> CartView:
        """Return the cart with all lines. Safe to repeat; no line is lost.

        The lines are merged into the customer's last changed cart, and quantities add up. The
        guest's cart becomes the customer's unchanged if the customer has no cart, if
        `MAX_QUANTITY`, `MAX_LINES` or the currency prevents the merge, or if the shop holds units
        in carts and too few are available. The holds of a merged cart are released, unless the
        shop holds units in carts.

        Raises:
            NotFoundError: no cart has this id, the token is wrong, or it belongs to another
                customer.
            CartStateError: the cart has become an order.
        """
        now, shopper = self.clock.now(), Shopper(token=token, customer_id=customer_id)
        try:
            changed = self._claim(cart_id, shopper, now)
        except OutOfStockError:
            changed = self._claim(cart_id, shopper, now, joins=False)
        for cart in changed:
            self.invalidate(cart)
        return CartView.of(changed[-1])

    @retried
    def _claim(
        self, cart_id: CartId, shopper: Shopper, now: datetime, *, joins: bool = True
    ) -> Sequence[Cart]:
        """Return every changed cart, the one with all lines last."""
        if shopper.customer_id is None:
            raise NotSignedInError
        with self.unit_of_work() as tx:
            guest = get_cart(tx, cart_id, shopper)
            if guest.customer_id is not None:
                return [guest]
            own = tx.carts.latest_of(shopper.customer_id) if joins else None
            if own is None or not own.takes(guest):
                guest.claim(shopper.customer_id, now=now)
                tx.carts.save(guest)
                return [guest]
            own.merge(guest, new_line_id=self._line_id, now=now)
            tx.carts.save(guest)
            tx.carts.save(own)
            self.stock.holding.trim(tx, guest, now)
            if self.stock.hold_carts:
                self.stock.follow(tx, own, now)
        return [guest, own]

    def _line_id(self) -> CartLineId:
        return CartLineId(self.identifiers.new())
