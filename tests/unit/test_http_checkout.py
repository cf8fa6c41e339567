"""Turning a cart into an order over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from quickshop import Money
from quickshop.domain.errors import ContentionError, IdempotencyInProgressError, TransientError
from tests.http_client import ADDRESS, Basket, Web, assert_problem, open_web, order_form


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=10, price=1250)
        yield web


@pytest.fixture(scope="module")
def shared() -> Iterator[Web]:
    """For tests that leave nothing behind that another could notice."""
    with open_web() as web:
        web.stock("MUG-1", units=100)
        yield web


def test_checking_out_places_a_pending_order_and_takes_the_stock(web: Web):
    basket = web.cart(("MUG-1", 2))
    answer = web.check_out(basket)
    order = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/orders/{order['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert "idempotent-replayed" not in answer.headers
    assert (order["status"], order["email"]) == ("pending", "ada@example.com")
    assert order["number"]
    assert len(order["token"]) >= 22
    assert order["placed_at"].endswith("Z")
    [line] = order["lines"]
    assert (line["sku"], line["quantity"], line["subtotal"]["amount"]) == ("MUG-1", 2, 2500)
    assert order["total"] == order["subtotal"] == {"amount": 2500, "currency": "USD"}
    blank = {"line2": None, "region": None, "phone": None}
    assert order["shipping_address"] == ADDRESS | blank
    assert order["billing_address"] == ADDRESS | blank
    product = web.client.get("/v1/products/mug-1").json()
    assert product["variants"][0]["available"] == 8


def test_a_bill_may_go_elsewhere(web: Web):
    elsewhere = {**ADDRESS, "name": "Byron & Co.", "line2": "Attn. accounting"}
    order = web.check_out(web.cart(("MUG-1", 1)), billing_address=elsewhere).json()
    assert order["billing_address"]["name"] == "Byron & Co."
    assert order["shipping_address"]["name"] == ADDRESS["name"]


def test_the_worker_then_takes_the_money(web: Web):
    receipt = web.order(("MUG-1", 1))
    web.shop.run_jobs()
    assert web.client.get(receipt.url, headers=receipt.headers).json()["status"] == "paid"


def test_repeating_a_checkout_gives_the_first_answer_byte_for_byte(web: Web):
    basket = web.cart(("MUG-1", 2))
    first = web.check_out(basket, "key-1")
    web.shop.run_jobs()
    again = web.check_out(basket, "key-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert web.client.get("/v1/products/mug-1").json()["variants"][0]["available"] == 8


def test_fifty_at_once_with_one_key_place_one_order(web: Web):
    basket = web.cart(("MUG-1", 1))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: web.check_out(basket, "key-1"), range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    placed = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in placed}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert_problem(answer, 409, "idempotency_in_progress")
            assert answer.headers["retry-after"] == "1"
    assert web.client.get("/v1/products/mug-1").json()["variants"][0]["available"] == 9


def test_a_key_serves_one_request_only(web: Web):
    basket = web.cart(("MUG-1", 1))
    web.check_out(basket, "key-1")
    other = web.check_out(basket, "key-1", email="eve@example.com")
    assert_problem(other, 422, "idempotency_key_reused")


def test_a_key_does_not_reach_into_anothers_cart(web: Web):
    first = web.check_out(web.cart(("MUG-1", 1)), "key-1")
    second = web.check_out(web.cart(("MUG-1", 1)), "key-1")
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


def test_a_checkout_without_a_key_is_told_to_send_one(web: Web):
    basket = web.cart(("MUG-1", 1))
    answer = web.client.post(f"{basket.url}/checkout", json=order_form(), headers=basket.headers)
    assert_problem(answer, 400, "idempotency_key_missing")


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"caf\xe9", b"tab\there", b"\x7f"])
def test_a_key_is_1_to_255_printable_ascii_characters(shared: Web, key: bytes):
    basket = shared.cart(("MUG-1", 1))
    headers = {"X-Cart-Token": basket.token.encode(), "Idempotency-Key": key}
    answer = shared.client.post(f"{basket.url}/checkout", json=order_form(), headers=headers)
    document = assert_problem(answer, 422, "invalid_request")
    assert document["errors"][0]["pointer"] == "header:Idempotency-Key"


def test_a_request_that_is_still_running_is_asked_for_again_in_a_second(web: Web):
    basket = web.cart(("MUG-1", 1))
    web.break_use_case("orders", "place", IdempotencyInProgressError())
    answer = web.check_out(basket)
    assert_problem(answer, 409, "idempotency_in_progress")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "error", [TransientError("db-17.internal is down"), ContentionError("deadlock on stock")]
)
def test_a_database_that_cannot_now_says_when_to_come_back_and_nothing_else(
    web: Web, error: TransientError
):
    basket = web.cart(("MUG-1", 1))
    web.break_use_case("orders", "place", error)
    answer = web.check_out(basket)
    assert_problem(answer, 503, error.code)
    assert answer.headers["retry-after"] == "1"
    assert str(error) not in answer.text


def test_a_second_checkout_of_a_cart_is_a_conflict(web: Web):
    basket = web.cart(("MUG-1", 1))
    web.check_out(basket)
    assert_problem(web.check_out(basket), 409, "cart_completed")


def test_an_empty_cart_is_not_an_order(web: Web):
    assert_problem(web.check_out(web.cart()), 409, "cart_empty")


def test_more_than_there_is_cannot_be_ordered(web: Web):
    document = assert_problem(web.check_out(web.cart(("MUG-1", 11))), 409, "out_of_stock")
    assert (document["sku"], document["available"]) == ("MUG-1", 10)


def test_nothing_is_ordered_at_another_price_than_the_one_shown(web: Web):
    basket = web.cart(("MUG-1", 1))
    shown = {"amount": 1250, "currency": "USD"}
    web.shop.products.change_price("MUG-1", Money(1300, "USD"))
    assert_problem(web.check_out(basket, expected_total=shown), 409, "price_changed")
    agreed = web.check_out(basket, expected_total={"amount": 1300, "currency": "USD"})
    assert agreed.status_code == 201


def test_a_total_in_another_currency_is_not_the_one_shown(web: Web):
    basket = web.cart(("MUG-1", 1))
    answer = web.check_out(basket, expected_total={"amount": 1250, "currency": "EUR"})
    assert_problem(answer, 409, "currency_mismatch")


@pytest.mark.parametrize("headers", [{}, {"X-Cart-Token": "wrong"}])
def test_a_cart_is_not_checked_out_without_its_token(web: Web, headers: dict):
    basket = web.cart(("MUG-1", 1))
    key = {"Idempotency-Key": "k"}
    refused = web.client.post(f"{basket.url}/checkout", json=order_form(), headers=headers | key)
    missing = web.check_out(Basket(str(uuid4()), basket.token))
    assert_problem(refused, 404, "not_found")
    assert refused.content == missing.content


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": "not an address"}, "/email"),
        ({"email": "a@b\nBcc: c@d"}, "/email"),
        ({"email": None}, "/email"),
        ({"email": "x" * 300 + "@example.com"}, "/email"),
        ({"shipping_address": ADDRESS | {"country": "XX"}}, "/shipping_address/country"),
        ({"shipping_address": ADDRESS | {"country": "gb"}}, "/shipping_address/country"),
        ({"shipping_address": ADDRESS | {"name": "  "}}, "/shipping_address/name"),
        ({"shipping_address": ADDRESS | {"city": "a\nb"}}, "/shipping_address/city"),
        ({"shipping_address": ADDRESS | {"line2": ""}}, "/shipping_address/line2"),
        ({"shipping_address": ADDRESS | {"line1": "x" * 201}}, "/shipping_address/line1"),
        ({"shipping_address": ADDRESS | {"planet": "Mars"}}, "/shipping_address"),
        ({"shipping_address": "here"}, "/shipping_address"),
        ({"billing_address": ADDRESS | {"country": "XX"}}, "/billing_address/country"),
        ({"payment": {"method": "card"}}, "/payment/token"),
        ({"payment": {"method": "card", "token": " "}}, "/payment/token"),
        ({"payment": {"method": "card\n", "token": "tok_ok"}}, "/payment/method"),
        ({"payment": {"method": "card", "token": "4242 4242 4242 4242"}}, "/payment/token"),
        ({"payment": {"method": "4242424242424242", "token": "tok_ok"}}, "/payment/method"),
        ({"payment": None}, "/payment"),
        ({"expected_total": {"amount": 12.5, "currency": "USD"}}, "/expected_total/amount"),
        ({"expected_total": {"amount": -1, "currency": "USD"}}, "/expected_total/amount"),
        ({"expected_total": {"amount": 10**17, "currency": "USD"}}, "/expected_total/amount"),
        ({"expected_total": {"amount": 1, "currency": "usd"}}, "/expected_total/currency"),
        ({"expected_total": {"amount": 1, "currency": "USD\n"}}, "/expected_total/currency"),
        ({"shipping_method": "express"}, "/shipping_method"),
        ({"discount": 100}, ""),
    ],
)
def test_what_is_wrong_with_a_checkout_is_pointed_at(shared: Web, changes: dict, pointer: str):
    basket = shared.cart(("MUG-1", 1))
    answer = shared.check_out(basket, **changes)
    document = answer.json()
    assert answer.status_code == 422
    assert [entry["pointer"] for entry in document["errors"]] == [pointer]
    assert all(entry["code"] and entry["detail"] for entry in document["errors"])
    assert shared.check_out(basket).status_code == 201


def test_a_card_number_is_refused_and_not_repeated(shared: Web):
    number = "4242424242424242"
    basket = shared.cart(("MUG-1", 1))
    answer = shared.check_out(basket, payment={"method": "card", "token": number})
    assert_problem(answer, 422, "invalid_value")
    assert "never a card number" in answer.text
    assert number not in answer.text + str(answer.headers)


def test_no_shipping_method_may_be_said_in_so_many_words(web: Web):
    answer = web.check_out(web.cart(("MUG-1", 1)), shipping_method=None, billing_address=None)
    assert answer.status_code == 201
