"""Use cases for holds: hold units for carts, and release them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import Shopper, digest
from quickshop.domain.cart import Cart, CartId
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import (
    ConflictError,
    NotFoundError,
    OutOfStockError,
    QuickShopError,
    TransientError,
)
from quickshop.domain.inventory import (
    Demand,
    Hold,
    HoldEnd,
    HoldId,
    HoldOwner,
    LocationId,
    SourcingStrategy,
    StockLevel,
    plan_allocation,
)
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

R = TypeVar("R")

logger: Final = logging.getLogger("quickshop.stock")

MAX_EXPIRED: Final = 10_000
"""How many expired holds are read, at most, to find the SKUs to release one by one."""
MAX_ROUNDS: Final = 100
"""How often one use case is retried, at most. Each retry is for one SKU of a cart."""


@dataclass(frozen=True, slots=True)
class ReleaseExpiredHolds:
    """Release the holds that have expired."""

    unit_of_work: UnitOfWork
    clock: Clock
    batch: int = 100

    def __call__(self) -> int:
        """The sweeper: release every expired hold, and return how many were released.

        A SKU whose stock is inconsistent is logged and skipped.
        """
        released = 0
        try:
            while count := self._release(None):
                released += count
        except (TransientError, ConflictError):
            raise
        except QuickShopError:
            released += sum(self._release_if_it_can(sku) for sku in self._expired_skus())
        return released

    def _expired_skus(self) -> Sequence[str]:
        with self.unit_of_work() as tx:
            holds = tx.holds.expired(self.clock.now(), limit=MAX_EXPIRED)
        return sorted({hold.sku for hold in holds})

    def _release_if_it_can(self, sku: str) -> int:
        try:
            return self._release(sku)
        except (TransientError, ConflictError):
            raise
        except QuickShopError:
            logger.exception("holds of %s cannot be released", sku)
            return 0

    def retry_after_releasing(self, work: Callable[[], R]) -> R:
        """Run `work`. If units are missing, release the SKU's expired holds and run it again.

        Raises:
            OutOfStockError: too few units are available even then.
        """
        free_again: set[str] = set()
        for _ in range(MAX_ROUNDS):
            try:
                return work()
            except OutOfStockError as error:
                if self._any_expired(error.sku):
                    # Waits for a concurrent release of the same holds, and then finds none.
                    self._release(error.sku)
                elif error.sku not in free_again and self._is_available_now(error):
                    # A concurrent transaction released the units: try again instead of refusing.
                    free_again.add(error.sku)
                else:
                    raise
        return work()

    def _any_expired(self, sku: str) -> bool:
        with self.unit_of_work() as tx:
            return tx.holds.any_expired(self.clock.now(), sku=sku)

    def _is_available_now(self, error: OutOfStockError) -> bool:
        with self.unit_of_work() as tx:
            try:
                offer = tx.products.offer(error.sku)
            except NotFoundError:  # The variant was removed from its product.
                return False
            levels = tx.stock.levels([offer.variant_id])
            return error.requested <= sum(max(0, level.available) for level in levels)

    @retried
    def _release(self, sku: str | None) -> int:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            holds = tx.holds.expired(now, sku=sku, limit=self.batch)
            tx.holds.end(holds, HoldEnd.RELEASED, now=now)
            tx.stock.record([hold.released(now) for hold in holds])
        return len(holds)


@dataclass(frozen=True, slots=True)
class Holding:
    """Holds units for carts."""

    identifiers: Identifiers
    sourcing: SourcingStrategy
    lasts: timedelta
    """How long a hold lasts before it expires."""

    def cover(
        self, tx: Transaction, cart: Cart, owner: HoldOwner, now: datetime
    ) -> Sequence[Hold]:
        """Hold all units in a cart that was just saved. Call it last in the transaction.

        Return all holds of the cart. They all start now and expire at the same time.

        Raises:
            OutOfStockError: too few units are available.
            ContentionError: enough units are available, but elsewhere than planned; plan again.
        """
        wanted = {line.offer.variant_id: line.quantity for line in cart.lines}
        return self._hold(tx, cart, wanted, owner, now)

    def trim(self, tx: Transaction, cart: Cart, now: datetime) -> None:
        """Release the holds beyond the lines of a cart that was just saved. Call it last."""
        live = tx.holds.of_cart(cart.id)
        held = _by_variant(live)
        wanted = {
            line.offer.variant_id: min(line.quantity, held[line.offer.variant_id])
            for line in cart.lines
            if held[line.offer.variant_id]
        }
        if live and dict(held) != wanted:
            self._hold(tx, cart, wanted, live[0].owner, now)

    def _hold(
        self,
        tx: Transaction,
        cart: Cart,
        wanted: Mapping[VariantId, int],
        owner: HoldOwner,
        now: datetime,
    ) -> Sequence[Hold]:
        live = tx.holds.of_cart(cart.id)
        held = _by_variant(live)
        kept = [hold for hold in live if held[hold.variant_id] == wanted.get(hold.variant_id)]
        stale = [hold for hold in live if hold not in kept]
        demands = [
            Demand(line.id, line.offer.variant_id, line.offer.sku, units)
            for line in cart.lines
            if (units := wanted.get(line.offer.variant_id, 0)) != held[line.offer.variant_id]
        ]
        levels = without_holds(tx.stock.levels({demand.variant_id for demand in demands}), stale)
        expires_at = now + self.lasts
        new = [
            Hold(
                id=HoldId(self.identifiers.new()),
                owner=owner,
                cart_id=cart.id,
                variant_id=pick.level.variant_id,
                sku=pick.level.sku,
                location_id=pick.level.location_id,
                quantity=pick.quantity,
                expires_at=expires_at,
            )
            for pick in plan_allocation(demands, levels, sourcing=self.sourcing)
        ]
        tx.holds.end(stale, HoldEnd.RELEASED, now=now)
        tx.holds.renew(kept, owner=owner, expires_at=expires_at)
        tx.holds.add(new)
        tx.stock.hold(new, now=now, releasing=stale)
        return [replace(hold, owner=owner, expires_at=expires_at) for hold in kept] + new


def without_holds(levels: Sequence[StockLevel], holds: Sequence[Hold]) -> Sequence[StockLevel]:
    """Return the levels as they would be without these holds."""
    back = Counter[tuple[VariantId, LocationId]]()
    for hold in holds:
        back[hold.variant_id, hold.location_id] += hold.quantity
    return [
        replace(level, held=max(0, level.held - back[level.variant_id, level.location_id]))
        for level in levels
    ]


def _by_variant(holds: Sequence[Hold]) -> Counter[VariantId]:
    held = Counter[VariantId]()
    for hold in holds:
        held[hold.variant_id] += hold.quantity
    return held


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """Held units of a SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCart:
    """The held units of a cart. They stay held at least until `expires_at`."""

    cart_id: CartId
    lines: tuple[HeldLine, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HoldCart:
    """Hold all units in a cart during checkout."""

    unit_of_work: UnitOfWork
    clock: Clock
    holding: Holding
    release: ReleaseExpiredHolds
    invalidate: CartInvalidation

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, *, idempotency_key: str | None = None
    ) -> Answer[HeldCart]:
        """Hold all units or none. A second hold restarts the time.

        A repeated call with the same `idempotency_key` returns the first call's answer.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
            CartStateError: the cart has become an order.
            EmptyCartError: the cart has no lines.
            NotForSaleError: a product in the cart is no longer published.
            OutOfStockError: too few units are available.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        shopper = Shopper.of(opener)
        once = Once(f"hold_cart:{shopper.scope}", idempotency_key, digest(str(cart_id)))
        return self.release.retry_after_releasing(lambda: self._hold(cart_id, shopper, once))

    @retried
    def _hold(self, cart_id: CartId, shopper: Shopper, once: Once) -> Answer[HeldCart]:
        now = self.clock.now()
        changed: list[Cart] = []

        def hold(tx: Transaction, keep: Keep[HeldCart]) -> None:
            cart = tx.carts.get(
                cart_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
            )
            cart.hold(now=now)
            tx.carts.save(cart)
            keep(_held(cart, now + self.holding.lasts))
            self.holding.cover(tx, cart, HoldOwner.CHECKOUT, now)
            changed.append(cart)

        answer = once.run(self.unit_of_work, HeldCart, now, hold)
        for cart in changed:
            self.invalidate(cart)
        return answer


def _held(cart: Cart, expires_at: datetime) -> HeldCart:
    lines = (HeldLine(sku=line.offer.sku, quantity=line.quantity) for line in cart.lines)
    return HeldCart(cart_id=cart.id, lines=tuple(lines), expires_at=expires_at)


@dataclass(frozen=True, slots=True)
class ReleaseCart:
    """Release the holds of a cart. Its lines do not change."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, cart_id: CartId, opener: str | Shopper) -> None:
        """Release the holds. Safe to repeat.

        Raises:
            NotFoundError: no cart has this id, or it belongs to another shopper.
        """
        now = self.clock.now()
        shopper = Shopper.of(opener)
        with self.unit_of_work() as tx:
            tx.carts.get(
                cart_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
            )
            holds = tx.holds.of_cart(cart_id)
            tx.holds.end(holds, HoldEnd.RELEASED, now=now)
            tx.stock.record([hold.released(now) for hold in holds])
