"""Use cases about carts."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application.access import digest
from quickshop.application.retries import retried
from quickshop.domain.cart import Cart, CartId, CartLineId
from quickshop.ports.cart import CartReader, CartView
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import UnitOfWork


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
class AddCartLine:
    """Put units of a SKU in a cart."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(self, cart_id: CartId, token: str, *, sku: str, quantity: int = 1) -> CartView:
        """A SKU that is in the cart already gets more units. Stock is looked at on checkout.

        Raises:
            NotFoundError: no such cart, or no such SKU.
            NotForSaleError: its product is not published.
            CurrencyMismatchError: it is priced in another currency than the cart.
            CartStateError: the cart has become an order.
            InvalidValueError: more than 999 units, or more than 100 lines.
        """
        with self.unit_of_work() as tx:
            cart = tx.carts.get(cart_id, token_digest=digest(token))
            cart.add(
                tx.products.offer(sku),
                quantity,
                line_id=CartLineId(self.identifiers.new()),
                now=self.clock.now(),
            )
            tx.carts.save(cart)
            return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class ChangeCartLine:
    """Set the quantity of a line."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(
        self, cart_id: CartId, token: str, line_id: CartLineId, *, quantity: int
    ) -> CartView:
        """Safe to repeat.

        Raises:
            NotFoundError: no such cart or line.
            CartStateError: the cart has become an order.
            InvalidValueError: not within 1 to 999.
        """
        with self.unit_of_work() as tx:
            cart = tx.carts.get(cart_id, token_digest=digest(token))
            cart.change(line_id, quantity, now=self.clock.now())
            tx.carts.save(cart)
            return CartView.of(cart)


@dataclass(frozen=True, slots=True)
class RemoveCartLine:
    """Take a line out of a cart."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, cart_id: CartId, token: str, line_id: CartLineId) -> CartView:
        """The line is gone afterwards, whatever quantity it had.

        Raises:
            NotFoundError: no such cart or line.
            CartStateError: the cart has become an order.
        """
        with self.unit_of_work() as tx:
            cart = tx.carts.get(cart_id, token_digest=digest(token))
            cart.remove(line_id, now=self.clock.now())
            tx.carts.save(cart)
            return CartView.of(cart)
