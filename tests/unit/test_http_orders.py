"""Orders over HTTP, as their guests see them."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from quickshop.domain.errors import IdempotencyInProgressError
from quickshop.domain.orders import OrderId
from tests.http_client import Receipt, Web, assert_problem, open_web

CARD = {"method": "card", "token": "tok_ok"}


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=10, price=1250)
        yield web


def pay(web: Web, receipt: Receipt, key: str = "key-1", **changes: str):
    headers = {**receipt.headers, "Idempotency-Key": key}
    return web.client.post(f"{receipt.url}/payments", json=CARD | changes, headers=headers)


def cancel(web: Web, receipt: Receipt, key: str = "key-1", **body: str):
    headers = {**receipt.headers, "Idempotency-Key": key}
    return web.client.post(f"{receipt.url}/cancel", json=body, headers=headers)


def status_of(web: Web, receipt: Receipt) -> str:
    return web.client.get(receipt.url, headers=receipt.headers).json()["status"]


def available(web: Web) -> int:
    return web.client.get("/v1/products/mug-1").json()["variants"][0]["available"]


def test_an_order_is_shown_as_it_was_placed_without_its_token(web: Web):
    receipt = web.order(("MUG-1", 2))
    shown = web.client.get(receipt.url, headers=receipt.headers)
    placed = receipt.answer.json()
    del placed["token"]
    assert shown.json() == placed
    assert shown.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{}, {"X-Order-Token": "wrong"}, {"X-Order-Token": ""}])
def test_without_its_token_an_order_looks_like_one_that_is_not_there(web: Web, headers: dict):
    receipt = web.order()
    absent = f"/v1/orders/{uuid4()}"
    key = {"Idempotency-Key": "key-1"}
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/cancel", None),
        ("POST", "/payments", CARD),
    ):
        refused = web.client.request(method, receipt.url + path, json=body, headers=headers | key)
        missing = web.client.request(
            method, absent + path, json=body, headers=receipt.headers | key
        )
        assert_problem(refused, 404, "not_found")
        assert refused.content == missing.content
    assert status_of(web, receipt) == "pending"


def test_a_card_number_does_not_pay_an_order_either(web: Web):
    receipt = web.order(pay_with="tok_declined")
    web.shop.run_jobs()
    answer = pay(web, receipt, token="4242-4242-4242-4242")
    document = assert_problem(answer, 422, "invalid_value")
    assert [entry["pointer"] for entry in document["errors"]] == ["/token"]
    assert "4242" not in answer.text
    assert status_of(web, receipt) == "payment_failed"


def test_a_carts_token_opens_no_order(web: Web):
    basket = web.cart(("MUG-1", 1))
    order_id = web.check_out(basket).json()["id"]
    answer = web.client.get(f"/v1/orders/{order_id}", headers={"X-Order-Token": basket.token})
    assert_problem(answer, 404, "not_found")


def test_the_list_holds_what_the_token_opens(web: Web):
    mine, _other = web.order(), web.order()
    page = web.client.get("/v1/orders", headers=mine.headers).json()
    assert [order["id"] for order in page["items"]] == [mine.id]
    assert page["next_cursor"] is None


@pytest.mark.parametrize("headers", [{}, {"X-Order-Token": "wrong"}])
def test_the_list_is_empty_for_a_token_that_opens_nothing(web: Web, headers: dict):
    web.order()
    answer = web.client.get("/v1/orders", headers=headers)
    assert answer.json() == {"items": [], "next_cursor": None}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x"])
def test_a_list_that_makes_no_sense_is_refused(web: Web, query: str):
    assert web.client.get(f"/v1/orders?{query}").status_code == 422


def test_canceling_gives_the_stock_back(web: Web):
    receipt = web.order(("MUG-1", 3))
    answer = cancel(web, receipt, reason="changed my mind")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert available(web) == 10


@pytest.mark.parametrize("body", [None, b"", b"{}", b"null"])
def test_no_reason_is_needed_to_cancel(web: Web, body: bytes | None):
    receipt = web.order()
    headers = receipt.headers | {"Content-Type": "application/json", "Idempotency-Key": "any"}
    answer = web.client.post(f"{receipt.url}/cancel", content=body, headers=headers)
    assert answer.json()["status"] == "canceled"


def test_a_canceled_order_cannot_be_canceled_again(web: Web):
    receipt = web.order()
    cancel(web, receipt)
    answer = cancel(web, receipt, key="key-2")
    assert assert_problem(answer, 409, "order_state")["order_status"] == "canceled"
    assert available(web) == 10


def test_canceling_without_a_key_is_told_to_send_one(web: Web):
    receipt = web.order()
    answer = web.client.post(f"{receipt.url}/cancel", headers=receipt.headers)
    assert_problem(answer, 400, "idempotency_key_missing")
    assert status_of(web, receipt) == "pending"


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_a_key_that_is_none_cancels_nothing(web: Web, key: str):
    receipt = web.order()
    headers = {**receipt.headers, "Idempotency-Key": key.encode()}
    answer = web.client.post(f"{receipt.url}/cancel", headers=headers)
    assert_problem(answer, 422, "invalid_request")
    assert status_of(web, receipt) == "pending"


def test_repeating_a_cancellation_gives_the_first_answer_byte_for_byte(web: Web):
    receipt = web.order(("MUG-1", 2))
    first = cancel(web, receipt, reason="changed my mind")
    web.shop.run_jobs()
    again = cancel(web, receipt, reason="changed my mind")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert available(web) == 10


def test_a_key_that_canceled_one_order_cancels_no_other_way(web: Web):
    receipt = web.order()
    cancel(web, receipt, reason="changed my mind")
    assert_problem(cancel(web, receipt, reason="too late"), 422, "idempotency_key_reused")


def test_a_cancellation_that_still_runs_is_to_be_asked_for_again(web: Web):
    receipt = web.order()
    web.break_use_case("orders", "cancel_own", IdempotencyInProgressError())
    answer = cancel(web, receipt)
    assert_problem(answer, 409, "idempotency_in_progress")
    assert answer.headers["retry-after"] == "1"


def test_a_shopper_sees_their_parcels(web: Web):
    receipt = web.order(("MUG-1", 3))
    web.shop.run_jobs()
    assert web.client.get(receipt.url, headers=receipt.headers).json()["fulfillments"] == []
    web.shop.orders.fulfill(
        OrderId(UUID(receipt.id)),
        lines={"MUG-1": 2},
        carrier="Snail & Sons",
        tracking_number="SN-0042",
        tracking_url="https://snail.example/SN-0042",
    )
    shown = web.client.get(receipt.url, headers=receipt.headers).json()
    assert shown["status"] == "partially_fulfilled"
    listed = web.client.get("/v1/orders", headers=receipt.headers).json()["items"]
    assert listed == [shown]
    (parcel,) = shown["fulfillments"]
    assert parcel == {
        "number": 1,
        "shipped_at": parcel["shipped_at"],
        "carrier": "Snail & Sons",
        "tracking_number": "SN-0042",
        "tracking_url": "https://snail.example/SN-0042",
        "lines": [{"sku": "MUG-1", "quantity": 2}],
    }


def test_what_has_shipped_cannot_be_canceled(web: Web):
    receipt = web.order(("MUG-1", 3))
    web.shop.run_jobs()
    web.shop.orders.fulfill(OrderId(UUID(receipt.id)), lines={"MUG-1": 2})
    refused = assert_problem(cancel(web, receipt), 409, "order_state")
    assert refused["order_status"] == "partially_fulfilled"


def test_a_reason_has_an_end(web: Web):
    receipt = web.order()
    answer = cancel(web, receipt, reason="x" * 501)
    document = assert_problem(answer, 422, "invalid_request")
    assert document["errors"][0]["pointer"] == "/reason"


def test_a_declined_order_can_be_paid_another_way(web: Web):
    receipt = web.order(("MUG-1", 2), pay_with="tok_declined")
    web.shop.run_jobs()
    assert status_of(web, receipt) == "payment_failed"
    assert available(web) == 10
    answer = pay(web, receipt)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert "token" not in answer.json()
    assert available(web) == 8
    web.shop.run_jobs()
    assert status_of(web, receipt) == "paid"


def test_repeating_a_payment_gives_the_first_answer_byte_for_byte(web: Web):
    receipt = web.order(pay_with="tok_declined")
    web.shop.run_jobs()
    first = pay(web, receipt)
    web.shop.run_jobs()
    again = pay(web, receipt)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(pay(web, receipt, token="tok_slow"), 422, "idempotency_key_reused")


def test_an_order_that_is_not_waiting_for_another_card_takes_none(web: Web):
    receipt = web.order()
    assert_problem(pay(web, receipt), 409, "order_state")


def test_paying_without_a_key_is_told_to_send_one(web: Web):
    receipt = web.order(pay_with="tok_declined")
    web.shop.run_jobs()
    answer = web.client.post(f"{receipt.url}/payments", json=CARD, headers=receipt.headers)
    assert_problem(answer, 400, "idempotency_key_missing")


@pytest.mark.parametrize(
    ("changes", "pointer"), [({"token": " "}, "/token"), ({"method": "a\tb"}, "/method")]
)
def test_what_is_wrong_with_a_payment_is_pointed_at(web: Web, changes: dict, pointer: str):
    receipt = web.order(pay_with="tok_declined")
    web.shop.run_jobs()
    document = assert_problem(pay(web, receipt, **changes), 422, "invalid_value")
    assert document["errors"][0]["pointer"] == pointer


def test_what_was_sold_meanwhile_cannot_be_paid_for(web: Web):
    receipt = web.order(("MUG-1", 10), pay_with="tok_declined")
    web.shop.run_jobs()
    web.order(("MUG-1", 1))
    assert_problem(pay(web, receipt), 409, "out_of_stock")
