"""Use cases about carts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.holds import Holding, ReleaseExpiredHolds
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
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
    """A cart just created, and the secret that opens a guest's: it is shown this once."""

    cart: CartView
    token: str
    """Opens nothing when the cart is a customer's."""


@dataclass(frozen=True, slots=True)
class CreateCart:
    """Give a shopper an empty cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    currency: str
    invalidate_cart: CartInvalidation

    def __call__(self, *, customer_id: CustomerId | None = None) -> NewCart:
        """Keep the token: without it nobody can open a guest's cart. A customer needs none."""
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
        self.invalidate_cart(cart)
        return NewCart(CartView.of(cart), token)


@dataclass(frozen=True, slots=True)
class GetCart:
    """Show a cart at today's prices."""

    carts: CartReader

    def __call__(self, cart_id: CartId, opener: str | Shopper) -> CartView:
        """Read only. `opener` is the secret of a guest's cart, or the shopper whose it is.

        Raises:
            NotFoundError: there is none with this id, or it is another's.
        """
        shopper = Shopper.of(opener)
        return self.carts.get(
            cart_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
        )


@dataclass(frozen=True, slots=True)
class ListOwnCarts:
    """Show a customer the carts that they have not checked out yet."""

    carts: CartReader

    def __call__(
        self, customer_id: CustomerId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CartView]:
        """The one changed last first.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid.
        """
        return self.carts.of_customer(customer_id, limit=limit, cursor=cursor)


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class ListActiveCarts:
    """Show staff which carts somebody may come back to."""

    carts: CartReader
    clock: Clock

    def __call__(
        self, within: timedelta, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ActiveCart]:
        """Open carts with something in them, changed no longer ago; newest cart first.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid.
        """
        return self.carts.active(self.clock.now() - within, limit=limit, cursor=cursor)


def get_cart(tx: Transaction, cart_id: CartId, shopper: Shopper) -> Cart:
    """The cart, if it is this shopper's.

    Raises:
        NotFoundError: there is none with this id, or it is another's.
    """
    return tx.carts.get(
        cart_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
    )


@dataclass(frozen=True, slots=True)
class CartStock:
    """What changing a cart does to the stock."""

    holding: Holding
    release: ReleaseExpiredHolds
    hold_carts: bool
    """Whether what is put in a cart is set aside."""

    def follow(self, tx: Transaction, cart: Cart, now: datetime) -> None:
        """Bring the holds of a cart that was saved just now in line with it. Call it last.

        Raises:
            OutOfStockError: there is less than it is to hold.
        """
        if self.hold_carts:
            self.holding.cover(tx, cart, HoldOwner.CART, now)
        else:
            self.holding.trim(tx, cart, now)


@dataclass(frozen=True, slots=True)
class AddCartLine:
    """Put units of a SKU in a cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    stock: CartStock
    invalidate_cart: CartInvalidation

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, *, sku: str, quantity: int = 1
    ) -> CartView:
        """A SKU that is in the cart already gets more units.

        Stock is looked at on checkout, unless the shop holds what is in carts.

        Raises:
            NotFoundError: no such cart, or no such SKU.
            NotForSaleError: its product is not published.
            CurrencyMismatchError: it is priced in another currency than the cart.
            CartStateError: the cart has become an order.
            InvalidValueError: more than 999 units, or more than 100 lines.
            OutOfStockError: the shop holds what is in carts, and has less.
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
        self.invalidate_cart(cart)
        return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class ChangeCartLine:
    """Set the quantity of a line."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: CartStock
    invalidate_cart: CartInvalidation

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, line_id: CartLineId, *, quantity: int
    ) -> CartView:
        """Safe to repeat.

        Raises:
            NotFoundError: no such cart or line.
            CartStateError: the cart has become an order.
            InvalidValueError: not within 1 to 999.
            OutOfStockError: the shop holds what is in carts, and has less.
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
        self.invalidate_cart(cart)
        return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class RemoveCartLine:
    """Take a line out of a cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: CartStock
    invalidate_cart: CartInvalidation

    @retried
    def __call__(self, cart_id: CartId, opener: str | Shopper, line_id: CartLineId) -> CartView:
        """The line is gone afterwards, whatever quantity it had.

        Raises:
            NotFoundError: no such cart or line.
            CartStateError: the cart has become an order.
        """
        now = self.clock.now()
        shopper = Shopper.of(opener)
        with self.unit_of_work() as tx:
            cart = get_cart(tx, cart_id, shopper)
            cart.remove(line_id, now=now)
            tx.carts.save(cart)
            self.stock.holding.trim(tx, cart, now)
        self.invalidate_cart(cart)
        return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class ClaimCart:
    """Bring a guest's cart into the account of the customer whom the guest turned out to be."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    stock: CartStock
    invalidate_cart: CartInvalidation

    def __call__(self, cart_id: CartId, token: str, customer_id: CustomerId) -> CartView:
        """The cart that holds it all now: safe to repeat, and no line is lost.

        The lines join those of the cart that the customer changed last; quantities add up. Where
        that does not fit (999 units, 100 lines, another currency), there is none, or what is in
        carts is held and there is less, the guest's cart becomes the customer's as it is. What a
        cart held that joined another is given back, unless the shop holds what is in carts.

        Raises:
            NotFoundError: there is no such cart of a guest or of this customer.
            CartStateError: it has become an order.
        """
        now, shopper = self.clock.now(), Shopper(token=token, customer_id=customer_id)
        try:
            changed = self._claim(cart_id, shopper, now)
        except OutOfStockError:
            changed = self._claim(cart_id, shopper, now, joins=False)
        for cart in changed:
            self.invalidate_cart(cart)
        return CartView.of(changed[-1])

    @retried
    def _claim(
        self, cart_id: CartId, shopper: Shopper, now: datetime, *, joins: bool = True
    ) -> Sequence[Cart]:
        """Every cart that took part; the one that holds it all now is the last."""
        if shopper.customer_id is None:
            raise NotSignedInError
        with self.unit_of_work() as tx:
            guest = get_cart(tx, cart_id, shopper)
            if guest.customer_id is not None:
                return [guest]
            mine = tx.carts.latest_of(shopper.customer_id) if joins else None
            if mine is None or not mine.takes(guest):
                guest.claim(shopper.customer_id, now=now)
                tx.carts.save(guest)
                return [guest]
            mine.merge(guest, new_line_id=self._line_id, now=now)
            tx.carts.save(guest)
            tx.carts.save(mine)
            self.stock.holding.trim(tx, guest, now)
            if self.stock.hold_carts:
                self.stock.follow(tx, mine, now)
        return [guest, mine]

    def _line_id(self) -> CartLineId:
        return CartLineId(self.identifiers.new())
