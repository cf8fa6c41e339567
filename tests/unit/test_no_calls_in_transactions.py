"""Whatever is reached over a network is called between two transactions, never inside one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from quickshop import Money
from quickshop.domain.customers import CustomerId
from quickshop.domain.payments import CaptureMethod, PaymentSource
from tests.builders import eur
from tests.memory_caches import MemoryCartCache, MemoryProductCache
from tests.scripted import World
from tests.twins import memory_shop


class Broker:
    """Takes every job."""

    def waiting(self) -> int:
        return 0

    def publish(self, job_ids: object) -> None:
        assert job_ids


@dataclass(slots=True)
class Watch:
    """Which calls of ports were made, and which of them while a transaction was open."""

    transaction_is_open: Callable[[], bool]
    made: set[str] = field(default_factory=set)
    within: list[str] = field(default_factory=list)


class Watched:
    """What stands behind a port, with somebody who watches every call of it."""

    def __init__(self, watch: Watch, behind: object) -> None:
        self._watch = watch
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._behind, name)
        if not callable(member):
            return member

        def call(*given: Any, **named: Any) -> Any:
            self._watch.made.add(name)
            if self._watch.transaction_is_open():
                self._watch.within.append(name)
            return member(*given, **named)

        return call


class WatchedWorld:
    """A shop of which every call to the outside is watched."""

    def __init__(self, **settings: Any) -> None:
        self.world = World(settings)
        self.watch = Watch(lambda: self.world.unit_of_work.is_open)

        def watched(behind: object) -> Any:
            return Watched(self.watch, behind)

        self.world.shop = memory_shop(
            gateway=watched(self.world.gateway),
            notifier=watched(self.world.notifier),
            product_cache=watched(MemoryProductCache()),
            cart_cache=watched(MemoryCartCache()),
            job_publisher=watched(Broker()),
            clock=self.world.clock,
            unit_of_work=self.world.unit_of_work,
            settings=settings,
        )


@pytest.fixture
def watched() -> WatchedWorld:
    return WatchedWorld(staff_email="staff@example.com")


def browse_and_change_a_price(world: World) -> None:
    product = world.sell()
    for price in (100, 200):
        world.shop.products.page(product.handle, lambda view: view.title.encode())
        world.clock.advance(seconds=3)
        world.shop.products.change_price(product.variants[0].sku, Money(price, "EUR"))
    world.shop.products.page(product.handle, lambda view: view.title.encode())


def fill_a_cart(world: World) -> None:
    product = world.sell()
    new = world.shop.carts.create()
    view = world.shop.carts.add_line(new.cart.id, new.token, sku=product.variants[0].sku)
    world.shop.carts.page(new.cart.id, new.token, lambda view: str(view.total).encode())
    line = view.lines[0].id
    world.shop.carts.change_line(new.cart.id, new.token, line, quantity=2)
    world.shop.carts.hold(new.cart.id, new.token)
    world.shop.carts.remove_line(new.cart.id, new.token, line)
    world.shop.carts.claim(new.cart.id, new.token, CustomerId(uuid4()))


def sell_in_every_way(world: World) -> None:
    product, orders = world.sell(units=50), {}
    for token in ("tok_ok", "tok_declined", "tok_silent", "tok_lost", "tok_3ds"):
        orders[token] = world.order(product, quantity=2, token=token)
    world.shop.jobs.relay()
    world.run(minutes=2)  # the broker lost them all
    world.shop.orders.pay_again(
        orders["tok_declined"].order.id,
        orders["tok_declined"].token,
        payment=PaymentSource("tok_ok"),
    )
    world.shop.orders.fulfill(orders["tok_ok"].order.id, lines={product.variants[0].sku: 1})
    world.shop.orders.refund(orders["tok_ok"].order.id, amount=eur(60))
    for _ in range(3):
        world.run(minutes=10)
    world.shop.orders.cancel(orders["tok_silent"].order.id)
    for _ in range(3):
        world.run(hours=1)


def take_and_let_go(world: World) -> None:
    taken, let_go = world.order(), world.order()
    world.run()
    world.shop.orders.capture(taken.order.id)
    world.shop.orders.void(let_go.order.id)
    world.run()


def test_no_port_is_called_in_a_transaction(watched: WatchedWorld) -> None:
    browse_and_change_a_price(watched.world)
    fill_a_cart(watched.world)
    sell_in_every_way(watched.world)
    manual = WatchedWorld(capture=CaptureMethod.MANUAL)
    take_and_let_go(manual.world)
    assert watched.watch.within == manual.watch.within == []
    assert watched.watch.made | manual.watch.made == {
        *("charge", "capture", "void", "refund", "find"),  # the gateway
        "send",  # the mail server
        *("publish", "waiting"),  # the broker
        *("current", "page", "put", "forget"),  # the cache
        *("find", "put", "forget"),  # the copies of carts
    }
    assert not watched.world.problems()
    assert not manual.world.problems()


def test_a_call_in_a_transaction_would_be_seen(watched: WatchedWorld) -> None:
    with watched.world.unit_of_work():
        watched.world.shop.jobs.relay.publisher.publish(["a job"])  # type: ignore[list-item]
    assert watched.watch.within == ["publish"]
