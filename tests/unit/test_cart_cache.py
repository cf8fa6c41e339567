"""Carts shown from a copy: never an older one than was answered, and never to anybody else."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from quickshop.adapters.memory.caches import NoCartCache
from quickshop.application.cart import NewCart
from quickshop.application.shopper import Shopper
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import NotFoundError
from quickshop.domain.payments import PaymentSource
from quickshop.ports.cache import CartCache
from quickshop.ports.cart import CartView
from tests.builders import an_address
from tests.memory_caches import MemoryCartCache
from tests.scripted import World
from tests.twins import memory_shop
from tests.unit.test_memory_limits import Seconds


class CartWorld:
    """A shop with copies of carts, and a cart with one line in it."""

    def __init__(self, cache: CartCache) -> None:
        self.world = World({})
        self.world.shop = memory_shop(
            gateway=self.world.gateway,
            notifier=self.world.notifier,
            cart_cache=cache,
            clock=self.world.clock,
            unit_of_work=self.world.unit_of_work,
        )
        self.shop = self.world.shop
        self.product = self.world.sell()
        self.sku = self.product.variants[0].sku
        self.cart = self.world.fill_cart(self.product)
        self.rendered = 0

    def show(self, opener: str | Shopper | None = None, cart: NewCart | None = None) -> str:
        cart = cart or self.cart
        return self.shop.carts.page(cart.cart.id, opener or cart.token, self.render).decode()

    def render(self, view: CartView) -> bytes:
        self.rendered += 1
        return f"{view.status} {[line.quantity for line in view.lines]} {view.version}".encode()

    def truth(self, opener: str | Shopper | None = None) -> str:
        view = self.shop.carts.get(self.cart.cart.id, opener or self.cart.token)
        return self.render(view).decode()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def cache(seconds: Seconds) -> MemoryCartCache:
    return MemoryCartCache(monotonic=seconds)


@pytest.fixture
def scene(cache: MemoryCartCache) -> CartWorld:
    return CartWorld(cache)


def test_a_cart_that_nobody_changes_is_rendered_once_in_two_seconds(
    scene: CartWorld, seconds: Seconds
) -> None:
    assert {scene.show() for _ in range(5)} == {"open [1] 2"}
    assert scene.rendered == 1
    seconds.advance(2)
    assert scene.show() == "open [1] 2"
    assert scene.rendered == 2


def add(scene: CartWorld) -> None:
    scene.shop.carts.add_line(scene.cart.cart.id, scene.cart.token, sku=scene.sku)


def the_line(scene: CartWorld):
    return scene.shop.carts.get(scene.cart.cart.id, scene.cart.token).lines[0].id


def change(scene: CartWorld) -> None:
    cart = scene.cart
    scene.shop.carts.change_line(cart.cart.id, cart.token, the_line(scene), quantity=7)


def remove(scene: CartWorld) -> None:
    scene.shop.carts.remove_line(scene.cart.cart.id, scene.cart.token, the_line(scene))


def hold(scene: CartWorld) -> None:
    scene.shop.carts.hold(scene.cart.cart.id, scene.cart.token)


def check_out(scene: CartWorld) -> None:
    scene.shop.orders.place(
        scene.cart.cart.id,
        scene.cart.token,
        email="shopper@example.com",
        shipping_address=an_address(),
        payment=PaymentSource("tok_ok"),
        idempotency_key="a key",
    )


@pytest.mark.parametrize("write", [add, change, remove, hold, check_out])
def test_whoever_changed_a_cart_sees_it_changed(
    scene: CartWorld, write: Callable[[CartWorld], None]
) -> None:
    before = scene.show()
    write(scene)
    assert scene.show() == scene.truth() != before


def test_a_cart_that_was_claimed_is_no_longer_shown_for_its_token(scene: CartWorld) -> None:
    scene.show()
    customer = Shopper(customer_id=CustomerId(uuid4()))
    assert customer.customer_id is not None
    scene.shop.carts.claim(scene.cart.cart.id, scene.cart.token, customer.customer_id)
    with pytest.raises(NotFoundError):
        scene.show()
    assert scene.show(customer) == scene.truth(customer)


def test_both_carts_are_shown_as_they_are_after_one_joined_the_other(scene: CartWorld) -> None:
    customer = Shopper(customer_id=CustomerId(uuid4()))
    assert customer.customer_id is not None
    mine = scene.shop.carts.create(customer_id=customer.customer_id)
    scene.shop.carts.add_line(mine.cart.id, customer, sku=scene.sku, quantity=3)
    assert scene.show() == "open [1] 2"
    assert scene.show(customer, mine) == "open [3] 2"
    scene.shop.carts.claim(scene.cart.cart.id, scene.cart.token, customer.customer_id)
    assert scene.show(customer, mine) == "open [4] 3"
    assert scene.show() == scene.truth()


@pytest.mark.parametrize(
    "stranger",
    [
        "another secret",
        Shopper(),
        Shopper(customer_id=CustomerId(uuid4())),
        Shopper(token="another secret", customer_id=CustomerId(uuid4())),
    ],
)
@pytest.mark.parametrize("of_customer", [False, True])
def test_a_copy_opens_to_nobody_whom_the_cart_does_not_open_to(
    scene: CartWorld, stranger: str | Shopper, *, of_customer: bool
) -> None:
    owner = Shopper(customer_id=CustomerId(uuid4())) if of_customer else None
    if owner:
        scene.cart = scene.shop.carts.create(customer_id=owner.customer_id)
    shown = scene.show(owner)
    with pytest.raises(NotFoundError):
        scene.show(stranger)
    assert scene.show(owner) == shown


def test_a_change_that_did_not_happen_forgets_no_copy(scene: CartWorld) -> None:
    scene.show()
    with pytest.raises(NotFoundError):
        scene.shop.carts.add_line(scene.cart.cart.id, scene.cart.token, sku="no such thing")
    scene.show()
    assert scene.rendered == 1


def test_without_copies_every_cart_is_rendered_from_the_database() -> None:
    scene = CartWorld(NoCartCache())
    assert {scene.show() for _ in range(3)} == {"open [1] 2"}
    assert scene.rendered == 3
