"""From a cart to an order: the one story that spans the contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from quickshop.application.cart import get_cart
from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.holds import ReleaseExpiredHolds, given_back
from quickshop.application.idempotency import Keep, Once
from quickshop.application.retries import retried
from quickshop.application.shopper import Shopper, digest, order_token
from quickshop.domain.cart import Cart, CartId
from quickshop.domain.customers import Address, normalize_email
from quickshop.domain.errors import (
    CurrencyMismatchError,
    NotFoundError,
    NotSignedInError,
    PriceChangedError,
)
from quickshop.domain.identity import AccountId
from quickshop.domain.inventory import (
    Allocation,
    AllocationId,
    Demand,
    Hold,
    HoldEnd,
    SourcingStrategy,
    plan_allocation,
)
from quickshop.domain.money import Money
from quickshop.domain.orders import Order, OrderId, OrderLine, OrderLineId
from quickshop.domain.payments import CaptureMethod, Payment, PaymentId, PaymentSource
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.orders import OrderView
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """How a shop takes its money."""

    capture: CaptureMethod
    order_lifetime: timedelta
    """How long an order waits for its money before it expires."""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order just placed, and the secret that opens it to a guest."""

    order: OrderView
    token: str | None
    """None for an order of a customer, who needs none."""
    replayed: bool = False
    """Whether this is the stored answer to an earlier request with the same key."""


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Turn a cart into an order, and take its stock. Payment follows in the background."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    terms: PaymentTerms
    sourcing: SourcingStrategy
    release: ReleaseExpiredHolds
    invalidate_cart: CartInvalidation

    def __call__(
        self,
        cart_id: CartId,
        opener: str | Shopper,
        *,
        email: str,
        shipping_address: Address,
        payment: PaymentSource,
        billing_address: Address | None = None,
        expected_total: Money | None = None,
        idempotency_key: str | None = None,
    ) -> PlacedOrder:
        """All or nothing, in one transaction; a cart becomes at most one order.

        What the cart holds is spent by it, expired or not, unless somebody else needed it.

        With an `idempotency_key` a repeated call gives the first one's answer. With an
        `expected_total` nothing is ordered at another price.

        Raises:
            NotFoundError: no such cart, or it is another's.
            CartStateError: the cart has become an order.
            EmptyCartError: there is nothing in it.
            NotForSaleError: something in it is no longer sold.
            PriceChangedError: the total is not `expected_total`.
            CurrencyMismatchError: `expected_total` is in another currency than the cart.
            OutOfStockError: there is less than it asks for.
            InvalidValueError: the email address is not valid.
            NotSignedInError: the customer's account was disabled or erased.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        shopper = Shopper.of(opener)
        request = _Request(
            cart_id=cart_id,
            opened_by=shopper.scope,
            email=normalize_email(email),
            shipping_address=shipping_address,
            billing_address=billing_address or shipping_address,
            payment=payment,
            expected_total=expected_total,
        )
        once = Once(f"place_order:{shopper.scope}", idempotency_key, request.fingerprint)
        return self.release.retry_after_releasing(lambda: self._prepare(request, shopper, once))

    @retried
    def _prepare(self, request: _Request, shopper: Shopper, once: Once) -> PlacedOrder:
        now = self.clock.now()
        completed: list[Cart] = []

        def place(tx: Transaction, keep: Keep[OrderView]) -> None:
            _require_active(tx, shopper)
            cart = get_cart(tx, request.cart_id, shopper)
            cart.complete(now=now)
            _require_expected(cart.subtotal, request.expected_total)
            order = self._order(tx, cart, request, shopper, now)
            tx.carts.save(cart)
            holds = tx.holds.of_cart(cart.id)
            allocations = plan(tx, order, self.identifiers, self.sourcing, holds)
            tx.orders.add(order)
            tx.payments.add(self._attempt(order, request.payment, now))
            keep(OrderView.of(order))
            tx.holds.end(holds, HoldEnd.ALLOCATED, now=now)
            # Last, so that a level stays locked for as short as can be.
            tx.stock.allocate(allocations, now=now, spending=holds)
            completed.append(cart)

        answer = once.run(self.unit_of_work, OrderView, now, place)
        for cart in completed:
            self.invalidate_cart(cart)
        token = _token_of(answer.value, shopper)
        return PlacedOrder(answer.value, token, replayed=answer.replayed)

    def _attempt(self, order: Order, source: PaymentSource, now: datetime) -> Payment:
        return Payment.attempt_for(
            id=PaymentId(self.identifiers.new()),
            order_id=order.id,
            attempt=1,
            amount=order.total,
            source=source,
            capture_method=self.terms.capture,
            now=now,
        )

    def _order(
        self, tx: Transaction, cart: Cart, request: _Request, shopper: Shopper, now: datetime
    ) -> Order:
        new = self.identifiers.new
        order_id = OrderId(new())
        guest = shopper.customer_id is None
        # Of a customer's order nobody ever learns the secret: it opens to the customer alone.
        secret = order_token(shopper.token, order_id) if guest else self.identifiers.secret()
        return Order.place(
            id=order_id,
            number=tx.orders.next_number(),
            cart_id=cart.id,
            token_digest=digest(secret),
            email=request.email,
            lines=tuple(OrderLine.of(line, id=OrderLineId(new())) for line in cart.lines),
            shipping_address=request.shipping_address,
            billing_address=request.billing_address,
            now=now,
            expires_at=now + self.terms.order_lifetime,
            customer_id=shopper.customer_id,
        )


def _require_active(tx: Transaction, shopper: Shopper) -> None:
    # A session may be believed for a moment after it ended, and an order tells who placed it.
    if shopper.customer_id is not None:
        account = tx.accounts.get(AccountId(shopper.customer_id))
        if not account.is_active:
            raise NotSignedInError


def _token_of(order: OrderView, shopper: Shopper) -> str | None:
    return order_token(shopper.token, order.id) if order.customer_id is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What was asked for, in the form that a repeated request is recognized by."""

    cart_id: CartId
    opened_by: str
    email: str
    shipping_address: Address
    billing_address: Address
    payment: PaymentSource
    expected_total: Money | None

    @property
    def fingerprint(self) -> str:
        return digest("\n".join(repr(getattr(self, field.name)) for field in fields(self)))


def _require_expected(actual: Money, expected: Money | None) -> None:
    if expected is None:
        return
    if expected.currency != actual.currency:
        raise CurrencyMismatchError(expected.currency, actual.currency)
    if expected != actual:
        raise PriceChangedError(expected_minor=expected.minor, actual_minor=actual.minor)


def plan(
    tx: Transaction,
    order: Order,
    identifiers: Identifiers,
    sourcing: SourcingStrategy,
    spending: Sequence[Hold] = (),
) -> Sequence[Allocation]:
    """Choose the stock that will serve an order, without taking it yet.

    What is held by `spending` counts as free.

    Raises:
        OutOfStockError: there is less than the order needs.
    """
    demands = [Demand(line.id, line.variant_id, line.sku, line.quantity) for line in order.lines]
    levels = given_back(tx.stock.levels({line.variant_id for line in order.lines}), spending)
    picks = plan_allocation(demands, levels, destination=order.shipping_address, sourcing=sourcing)
    return [
        Allocation(
            id=AllocationId(identifiers.new()),
            order_id=order.id,
            order_line_id=pick.demand.order_line_id,
            variant_id=pick.level.variant_id,
            sku=pick.level.sku,
            location_id=pick.level.location_id,
            quantity=pick.quantity,
        )
        for pick in picks
    ]


@dataclass(frozen=True, slots=True)
class PayOrderAgain:
    """Pay an order another way after its payment was declined. Its stock is taken anew."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    terms: PaymentTerms
    sourcing: SourcingStrategy
    release: ReleaseExpiredHolds

    def __call__(
        self,
        order_id: OrderId,
        opener: str | Shopper,
        *,
        payment: PaymentSource,
        idempotency_key: str | None = None,
    ) -> PlacedOrder:
        """The order is `pending` afterwards, and the new attempt is made in the background.

        Raises:
            NotFoundError: no such order, or it is another's.
            OrderStateError: its payment did not fail.
            OutOfStockError: what it needs was sold meanwhile.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        shopper = Shopper.of(opener)
        once = Once(
            f"pay_order:{shopper.scope}",
            idempotency_key,
            digest(f"{order_id}:{payment.method}:{payment.token}"),
        )
        return self.release.retry_after_releasing(
            lambda: self._prepare(order_id, shopper, payment, once)
        )

    @retried
    def _prepare(
        self, order_id: OrderId, shopper: Shopper, payment: PaymentSource, once: Once
    ) -> PlacedOrder:
        now = self.clock.now()

        def retry(tx: Transaction, keep: Keep[OrderView]) -> None:
            order = tx.orders.get_own(
                order_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
            )
            attempts = tx.payments.of_order(order_id)
            if not attempts:
                raise NotFoundError("payment")
            attempt = attempts[-1].attempt + 1
            order.retry_payment(attempt, now=now, expires_at=now + self.terms.order_lifetime)
            allocations = plan(tx, order, self.identifiers, self.sourcing)
            tx.orders.save(order)
            tx.payments.add(
                Payment.attempt_for(
                    id=PaymentId(self.identifiers.new()),
                    order_id=order.id,
                    attempt=attempt,
                    amount=order.total,
                    source=payment,
                    capture_method=self.terms.capture,
                    now=now,
                )
            )
            keep(OrderView.of(order))
            tx.stock.allocate(allocations, now=now)

        answer = once.run(self.unit_of_work, OrderView, now, retry)
        token = _same_token(answer.value, shopper)
        return PlacedOrder(answer.value, token, replayed=answer.replayed)


def _same_token(order: OrderView, shopper: Shopper) -> str | None:
    return shopper.token if order.customer_id is None else None
