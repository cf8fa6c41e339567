"""Stock against a plain model: after any sequence of steps, the two agree on every unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from quickshop import Money, PaymentSource, Shop
from quickshop.application.catalog import NewVariant
from quickshop.application.checkout import PlacedOrder
from quickshop.domain.errors import InvalidValueError, OrderStateError, OutOfStockError
from quickshop.ports.inventory import StockView
from tests.builders import NOW, MovableClock, an_address
from tests.scripted import ScriptedGateway

SKUS = ("CAP", "MUG", "PEN")
PLACES = ("main", "attic")
PRICES = {"CAP": 2500, "MUG": 1250, "PEN": 0}
"""One costs nothing: an order of it alone is paid without a gateway."""

LINES = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 3)), min_size=1, max_size=3)
"""What goes into a cart, one after the other; a SKU may come twice."""
TOKENS = st.sampled_from(["tok_ok", "tok_declined", "tok_silent", "tok_3ds"])
"""What is paid with the last waits for the shopper, who never comes back."""


@dataclass(slots=True)
class Grounds:
    """A shop for the machine, with its clock and gateway."""

    shop: Shop
    clock: MovableClock
    gateway: ScriptedGateway
    close: Callable[[], None] = lambda: None


@dataclass(slots=True)
class ModelOrder:
    """What the model knows of an order."""

    placed: PlacedOrder
    wants: Counter[str]
    token: str
    status: str = "pending"
    was_asked_for: bool = False
    """Whether the gateway has heard of the present attempt."""
    expires_at: datetime = NOW
    """Unless the gateway is to say whether it is paid."""

    @property
    def promised(self) -> Counter[str]:
        return self.wants if self.status in {"pending", "paid"} else Counter()


@dataclass(slots=True)
class Model:
    """A shop without transactions, locks, ledgers or jobs."""

    on_hand: Counter[tuple[str, str]] = field(default_factory=Counter)
    limits: dict[tuple[str, str], int] = field(default_factory=dict)
    orders: list[ModelOrder] = field(default_factory=list)

    def promised(self, sku: str) -> int:
        return sum(order.promised[sku] for order in self.orders)

    def available(self, sku: str) -> int:
        at = [(sku, place) for place in PLACES]
        there = sum(self.on_hand[level] + self.limits.get(level, 0) for level in at)
        return there - self.promised(sku)

    def can_serve(self, wants: Counter[str]) -> bool:
        return all(self.available(sku) >= units for sku, units in wants.items())


def pick(orders: Sequence[ModelOrder], which: int) -> ModelOrder:
    """One of these, the same for the same number."""
    return orders[which % len(orders)]


class StockMachine(RuleBasedStateMachine):
    """Everybody who moves stock, in any order. Subclasses say where."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.grounds = self.open()
        self.shop = self.grounds.shop

    def open(self) -> Grounds:
        """An empty shop."""
        raise AssertionError("a subclass opens the shop")

    def teardown(self) -> None:
        with ExitStack() as stack:
            stack.callback(self.grounds.close)
            for _ in range(3):
                self._time_passes()
            self.everyone_agrees()
            self._money_agrees()

    @initialize()
    def opening(self) -> None:
        for sku in SKUS:
            variant = NewVariant(sku=sku, price=Money(PRICES[sku], self.shop.policy.currency))
            self.shop.products.create(title=sku, variants=[variant])
            self.stock_arrives(sku, "main", 3, None)
            self.stock_arrives(sku, "attic", 3, None)

    # -- Staff

    @rule(
        sku=st.sampled_from(SKUS),
        place=st.sampled_from(PLACES),
        units=st.integers(1, 6),
        limit=st.none() | st.integers(0, 3),
    )
    def stock_arrives(self, sku: str, place: str, units: int, limit: int | None) -> None:
        level = self._level(sku, place)
        owed = level.allocated + level.held - level.on_hand if level else 0
        try:
            self.shop.inventory.receive(sku, units, location=place, backorder_limit=limit)
        except InvalidValueError:
            assert limit is not None, "a delivery is turned away for nothing"
            assert owed > limit, "a delivery is turned away for nothing"
        else:
            assert limit is None or owed <= limit
            self.model.on_hand[sku, place] += units
            if limit is not None:
                self.model.limits[sku, place] = limit

    @rule(
        sku=st.sampled_from(SKUS),
        place=st.sampled_from(PLACES),
        by=st.integers(-6, 6).filter(bool),
    )
    def staff_correct_the_shelf(self, sku: str, place: str, by: int) -> None:
        level = self._level(sku, place)
        if level is None:
            return
        try:
            self.shop.inventory.adjust(sku, by, reason="counted", location=place)
        except OutOfStockError:
            assert level.available + by < 0, "a correction is refused for nothing"
        else:
            assert level.available + by >= 0, "promised units were taken away"
            self.model.on_hand[sku, place] += by

    @rule(sku=st.sampled_from(SKUS), place=st.sampled_from(PLACES), units=st.integers(1, 6))
    def staff_move_units(self, sku: str, place: str, units: int) -> None:
        level = self._level(sku, place)
        if level is None:
            return
        there = level.on_hand - level.allocated - level.held
        (other,) = set(PLACES) - {place}
        try:
            self.shop.inventory.transfer(sku, units, from_location=place, to_location=other)
        except OutOfStockError:
            assert there < units, "units are kept back for nothing"
        else:
            assert there >= units, "promised units were moved"
            self.model.on_hand[sku, place] -= units
            self.model.on_hand[sku, other] += units

    # -- Shoppers

    @rule(lines=LINES, token=TOKENS, at_once=st.booleans())
    def shopper_checks_out(
        self, lines: Sequence[tuple[str, int]], token: str, *, at_once: bool
    ) -> None:
        wants: Counter[str] = Counter()
        cart = self.shop.carts.create()
        for sku, units in lines:
            wants[sku] += units
            self.shop.carts.add_line(cart.cart.id, cart.token, sku=sku, quantity=units)
        expected = self.model.can_serve(wants)
        try:
            placed = self.shop.orders.place(
                cart.cart.id,
                cart.token,
                email="ada@example.com",
                shipping_address=an_address(),
                payment=PaymentSource(token),
            )
        except OutOfStockError as error:
            self._refused_rightly(error, wants)
            assert not expected
            return
        assert expected, "more was sold than there is"
        self.model.orders.append(ModelOrder(placed, wants, token, expires_at=self._an_hour_on()))
        if at_once:
            self.workers_work()

    @precondition(lambda self: self.model.orders)
    @rule(which=st.integers(0), token=TOKENS)
    def shopper_pays_another_way(self, which: int, token: str) -> None:
        declined = [order for order in self.model.orders if order.status == "payment_failed"]
        order = pick(declined or self.model.orders, which)
        failed, enough = order.status == "payment_failed", self.model.can_serve(order.wants)
        try:
            self.shop.orders.pay_again(
                order.placed.order.id, order.placed.token, payment=PaymentSource(token)
            )
        except OrderStateError:
            assert not failed
        except OutOfStockError as error:
            self._refused_rightly(error, order.wants)
            assert failed
            assert not enough
        else:
            assert failed
            assert enough
            order.status, order.token, order.was_asked_for = "pending", token, False
            order.expires_at = self._an_hour_on()

    @precondition(lambda self: self.model.orders)
    @rule(which=st.integers(0), by_staff=st.booleans())
    def order_is_canceled(self, which: int, *, by_staff: bool) -> None:
        order = pick(self.model.orders, which)
        before, order_id = order.status, order.placed.order.id
        try:
            if by_staff:
                self.shop.orders.cancel(order_id)
            else:
                self.shop.orders.cancel_own(order_id, order.placed.token)
        except OrderStateError:
            assert before in {"canceled", "expired"}
        else:
            assert before not in {"canceled", "expired"}
            order.status = "canceled"

    # -- Behind the scenes

    @rule()
    def workers_work(self) -> None:
        self.shop.run_jobs()
        for order in self.model.orders:
            if order.status == "pending" and not order.was_asked_for:
                order.was_asked_for = (
                    sum(units * PRICES[sku] for sku, units in order.wants.items()) > 0
                )
                self._answered(order)

    @rule(minutes=st.sampled_from([2, 61]))
    def time_passes(self, minutes: int) -> None:
        self._time_passes(minutes)

    def _time_passes(self, minutes: int = 2) -> None:
        self.workers_work()
        now = self.grounds.clock.advance(minutes=minutes)
        self.shop.jobs.periodic()
        self.shop.run_jobs()
        for order in self.model.orders:
            waits = order.status == "pending" and order.token == "tok_3ds"
            if order.status == "pending" and not waits:
                order.status = "paid"
            elif (waits or order.status == "payment_failed") and order.expires_at <= now:
                order.status = "expired"

    def _an_hour_on(self) -> datetime:
        return self.grounds.clock.now() + self.shop.policy.order_lifetime

    def _answered(self, order: ModelOrder) -> None:
        is_free = not order.was_asked_for
        if is_free or order.token == "tok_ok":
            order.status = "paid"
        elif order.token == "tok_declined":
            order.status = "payment_failed"
            order.expires_at = self._an_hour_on()

    # -- What always holds

    @invariant()
    def everyone_agrees(self) -> None:
        for sku in SKUS:
            levels = self.shop.inventory.list(sku=sku).items
            assert {x.location: x.on_hand for x in levels if x.on_hand} == {
                place: units
                for (of, place), units in self.model.on_hand.items()
                if of == sku and units
            }
            assert sum(x.allocated for x in levels) == self.model.promised(sku)
            assert sum(x.available for x in levels) == self.model.available(sku)
            assert all(x.available >= 0 for x in levels), "a level promises more than it may"
        assert [finding.detail for finding in self.shop.check() if not finding.ok] == []

    @invariant()
    def orders_stand_where_the_model_says(self) -> None:
        for order in self.model.orders:
            assert self.shop.orders.get(order.placed.order.id).status == order.status

    def _money_agrees(self) -> None:
        """Once all is settled, the gateway holds what paid orders cost, and nothing else."""
        gateway, kept = self.grounds.gateway, Counter[str]()
        for key, money in gateway.captured.items():
            kept[key.partition(":")[0]] += money.minor
        for key, money in gateway.refunded.items():
            kept[key.partition(":")[0]] -= money.minor
        assert +kept == +Counter(
            {
                str(order.placed.order.id): order.placed.order.total.minor
                for order in self.model.orders
                if order.status == "paid"
            }
        )
        assert min(kept.values(), default=0) >= 0

    def _level(self, sku: str, place: str) -> StockView | None:
        levels = self.shop.inventory.list(sku=sku).items
        return next((level for level in levels if level.location == place), None)

    def _refused_rightly(self, error: OutOfStockError, wants: Counter[str]) -> None:
        available = self.model.available(error.sku)
        assert (error.requested, error.available) == (wants[error.sku], available)
        assert error.requested > error.available
