"""Carts of customers: a guest's cart comes along at sign-in, and no line of it is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickshop.application.cart import NewCart
from quickshop.application.shopper import Shopper
from quickshop.domain.cart import (
    MAX_LINES,
    MAX_QUANTITY,
    Cart,
    CartId,
    CartLine,
    CartLineId,
)
from quickshop.domain.catalog import Product
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import CartStateError, NotFoundError
from quickshop.ports.cart import CartView
from tests.builders import LATER, a_cart, a_product, an_offer, new_id
from tests.http_client import Web, open_web, order_form
from tests.people import PASSWORD, Person, log_in, open_town, signed_in
from tests.scripted import World

PRODUCTS = [a_product() for _ in range(MAX_LINES + 10)]
ME = CustomerId(new_id())

contents = st.dictionaries(
    st.integers(0, len(PRODUCTS) - 1), st.integers(1, MAX_QUANTITY), max_size=8
)
few = st.dictionaries(st.integers(0, 9), st.integers(1, MAX_QUANTITY), max_size=8)
many = st.builds(
    lambda start, quantity: dict.fromkeys(range(start, start + MAX_LINES), quantity),
    st.integers(0, 10),
    st.integers(1, MAX_QUANTITY),
)
fillings = st.one_of(contents, few, many)


def filled(content: dict[int, int], *, of: CustomerId | None = None) -> Cart:
    cart = a_cart()
    cart.customer_id = of
    cart.lines = tuple(
        CartLine(id=CartLineId(new_id()), offer=an_offer(PRODUCTS[n]), quantity=quantity)
        for n, quantity in content.items()
    )
    return cart


def units(*carts: Cart) -> Counter[str]:
    found: Counter[str] = Counter()
    for cart in carts:
        for line in cart.lines:
            found[line.offer.sku] += line.quantity
    return found


@given(mine=fillings, guests=fillings)
@settings(max_examples=150)
def test_two_carts_that_fit_make_one_and_others_stay_two(
    mine: dict[int, int], guests: dict[int, int]
) -> None:
    cart, guest = filled(mine, of=ME), filled(guests)
    before = units(cart, guest)
    fits = len(mine | guests) <= MAX_LINES and max(before.values(), default=0) <= MAX_QUANTITY
    assert cart.takes(guest) is fits
    if fits:
        cart.merge(guest, new_line_id=lambda: CartLineId(new_id()), now=LATER)
        assert guest.lines == ()
        assert units(cart) == before
        assert len({line.id for line in cart.lines}) == len(cart.lines)
        cart.__post_init__()
    else:
        guest.claim(ME, now=LATER)
        assert guest.customer_id == cart.customer_id == ME
    assert units(cart, guest) == before


def test_carts_in_two_currencies_stay_two() -> None:
    assert not filled({}, of=ME).takes(a_cart(currency="USD"))


class Till:
    """A shop, a customer, and what is in each cart that opens to them."""

    def __init__(self, **policy: object) -> None:
        self.world = World(policy)
        self.me = signed_in(self.world)
        self.shopper = Shopper(customer_id=self.me.customer_id)
        self.product = self.world.sell(units=1000)

    def own(self, product: Product, quantity: int) -> CartView:
        new = self.world.shop.carts.create(customer_id=self.me.customer_id)
        return self.world.shop.carts.add_line(
            new.cart.id, self.shopper, sku=product.variants[0].sku, quantity=quantity
        )

    def claim(self, cart: NewCart) -> CartView:
        return self.world.shop.carts.claim(cart.cart.id, cart.token, self.me.customer_id)

    def quantities(self) -> list[list[int]]:
        return [
            [line.quantity for line in cart.lines]
            for cart in self.world.shop.carts.list_own(self.me.customer_id).items
        ]


def test_the_first_cart_becomes_the_customers_as_it_is() -> None:
    till = Till()
    guest = till.world.fill_cart(till.product, 3)
    claimed = till.claim(guest)
    assert (claimed.id, claimed.customer_id) == (guest.cart.id, till.me.customer_id)
    assert till.quantities() == [[3]]


def test_quantities_add_up_in_the_cart_that_was_there() -> None:
    till = Till()
    mine, guest = till.own(till.product, 2), till.world.fill_cart(till.product, 3)
    for _ in range(2):
        assert till.claim(guest).id == mine.id
        assert till.quantities() == [[5]]


def test_what_does_not_fit_stays_beside_it() -> None:
    till = Till()
    mine, guest = till.own(till.product, 600), till.world.fill_cart(till.product, 400)
    for _ in range(2):
        claimed = till.claim(guest)
        assert claimed.id == guest.cart.id != mine.id
        assert sorted(till.quantities()) == [[400], [600]]


def test_lines_join_the_cart_that_was_changed_last() -> None:
    till = Till()
    other = till.world.sell()
    old = till.own(till.product, 1)
    till.world.clock.advance(minutes=1)
    new = till.own(till.product, 2)
    till.world.clock.advance(minutes=1)
    assert till.claim(till.world.fill_cart(other)).id == new.id
    till.world.clock.advance(minutes=1)
    till.world.shop.carts.add_line(old.id, till.shopper, sku=other.variants[0].sku)
    assert till.claim(till.world.fill_cart(other)).id == old.id


def test_a_cart_of_somebody_is_claimed_by_nobody_else() -> None:
    till = Till()
    guest = till.world.fill_cart(till.product)
    till.claim(guest)
    stranger = signed_in(till.world)
    with pytest.raises(NotFoundError):
        till.world.shop.carts.claim(guest.cart.id, guest.token, stranger.customer_id)
    with pytest.raises(NotFoundError):
        till.world.shop.carts.claim(till.own(till.product, 1).id, "", stranger.customer_id)
    with pytest.raises(NotFoundError):
        till.world.shop.carts.claim(CartId(new_id()), guest.token, till.me.customer_id)


def test_a_guest_without_the_secret_claims_nothing() -> None:
    till = Till()
    guest = till.world.fill_cart(till.product)
    for token in ("", "guess", guest.token.upper()):
        with pytest.raises(NotFoundError):
            till.world.shop.carts.claim(guest.cart.id, token, till.me.customer_id)
    assert till.quantities() == []


@pytest.mark.parametrize("has_one", [True, False])
def test_a_cart_that_became_an_order_stays_as_it_was(*, has_one: bool) -> None:
    till = Till()
    if has_one:
        till.own(till.product, 1)
    guest = till.world.fill_cart(till.product)
    placed = till.world.check_out(guest)
    with pytest.raises(CartStateError):
        till.claim(guest)
    assert till.quantities() == [[1]] * has_one
    assert till.world.shop.orders.get(placed.order.id).customer_id is None


def test_a_customers_cart_does_not_open_by_its_old_secret() -> None:
    till = Till()
    guest = till.world.fill_cart(till.product)
    till.claim(guest)
    carts, sku = till.world.shop.carts, till.product.variants[0].sku
    for attempt in (
        lambda: carts.get(guest.cart.id, guest.token),
        lambda: carts.add_line(guest.cart.id, guest.token, sku=sku),
        lambda: carts.hold(guest.cart.id, guest.token),
        lambda: till.world.check_out(guest),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert carts.get(guest.cart.id, till.shopper).customer_id == till.me.customer_id


def test_what_is_held_is_held_in_the_cart_that_it_came_to() -> None:
    till = Till(hold_carts=True)
    scarce = till.world.sell(units=5)
    till.own(scarce, 2)
    guest = till.world.fill_cart(scarce, 3)
    assert till.world.available(scarce) == 0
    till.claim(guest)
    assert till.quantities() == [[5]]
    assert till.world.available(scarce) == 0
    assert till.world.problems() == []


def test_what_cannot_be_held_any_more_keeps_nobody_out() -> None:
    till = Till(hold_carts=True)
    scarce = till.world.sell(units=5)
    mine, guest = till.own(scarce, 2), till.world.fill_cart(scarce, 3)
    till.world.run(minutes=11)
    other = till.world.fill_cart(scarce, 4)
    assert till.claim(guest).id == guest.cart.id != mine.id
    assert sorted(till.quantities()) == [[2], [3]]
    assert till.world.problems() == []
    assert till.world.check_out(other).order.status == "pending"


# Over HTTP


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=50)
        yield web


@pytest.fixture
def ada(web: Web) -> Person:
    return signed_in(web, "ada@example.com")


def log_in_with(web: Web, cart_id: str, token: str) -> str | None:
    body = {"email": "ada@example.com", "password": PASSWORD}
    body_with_cart = {**body, "cart": {"id": cart_id, "token": token}}
    answer = web.client.post("/v1/auth/login", json=body_with_cart)
    assert answer.status_code == 200, answer.text
    found: str | None = answer.json()["cart_id"]
    return found


def test_a_guests_cart_comes_along_at_sign_in(web: Web, ada: Person) -> None:
    first, second = web.cart(("MUG-1", 2)), web.cart(("MUG-1", 3))
    assert log_in_with(web, first.id, first.token) == first.id
    assert web.client.get(first.url, headers=first.headers).status_code == 404
    assert log_in_with(web, second.id, second.token) == first.id
    cart = web.client.get(first.url, headers=ada.headers).json()
    assert [line["quantity"] for line in cart["lines"]] == [5]
    assert web.client.get(second.url, headers=second.headers).json()["lines"] == []


def test_a_cart_that_is_none_keeps_nobody_out(web: Web, ada: Person) -> None:
    gone = web.cart(("MUG-1", 1))
    assert web.check_out(gone).status_code == 201
    assert log_in_with(web, gone.id, gone.token) is None
    assert log_in_with(web, str(new_id()), "x") is None
    other = web.cart(("MUG-1", 1))
    assert log_in_with(web, other.id, "guess") is None
    assert ada.email


def test_a_customer_buys_without_secrets(web: Web, ada: Person) -> None:
    cart = web.client.post("/v1/carts", headers=ada.headers).json()
    path = f"/v1/carts/{cart['id']}"
    line = {"sku": "MUG-1", "quantity": 2}
    assert web.client.post(f"{path}/lines", json=line, headers=ada.headers).status_code == 200
    headers = {**ada.headers, "Idempotency-Key": "one"}
    placed = web.client.post(f"{path}/checkout", json=order_form(), headers=headers)
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert order.get("token") is None
    again = web.client.post(f"{path}/checkout", json=order_form(), headers=headers)
    assert (again.status_code, again.json()) == (201, order)

    own = f"/v1/orders/{order['id']}"
    assert web.client.get(own, headers=ada.headers).json()["id"] == order["id"]
    listed = web.client.get("/v1/orders", headers=ada.headers).json()["items"]
    assert [each["id"] for each in listed] == [order["id"]]

    grace = signed_in(web)
    for stranger in ({}, grace.headers, {"X-Order-Token": cart.get("token") or "x"}):
        assert web.client.get(own, headers=stranger).status_code == 404
        answer = web.client.post(f"{own}/cancel", headers={**stranger, "Idempotency-Key": "two"})
        assert answer.status_code == 404
    assert web.client.get("/v1/orders", headers=grace.headers).json()["items"] == []
    canceled = web.client.post(f"{own}/cancel", headers={**ada.headers, "Idempotency-Key": "two"})
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")


def test_an_order_of_a_guest_stays_the_guests(web: Web, ada: Person) -> None:
    order = web.order()
    assert web.client.get(order.url, headers=ada.headers).status_code == 404
    assert web.client.get(order.url, headers=order.headers).status_code == 200
    both = {**ada.headers, **order.headers}
    assert web.client.get(order.url, headers=both).status_code == 200


def test_staff_see_which_carts_were_changed_lately_by_the_clock_of_the_shop() -> None:
    with open_town() as town:
        clerk = signed_in(town.world, roles=("support",))
        cart = town.world.fill_cart(town.world.sell(), quantity=2).cart

        def listed() -> list[tuple[str, int]]:
            headers = log_in(town.world, clerk.email).headers
            answer = town.web.client.get("/v1/admin/carts", params={"hours": 1}, headers=headers)
            assert answer.status_code == 200, answer.text
            return [(each["id"], each["units"]) for each in answer.json()["items"]]

        assert listed() == [(str(cart.id), 2)]
        town.wait(3_599)
        assert listed() == [(str(cart.id), 2)]
        town.wait(2)
        assert listed() == []
