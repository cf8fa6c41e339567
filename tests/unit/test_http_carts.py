"""Filling a cart over HTTP."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from quickshop import Money
from tests.http_client import Basket, Web, assert_problem, open_web


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=10, price=1250)
        web.stock("POT-1", units=10, price=3000)
        yield web


def test_a_new_cart_is_empty_and_comes_with_its_token(web: Web):
    answer = web.client.post("/v1/carts")
    cart = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/carts/{cart['id']}"
    assert len(cart["token"]) >= 22
    assert (cart["lines"], cart["status"]) == ([], "open")
    assert cart["total"] == {"amount": 0, "currency": "USD"}


def test_a_cart_is_priced_line_by_line_and_as_a_whole(web: Web):
    basket = web.cart(("MUG-1", 2), ("POT-1", 1))
    cart = web.client.get(basket.url, headers=basket.headers).json()
    mugs, pots = cart["lines"]
    assert (mugs["sku"], mugs["title"], mugs["quantity"]) == ("MUG-1", "Mug MUG-1", 2)
    assert mugs["unit_price"] == {"amount": 1250, "currency": "USD"}
    assert mugs["subtotal"] == {"amount": 2500, "currency": "USD"}
    assert pots["subtotal"]["amount"] == 3000
    assert cart["subtotal"] == cart["total"] == {"amount": 5500, "currency": "USD"}
    for nothing in ("discount", "shipping", "tax"):
        assert cart[nothing] == {"amount": 0, "currency": "USD"}


def test_the_token_is_shown_only_once(web: Web):
    basket = web.cart(("MUG-1", 1))
    assert "token" not in web.client.get(basket.url, headers=basket.headers).json()


def test_a_cart_follows_the_catalogs_prices(web: Web):
    basket = web.cart(("MUG-1", 1))
    web.shop.products.change_price("MUG-1", Money(999, "USD"))
    assert web.client.get(basket.url, headers=basket.headers).json()["total"]["amount"] == 999


def test_adding_a_sku_again_raises_its_line(web: Web):
    basket = web.cart(("MUG-1", 2), ("MUG-1", 3))
    [line] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
    assert line["quantity"] == 5


def test_one_unit_is_added_when_no_quantity_is_given(web: Web):
    basket = web.cart()
    answer = web.client.post(f"{basket.url}/lines", json={"sku": "MUG-1"}, headers=basket.headers)
    assert answer.json()["lines"][0]["quantity"] == 1


def test_a_lines_quantity_can_be_set_and_the_line_removed(web: Web):
    basket = web.cart(("MUG-1", 2))
    [line] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
    url = f"{basket.url}/lines/{line['id']}"
    changed = web.client.patch(url, json={"quantity": 7}, headers=basket.headers)
    assert changed.json()["lines"][0]["quantity"] == 7
    assert changed.json()["version"] > 0
    gone = web.client.delete(url, headers=basket.headers)
    assert (gone.status_code, gone.json()["lines"]) == (200, [])
    assert_problem(web.client.delete(url, headers=basket.headers), 404, "not_found")


def test_what_is_not_in_the_catalog_cannot_be_added(web: Web):
    basket = web.cart()
    answer = web.client.post(f"{basket.url}/lines", json={"sku": "X"}, headers=basket.headers)
    assert_problem(answer, 404, "not_found")


def test_what_is_not_published_cannot_be_added(web: Web):
    web.stock("OLD", published=False)
    basket = web.cart()
    answer = web.client.post(f"{basket.url}/lines", json={"sku": "OLD"}, headers=basket.headers)
    assert_problem(answer, 409, "not_for_sale")


def test_what_costs_another_currency_cannot_be_added(web: Web):
    web.stock("EUR-1", currency="EUR")
    basket = web.cart()
    answer = web.client.post(f"{basket.url}/lines", json={"sku": "EUR-1"}, headers=basket.headers)
    assert_problem(answer, 409, "currency_mismatch")


def test_a_line_never_grows_past_999_units(web: Web):
    basket = web.cart(("MUG-1", 999))
    answer = web.client.post(
        f"{basket.url}/lines", json={"sku": "MUG-1", "quantity": 1}, headers=basket.headers
    )
    document = assert_problem(answer, 422, "invalid_value")
    assert document["errors"][0]["pointer"] == "/quantity"


@pytest.mark.parametrize("quantity", ["3", "3.0", "30e-1", "0.3e+1", "3.000000000000000000000"])
def test_a_number_is_whole_however_it_is_written(web: Web, quantity: str):
    basket = web.cart()
    answer = web.client.post(
        f"{basket.url}/lines",
        content=f'{{"sku": "MUG-1", "quantity": {quantity}}}',
        headers=basket.headers | {"Content-Type": "application/json"},
    )
    assert answer.json()["lines"][0]["quantity"] == 3


@pytest.mark.parametrize(
    "quantity", [0, -1, 1000, 1000.0, True, "3", 3.5, None, [], {}, 10**30, 1e300], ids=repr
)
def test_only_whole_numbers_from_1_to_999_are_quantities(web: Web, quantity: object):
    basket = web.cart(("MUG-1", 1))
    [line] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
    for answer in (
        web.client.post(
            f"{basket.url}/lines",
            json={"sku": "MUG-1", "quantity": quantity},
            headers=basket.headers,
        ),
        web.client.patch(
            f"{basket.url}/lines/{line['id']}",
            json={"quantity": quantity},
            headers=basket.headers,
        ),
    ):
        document = assert_problem(answer, 422, "invalid_request")
        assert document["errors"][0]["pointer"] == "/quantity"


def test_fields_that_nobody_knows_are_refused_without_repeating_them(web: Web):
    basket = web.cart()
    body = {"sku": "MUG-1", "price": 1, "h4ck3d": "s3cret"}
    answer = web.client.post(f"{basket.url}/lines", json=body, headers=basket.headers)
    document = assert_problem(answer, 422, "invalid_request")
    assert {entry["code"] for entry in document["errors"]} == {"extra_forbidden"}
    assert "h4ck3d" not in answer.text
    assert "s3cret" not in answer.text


@pytest.mark.parametrize("headers", [{}, {"X-Cart-Token": "wrong"}, {"X-Cart-Token": ""}])
def test_without_its_token_a_cart_looks_like_one_that_is_not_there(web: Web, headers: dict):
    basket = web.cart(("MUG-1", 1))
    [line] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
    absent = Basket(str(uuid4()), basket.token)
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/lines", {"sku": "MUG-1"}),
        ("PATCH", f"/lines/{line['id']}", {"quantity": 5}),
        ("DELETE", f"/lines/{line['id']}", None),
    ):
        refused = web.client.request(method, basket.url + path, json=body, headers=headers)
        missing = web.client.request(method, absent.url + path, json=body, headers=absent.headers)
        assert_problem(refused, 404, "not_found")
        assert refused.content == missing.content
    [kept] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
    assert kept["quantity"] == 1


def test_a_token_opens_no_other_cart(web: Web):
    mine, yours = web.cart(), web.cart()
    assert web.client.get(mine.url, headers=yours.headers).status_code == 404


def test_a_cart_is_nobody_elses_to_keep(web: Web):
    basket = web.cart()
    created = web.client.post("/v1/carts")
    shown = web.client.get(basket.url, headers=basket.headers)
    assert created.headers["cache-control"] == shown.headers["cache-control"] == "no-store"


def test_an_id_that_is_none_is_named(web: Web):
    document = assert_problem(web.client.get("/v1/carts/17"), 422, "invalid_request")
    assert document["errors"][0]["pointer"] == "path:cart_id"


def test_a_cart_that_became_an_order_no_longer_changes(web: Web):
    basket = web.cart(("MUG-1", 1))
    assert web.check_out(basket).status_code == 201
    answer = web.client.post(f"{basket.url}/lines", json={"sku": "MUG-1"}, headers=basket.headers)
    assert_problem(answer, 409, "cart_completed")
    assert web.client.get(basket.url, headers=basket.headers).json()["status"] == "completed"
