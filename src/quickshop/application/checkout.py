"""Use cases for checkout: turn a cart into an order, and pay for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from quickshop.application.cart import get_cart
from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.holds import ReleaseExpiredHolds, without_holds
from quickshop.application.idempotency import Keep, Once
from quickshop.application.repeated_transactions import retried
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
    """A shop's payment policy."""

    capture: CaptureMethod
    order_lifetime: timedelta
    """How long an order waits for its payment before it expires."""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """A new order, and the token that opens a guest's order."""

    order: OrderView
    token: str | None
    """None for a customer's order."""
    replayed: bool = False
    """Whether this is the stored answer of an earlier call with the same key."""


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Turn a cart into an order, and allocate its stock. It is paid in the background."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    terms: PaymentTerms
    sourcing: SourcingStrategy
    release: ReleaseExpiredHolds
    invalidate: CartInvalidation

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
        """Place the order in one transaction. A cart becomes at most one order.

        The cart's holds are used for the order, even expired ones that were not released yet.

        A repeated call with the same `idempotency_key` returns the first call's answer. If the
        total differs from `expected_total`, no order is placed.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
            CartStateError: the cart has become an order.
            EmptyCartError: the cart has no lines.
            NotForSaleError: a product in the cart is no longer published.
            PriceChangedError: the total is not `expected_total`.
            CurrencyMismatchError: `expected_total` is in another currency than the cart.
            OutOfStockError: too few units are available.
            InvalidValueError: the email address is invalid.
            NotSignedInError: the customer's account is disabled or erased.
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
            # Last, so that stock levels stay locked as briefly as possible.
            tx.stock.allocate(allocations, now=now, spending=holds)
            completed.append(cart)

        answer = once.run(self.unit_of_work, OrderView, now, place)
        for cart in completed:
            self.invalidate(cart)
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
        # A customer's order opens to the customer alone, so its secret is never shown.
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
    # A cached session is accepted for seconds after it ends, and an order names its customer.
    if shopper.customer_id is not None:
        account = tx.accounts.get(AccountId(shopper.customer_id))
        if not account.is_active:
            raise NotSignedInError


def _token_of(order: OrderView, shopper: Shopper) -> str | None:
    return order_token(shopper.token, order.id) if order.customer_id is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """The arguments of a checkout, from which a repeated request is recognized."""

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
    """Choose the stock for an order, without allocating it yet.

    Units held by `spending` count as free.

    Raises:
        OutOfStockError: too few units are available.
    """
    demands = [Demand(line.id, line.variant_id, line.sku, line.quantity) for line in order.lines]
    levels = without_holds(tx.stock.levels({line.variant_id for line in order.lines}), spending)
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
    """Pay an order another way after a decline. Its stock is allocated again."""

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
        """Make the order `pending` again. The new attempt is made in the background.

        Raises:
            NotFoundError: no order has this id, or it belongs to another shopper.
            OrderStateError: the order's payment has not failed.
            OutOfStockError: too few units are still available.
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
