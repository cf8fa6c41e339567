"""An idempotency key belongs to one request that came to something, on every shoppers' route."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from httpx2 import Response

from quickshop.domain.errors import TransientError
from tests.http_client import Web, api_document, assert_problem, open_web, order_form

KEY: Final = {"Idempotency-Key": "one"}
CARD: Final = {"method": "card", "token": "tok_ok"}
Send = Callable[[dict[str, Any], dict[str, str]], Response]
"""Ask a route, with a body and further headers."""


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=10)
        yield web


def sender(web: Web, path: str, secret: dict[str, str]) -> Send:
    return lambda body, headers: web.client.post(path, json=body, headers=secret | headers)


def hold(web: Web) -> Send:
    basket = web.cart(("MUG-1", 1))
    return sender(web, f"{basket.url}/hold", basket.headers)


def checkout(web: Web) -> Send:
    basket = web.cart(("MUG-1", 1))
    return sender(web, f"{basket.url}/checkout", basket.headers)


def cancel(web: Web) -> Send:
    receipt = web.order()
    return sender(web, f"{receipt.url}/cancel", receipt.headers)


def payments(web: Web) -> Send:
    receipt = web.order(pay_with="tok_declined")
    web.shop.run_jobs()
    return sender(web, f"{receipt.url}/payments", receipt.headers)


ROUTES: Final[dict[str, tuple[Callable[[Web], Send], dict[str, Any], dict[str, Any] | None]]] = {
    "/v1/carts/{cart_id}/hold": (hold, {}, None),
    "/v1/carts/{cart_id}/checkout": (checkout, order_form(), order_form(email="eve@example.com")),
    "/v1/orders/{order_id}/cancel": (cancel, {"reason": "enough"}, {"reason": "too much"}),
    "/v1/orders/{order_id}/payments": (payments, CARD, CARD | {"token": "tok_other"}),
}
"""Each route with a body that is right, and another one that asks for something else."""
WITH_A_BODY: Final = [path for path, (_, _, other) in ROUTES.items() if other]
USE_CASES: Final = {
    "/v1/carts/{cart_id}/hold": ("carts", "hold"),
    "/v1/carts/{cart_id}/checkout": ("orders", "place"),
    "/v1/orders/{order_id}/cancel": ("orders", "cancel_own"),
    "/v1/orders/{order_id}/payments": ("orders", "pay_again"),
}


def test_every_route_that_takes_a_key_is_tried() -> None:
    paths = api_document()["paths"]
    with_key = {
        path
        for path, operations in paths.items()
        for parameter in operations.get("post", {}).get("parameters", [])
        if parameter["name"].lower() == "idempotency-key"
        if not path.startswith("/v1/admin/")
    }
    assert with_key == set(ROUTES)


@pytest.mark.parametrize("path", ROUTES)
def test_without_a_key_nothing_is_done(web: Web, path: str) -> None:
    scene, body, _ = ROUTES[path]
    send = scene(web)
    assert_problem(send(body, {}), 400, "idempotency_key_missing")
    answer = send(body, KEY)
    assert answer.is_success, "nothing had been done"
    assert "idempotent-replayed" not in answer.headers


@pytest.mark.parametrize("path", ROUTES)
def test_a_replay_is_byte_for_byte_the_first_answer_and_says_so(web: Web, path: str) -> None:
    scene, body, _ = ROUTES[path]
    send = scene(web)
    first = send(body, KEY)
    web.shop.run_jobs()
    again = send(body, KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("path", WITH_A_BODY)
def test_a_key_used_for_another_payload_is_refused(web: Web, path: str) -> None:
    scene, body, other = ROUTES[path]
    send = scene(web)
    assert send(body, KEY).is_success
    assert_problem(send(other or {}, KEY), 422, "idempotency_key_reused")


@pytest.mark.parametrize("path", WITH_A_BODY)
@pytest.mark.parametrize(
    "nonsense", [{"no such field": 1}, {"reason": 7, "method": 7, "email": 7}]
)
def test_a_key_sent_with_an_invalid_body_can_be_used_again(
    web: Web, path: str, nonsense: dict[str, Any]
) -> None:
    scene, body, _ = ROUTES[path]
    send = scene(web)
    assert_problem(send(nonsense, KEY), 422, "invalid_request")
    answer = send(body, KEY)
    assert answer.is_success
    assert "idempotent-replayed" not in answer.headers


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("failure", "status"), [(TransientError("away"), 503), (ZeroDivisionError(), 500)]
)
def test_a_key_of_a_request_that_failed_can_be_used_again(
    web: Web, path: str, failure: Exception, status: int
) -> None:
    scene, body, _ = ROUTES[path]
    send = scene(web)
    web.break_use_case(*USE_CASES[path], failure)
    assert send(body, KEY).status_code == status
    web.client.app.state.shop = web.shop
    answer = send(body, KEY)
    assert answer.is_success
    assert "idempotent-replayed" not in answer.headers


def test_a_key_serves_each_route_and_each_shopper_apart(web: Web) -> None:
    for _shopper in range(2):
        for scene, body, _ in ROUTES.values():
            answer = scene(web)(body, KEY)
            assert answer.is_success
            assert "idempotent-replayed" not in answer.headers


def test_one_shoppers_key_on_two_routes_is_two_keys(web: Web) -> None:
    basket = web.cart(("MUG-1", 1))
    held = web.client.post(f"{basket.url}/hold", headers=basket.headers | KEY)
    placed = web.check_out(basket, KEY["Idempotency-Key"])
    secret = {"X-Order-Token": placed.json()["token"]} | KEY
    canceled = web.client.post(f"/v1/orders/{placed.json()['id']}/cancel", headers=secret)
    assert [a.is_success for a in (held, placed, canceled)] == [True] * 3
    assert canceled.json()["status"] == "canceled"
