"""Use cases that set units aside for carts, and give them back."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.retries import retried
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
"""Expired holds that are looked at to tell which SKUs can be released."""
MAX_ROUNDS: Final = 100
"""SKUs that one story may find sold out only by expired holds: as many as a cart has lines."""


@dataclass(frozen=True, slots=True)
class ReleaseExpiredHolds:
    """Give back what was set aside for longer than promised."""

    unit_of_work: UnitOfWork
    clock: Clock
    batch: int = 100

    def __call__(self) -> int:
        """The sweeper: release every hold that is past its time; tell how many those were.

        A SKU whose stock is not as it should be is logged, and holds up no other.
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
            logger.exception("what is held of %s cannot be released", sku)
            return 0

    def retry_after_releasing(self, story: Callable[[], R]) -> R:
        """Run a story; units that only expired holds keep from it are released for it.

        Raises:
            OutOfStockError: there is not enough without them, either.
        """
        free_again: set[str] = set()
        for _ in range(MAX_ROUNDS):
            try:
                return story()
            except OutOfStockError as error:
                if self._any_expired(error.sku):
                    # Somebody else may be at it: then this waits for them, and finds none left.
                    self._release(error.sku)
                elif error.sku not in free_again and self._is_there_now(error):
                    # Somebody was faster with releasing, so nobody is to be refused for that.
                    free_again.add(error.sku)
                else:
                    raise
        return story()

    def _any_expired(self, sku: str) -> bool:
        with self.unit_of_work() as tx:
            return tx.holds.any_expired(self.clock.now(), sku=sku)

    def _is_there_now(self, error: OutOfStockError) -> bool:
        with self.unit_of_work() as tx:
            try:
                offer = tx.products.offer(error.sku)
            except NotFoundError:  # It left its product.
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
    """How a shop sets units aside."""

    identifiers: Identifiers
    sourcing: SourcingStrategy
    lasts: timedelta

    def cover(
        self, tx: Transaction, cart: Cart, owner: HoldOwner, now: datetime
    ) -> Sequence[Hold]:
        """Have a cart that was saved just now hold all that is in it. Call it last.

        Gives all its holds; they begin anew, so they all last as long.

        Raises:
            OutOfStockError: there is less than that.
            ContentionError: there is enough, but not where it was planned: plan again.
        """
        wanted = {line.offer.variant_id: line.quantity for line in cart.lines}
        return self._hold(tx, cart, wanted, owner, now)

    def trim(self, tx: Transaction, cart: Cart, now: datetime) -> None:
        """Give back what a cart that was saved just now holds beyond its lines. Call it last."""
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
        levels = given_back(tx.stock.levels({demand.variant_id for demand in demands}), stale)
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


def given_back(levels: Sequence[StockLevel], holds: Sequence[Hold]) -> Sequence[StockLevel]:
    """The levels as they would be without these holds."""
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
    """Units of a SKU that are set aside for a cart."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCart:
    """What is set aside for a cart, and until when at least."""

    cart_id: CartId
    lines: tuple[HeldLine, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HoldCart:
    """Set aside all that is in a cart, while its shopper checks out."""

    unit_of_work: UnitOfWork
    clock: Clock
    holding: Holding
    release: ReleaseExpiredHolds
    invalidate_cart: CartInvalidation

    def __call__(
        self, cart_id: CartId, opener: str | Shopper, *, idempotency_key: str | None = None
    ) -> Answer[HeldCart]:
        """All of it or nothing. Doing it again makes it last as long as if it began now.

        With an `idempotency_key` a repeated call gives the first one's answer.

        Raises:
            NotFoundError: no such cart, or the token is another's.
            CartStateError: the cart has become an order.
            EmptyCartError: there is nothing in it.
            NotForSaleError: something in it is no longer sold.
            OutOfStockError: there is less than it asks for.
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
            self.invalidate_cart(cart)
        return answer


def _held(cart: Cart, expires_at: datetime) -> HeldCart:
    lines = (HeldLine(sku=line.offer.sku, quantity=line.quantity) for line in cart.lines)
    return HeldCart(cart_id=cart.id, lines=tuple(lines), expires_at=expires_at)


@dataclass(frozen=True, slots=True)
class ReleaseCart:
    """Give back what is set aside for a cart; what is in it stays in it."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, cart_id: CartId, opener: str | Shopper) -> None:
        """Safe to repeat.

        Raises:
            NotFoundError: no such cart, or it is another's.
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
