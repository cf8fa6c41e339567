"""What happens in a stepped shop: scenes, the stories told in them, and where two of them meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from quickshop import Money, PaymentSource, Shop
from quickshop.application.cart import NewCart
from quickshop.application.catalog import NewVariant
from quickshop.application.checkout import PlacedOrder
from quickshop.domain.orders import HOLDS_STOCK, OrderId, OrderStatus
from quickshop.ports.cart import CartView
from quickshop.ports.notifications import OrderMessage
from quickshop.ports.orders import OrderView
from quickshop.ports.payments import PaymentView
from tests.builders import an_address
from tests.integration.stepping import Story, TwoShops
from tests.landing import seed, share, whole

Outcomes = Collection[tuple[str, str]]
PRICE = 1250
PARTS = 4
"""Landings in which each point comes up once."""
ALL = slice(None)
HALVES = (slice(0, None, 2), slice(1, None, 2))
_UNDECIDED = {"pending", "processing", "unknown", "capturing", "voiding"}
_MONEYLESS = {"pending", "payment_failed", "canceled", "expired", "refunded"}
_CALLED_OFF = {"payment_failed", "canceled", "expired"}
_NEWS = {
    OrderStatus.PAID: "order_confirmation",
    OrderStatus.PAYMENT_FAILED: "payment_failed",
    OrderStatus.CANCELED: "order_canceled",
}


@dataclass(slots=True)
class Scene:
    """Fresh products, carts and orders, for one meeting of two stories."""

    shops: TwoShops
    received: dict[str, int] = field(default_factory=dict)
    carts: list[NewCart] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shops.notifier.sent.clear()

    def sells(self, units: int, **elsewhere: int) -> str:
        """SKU of a new product of which so many units are there, and some at other places."""
        sku, shop = f"SKU-{next(self.shops.serial):05}", self.shops.stepped
        shop.products.create(
            title=sku,
            variants=[NewVariant(sku=sku, price=Money(PRICE, "USD"))],
            handle=sku.lower(),
        )
        for place, there in {"main": units, **elsewhere}.items():
            if there:
                shop.inventory.receive(sku, there, location=place)
        self.received[sku] = units + sum(elsewhere.values())
        return sku

    def cart(self, *skus: str, quantity: int = 1) -> NewCart:
        cart = self.shops.stepped.carts.create()
        for sku in skus:
            self.shops.stepped.carts.add_line(cart.cart.id, cart.token, sku=sku, quantity=quantity)
        self.carts.append(cart)
        return cart

    def order(self, sku: str, quantity: int = 1, pay_with: str = "tok_ok") -> PlacedOrder:
        """An order just placed."""
        return place(self.shops.stepped, self.cart(sku, quantity=quantity), pay_with=pay_with)

    def order_settled(self, sku: str, quantity: int = 1, pay_with: str = "tok_ok") -> PlacedOrder:
        """An order that all was done about that was due."""
        placed = self.order(sku, quantity, pay_with)
        self.shops.stepped.run_jobs()
        return placed

    def orders(self) -> list[OrderView]:
        """Every order of these products."""
        newest = self.shops.free.orders.list(limit=10).items
        return [order for order in newest if order.lines[0].sku in self.received]

    def later(self, story: Story, **by: float) -> Story:
        """The same, but time passes first."""

        def passed(shop: Shop) -> object:
            self.shops.clock.advance(**by)
            return story(shop)

        return passed

    def how_it_ended(self) -> object:
        """Everything that two orders of events may not differ in."""
        levels = [
            (level.location, level.on_hand, level.allocated, level.held)
            for sku in self.received
            for level in self.shops.free.inventory.list(sku=sku).items
        ]
        carts = self._carts_now()
        return (
            levels,
            [[line.quantity for line in cart.lines] for cart in carts],
            sorted((order.status.value, self.money(order.id)) for order in self.orders()),
        )

    def money(self, order_id: OrderId) -> int:
        """What the gateway's own book says that it kept of the shopper's money."""
        gateway = self.shops.gateway
        got = [m.minor for k, m in gateway.captured.items() if k.startswith(str(order_id))]
        back = [m.minor for k, m in gateway.refunded.items() if k.startswith(str(order_id))]
        assert len(got) <= 1, "the money was taken twice"
        assert sum(back) <= sum(got), "more went back than was taken"
        return sum(got) - sum(back)

    def check(self) -> None:
        """Every promise that holds whoever came first."""
        shop, orders = self.shops.free, self.orders()
        self.shops.require_no_new_problem()
        completed = sum(cart.status == "completed" for cart in self._carts_now())
        assert completed == len(orders), "a cart is one order at most"
        for sku, received in self.received.items():
            levels = shop.inventory.list(sku=sku).items
            live = [o for o in orders if o.status in HOLDS_STOCK]
            sold = sum(x.quantity for o in live for x in o.lines if x.sku == sku)
            shipped = _shipped(orders, sku)
            assert sold - _shipped(live, sku) == sum(level.allocated for level in levels)
            assert all(level.available >= 0 for level in levels)
            promised = sum(level.allocated + level.held for level in levels)
            assert promised + shipped <= received, "more was promised than there ever was"
        for order in orders:
            self._check_money(order)

    def _check_money(self, order: OrderView) -> None:
        payments = self.shops.free.orders.payments(order.id)
        assert _UNDECIDED.isdisjoint(payment.status for payment in payments)
        captured = sum(payment.captured.minor for payment in payments)
        refunded = sum(payment.refunded.minor for payment in payments)
        assert self.money(order.id) == captured - refunded, "the gateway's book says otherwise"
        if order.status in _MONEYLESS:
            assert captured == refunded, "money was kept for nothing"
        else:
            assert 0 < captured <= order.total.minor
        if order.status in _CALLED_OFF:
            self._check_nothing_is_set_aside(payments)

    def _check_nothing_is_set_aside(self, payments: Sequence[PaymentView]) -> None:
        gateway, keys = self.shops.gateway, {payment.gateway_key for payment in payments}
        asked = keys & (gateway.authorized.keys() | gateway.action_required.keys())
        assert asked <= gateway.voided | gateway.captured.keys()

    def _carts_now(self) -> list[CartView]:
        return [self.shops.free.carts.get(new.cart.id, new.token) for new in self.carts]

    def check_mails(self, *, at_most: int) -> None:
        """Everybody was told, and no more often than that."""
        sent = [mail for mail in self.shops.notifier.sent if isinstance(mail, OrderMessage)]
        times = Counter((mail.kind.value, mail.order.number) for mail in sent)
        several = {mail for mail in times if mail[0] == "order_refunded"}
        assert max(Counter(mail.key for mail in sent).values(), default=0) <= at_most, times
        assert all(n <= at_most for mail, n in times.items() if mail not in several), times
        for order in self.orders():
            if news := _NEWS.get(order.status):
                assert times[news, order.number] >= 1, times


def _shipped(orders: Sequence[OrderView], sku: str) -> int:
    parcels = [parcel for order in orders for parcel in order.fulfillments]
    return sum(x.quantity for parcel in parcels for x in parcel.lines if x.sku == sku)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where stories meet."""

    shops: TwoShops
    subtests: pytest.Subtests

    def both_ways(self, scene: Callable[[Scene], tuple[Story, Story]], outcomes: Outcomes) -> None:
        """Let the second story come in at every point of the first, then the reverse.

        A landing tries one of the two ways, at every other point.
        """
        forth = (scene, outcomes)
        back = (
            lambda made: tuple(reversed(scene(made))),
            [(one, other) for other, one in outcomes],
        )
        if whole():
            tries = [(forth, ALL), (back, ALL)]
        else:
            tries = share([(way, half) for way in (forth, back) for half in HALVES], PARTS)
        for (way, expected), points in tries:
            self._one_way(way, expected, points)  # type: ignore[arg-type]

    def one_way(
        self,
        scene: Callable[[Scene], tuple[Story, Story]],
        outcomes: Outcomes,
        *,
        also: Outcomes = (),
        mailing_twice: bool = False,
    ) -> None:
        """Let the second story come in at every point of the first: enough if they are alike.

        `outcomes` are those of one after the other. `also` come when they overlap, with a state
        in the end that one after the other has, too. A landing tries its share of the points.
        """
        part = ALL if whole() else slice(seed() % PARTS, None, PARTS)
        self._one_way(scene, outcomes, part, also=also, mailing_twice=mailing_twice)

    def _one_way(
        self,
        scene: Callable[[Scene], tuple[Story, Story]],
        outcomes: Outcomes,
        part: slice,
        *,
        also: Outcomes = (),
        mailing_twice: bool = False,
    ) -> None:
        meet = partial(self._meet, scene, mailing_twice=mailing_twice)
        story_first, points = meet(-1)
        rival_first, _ = meet(0)
        serial = [story_first, rival_first]
        assert {came for came, _ in serial} == set(outcomes), serial
        assert len(points) > 1, "there is no point within the story"
        seen = set()
        for at, point in list(enumerate(points))[1:][part]:
            with self.subtests.test(f"{at}: before {point}"):
                ended, _ = meet(at)
                seen.add(ended[0])
                if ended[0] in also:
                    assert ended[1] in [state for _, state in serial], (ended, serial)
                else:
                    assert ended in serial, f"{ended}, one after the other {serial}"
        if whole():
            assert seen.issuperset(also), f"nothing came of overlapping: {seen}"

    def _meet(
        self,
        scene: Callable[[Scene], tuple[Story, Story]],
        stop_at: int,
        *,
        mailing_twice: bool,
    ) -> tuple[tuple[tuple[str, str], object], list[str]]:
        made = Scene(self.shops)
        story, rival = scene(made)
        meeting = self.shops.meet(story, rival, stop_at=stop_at)
        self.shops.settle()
        made.check()
        made.check_mails(at_most=2 if mailing_twice else 1)
        return (meeting.outcomes, made.how_it_ended()), meeting.points


# -- Stories


def place(
    shop: Shop,
    cart: NewCart,
    *,
    pay_with: str = "tok_ok",
    key: str | None = None,
    expected: int | None = None,
) -> PlacedOrder:
    return shop.orders.place(
        cart.cart.id,
        cart.token,
        email="ada@example.com",
        shipping_address=an_address(),
        payment=PaymentSource(pay_with),
        expected_total=None if expected is None else Money(expected, "USD"),
        idempotency_key=key,
    )


def checks_out(cart: NewCart, *, key: str | None = None, expected: int | None = None) -> Story:
    def story(shop: Shop) -> str:
        return "replayed" if place(shop, cart, key=key, expected=expected).replayed else "placed"

    return story


def pays_again(placed: PlacedOrder, *, key: str | None = None) -> Story:
    def story(shop: Shop) -> str:
        again = shop.orders.pay_again(
            placed.order.id, placed.token, payment=PaymentSource("tok_ok"), idempotency_key=key
        )
        return "replayed" if again.replayed else "pending"

    return story


def guest_cancels(placed: PlacedOrder, *, key: str | None = None) -> Story:
    def story(shop: Shop) -> str:
        canceled = shop.orders.cancel_own(placed.order.id, placed.token, idempotency_key=key)
        return "replayed" if canceled.replayed else "canceled"

    return story


def staff_cancels(placed: PlacedOrder) -> Story:
    return lambda shop: shop.orders.cancel(placed.order.id).value.status.value


def adjusts(sku: str, by: int) -> Story:
    return lambda shop: shop.inventory.adjust(sku, by, reason="counted") and "adjusted"


def receives(sku: str, units: int) -> Story:
    return lambda shop: shop.inventory.receive(sku, units) and "received"


def adds_line(cart: NewCart, sku: str) -> Story:
    return lambda shop: shop.carts.add_line(cart.cart.id, cart.token, sku=sku) and "added"


def works(shop: Shop) -> str:
    """Do all that is due."""
    shop.run_jobs()
    return "worked"


def sweeps(shop: Shop) -> str:
    """Look for payments without an answer."""
    shop.jobs.ask_again_about_payments()
    return "swept"
