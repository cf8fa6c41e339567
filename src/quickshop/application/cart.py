"""Use cases about carts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quickshop.application.access import digest
from quickshop.application.holds import Holding, ReleaseExpiredHolds
from quickshop.application.retries import retried
from quickshop.domain.cart import Cart, CartId, CartLineId
from quickshop.domain.inventory import HoldOwner
from quickshop.ports.cart import CartReader, CartView
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class NewCart:
    """A cart just created, and the secret that opens it: it is shown this once."""

    cart: CartView
    token: str


@dataclass(frozen=True, slots=True)
class CreateCart:
    """Give a shopper an empty cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    currency: str

    def __call__(self) -> NewCart:
        """Keep the token: without it nobody can open the cart."""
        token = self.identifiers.secret()
        cart = Cart.create(
            id=CartId(self.identifiers.new()),
            token_digest=digest(token),
            currency=self.currency,
            now=self.clock.now(),
        )
        with self.unit_of_work() as tx:
            tx.carts.add(cart)
            return NewCart(CartView.of(cart), token)


@dataclass(frozen=True, slots=True)
class GetCart:
    """Show a cart at today's prices."""

    carts: CartReader

    def __call__(self, cart_id: CartId, token: str) -> CartView:
        """Read only.

        Raises:
            NotFoundError: there is none with this id, or the token is another's.
        """
        return self.carts.get(cart_id, token_digest=digest(token))


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

    def __call__(self, cart_id: CartId, token: str, *, sku: str, quantity: int = 1) -> CartView:
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
        return self.stock.release.before_refusing(lambda: self._add(cart_id, token, sku, quantity))

    @retried
    def _add(self, cart_id: CartId, token: str, sku: str, quantity: int) -> CartView:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            cart = tx.carts.get(cart_id, token_digest=digest(token))
            line_id = CartLineId(self.identifiers.new())
            cart.add(tx.products.offer(sku), quantity, line_id=line_id, now=now)
            tx.carts.save(cart)
            if self.stock.hold_carts:
                self.stock.follow(tx, cart, now)
            return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class ChangeCartLine:
    """Set the quantity of a line."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: CartStock

    def __call__(
        self, cart_id: CartId, token: str, line_id: CartLineId, *, quantity: int
    ) -> CartView:
        """Safe to repeat.

        Raises:
            NotFoundError: no such cart or line.
            CartStateError: the cart has become an order.
            InvalidValueError: not within 1 to 999.
            OutOfStockError: the shop holds what is in carts, and has less.
        """
        return self.stock.release.before_refusing(
            lambda: self._change(cart_id, token, line_id, quantity)
        )

    @retried
    def _change(self, cart_id: CartId, token: str, line_id: CartLineId, quantity: int) -> CartView:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            cart = tx.carts.get(cart_id, token_digest=digest(token))
            cart.change(line_id, quantity, now=now)
            tx.carts.save(cart)
            self.stock.follow(tx, cart, now)
            return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class RemoveCartLine:
    """Take a line out of a cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    stock: CartStock

    @retried
    def __call__(self, cart_id: CartId, token: str, line_id: CartLineId) -> CartView:
        """The line is gone afterwards, whatever quantity it had.

        Raises:
            NotFoundError: no such cart or line.
            CartStateError: the cart has become an order.
        """
        now = self.clock.now()
        with self.unit_of_work() as tx:
            cart = tx.carts.get(cart_id, token_digest=digest(token))
            cart.remove(line_id, now=now)
            tx.carts.save(cart)
            self.stock.holding.trim(tx, cart, now)
            return CartView.of(cart)
