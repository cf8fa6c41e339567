"""Setting a cart's units aside over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from httpx2 import Response

from tests.http_client import Basket, Web, assert_problem, open_web


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=3)
        yield web


def hold(web: Web, basket: Basket, key: str | None = None) -> Response:
    headers = {**basket.headers, "Idempotency-Key": key or uuid4().hex}
    return web.client.post(f"{basket.url}/hold", headers=headers)


def available(web: Web) -> int:
    units: int = web.client.get("/v1/products/mug-1").json()["variants"][0]["available"]
    return units


def test_a_held_cart_says_what_is_set_aside_until_when(web: Web):
    basket = web.cart(("MUG-1", 2))
    answer = hold(web, basket)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    held = answer.json()
    assert held["cart_id"] == basket.id
    assert held["lines"] == [{"sku": "MUG-1", "quantity": 2}]
    left = datetime.fromisoformat(held["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert available(web) == 1


def test_a_repeated_request_gets_the_first_answer(web: Web):
    basket = web.cart(("MUG-1", 2))
    first, again = hold(web, basket, "k"), hold(web, basket, "k")
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_a_hold_is_given_back(web: Web):
    basket = web.cart(("MUG-1", 2))
    hold(web, basket)
    for _ in range(2):
        answer = web.client.delete(f"{basket.url}/hold", headers=basket.headers)
        assert (answer.status_code, answer.content) == (204, b"")
    assert available(web) == 3


def test_a_hold_needs_a_key(web: Web):
    basket = web.cart(("MUG-1", 2))
    answer = web.client.post(f"{basket.url}/hold", headers=basket.headers)
    assert_problem(answer, 400, "idempotency_key_missing")
    assert available(web) == 3


def test_what_is_held_is_sold_out_to_others(web: Web):
    hold(web, web.cart(("MUG-1", 2)))
    answer = hold(web, web.cart(("MUG-1", 2)))
    problem = assert_problem(answer, 409, "out_of_stock")
    assert (problem["sku"], problem["available"]) == ("MUG-1", 1)


def test_another_shoppers_cart_is_like_none(web: Web):
    basket = web.cart(("MUG-1", 2))
    stranger = Basket(basket.id, "guess")
    assert_problem(hold(web, stranger), 404, "not_found")
    answer = web.client.delete(f"{basket.url}/hold", headers=stranger.headers)
    assert_problem(answer, 404, "not_found")


def test_an_empty_cart_is_not_held(web: Web):
    assert_problem(hold(web, web.cart()), 409, "cart_empty")
