"""What cannot be done to an order as it stands is a 409, for every status there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from uuid import UUID

import pytest

from quickshop.domain.errors import PaymentStateError
from quickshop.domain.orders import OrderId, OrderStatus
from tests.http_client import Receipt, Web, assert_problem, open_web

REQUESTS: dict[str, dict[str, object]] = {
    "cancel": {"reason": "changed my mind"},
    "payments": {"method": "card", "token": "tok_ok"},
}
ALLOWED = {
    ("pending", "cancel"),
    ("payment_failed", "cancel"),
    ("paid", "cancel"),
    ("payment_failed", "payments"),
}
STATUSES = [status.value for status in OrderStatus]


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=10)
        yield web


def order_that_is(web: Web, status: str) -> Receipt:
    """Set from behind, so that no status is left out for want of a way to it."""
    receipt = web.order()
    with web.shop.orders.cancel.unit_of_work() as tx:
        order = tx.orders.get(OrderId(UUID(receipt.id)))
        order.status = OrderStatus(status)
        tx.orders.save(order)
    return receipt


def ask(web: Web, receipt: Receipt, request: str):
    return web.client.post(
        f"{receipt.url}/{request}",
        json=REQUESTS[request],
        headers=receipt.headers | {"Idempotency-Key": "key-1"},
    )


@pytest.mark.parametrize(("status", "request_"), list(product(STATUSES, REQUESTS)))
def test_a_shopper_moves_an_order_along_the_table_and_gets_a_409_everywhere_else(
    web: Web, status: str, request_: str
) -> None:
    receipt = order_that_is(web, status)
    answer = ask(web, receipt, request_)
    if (status, request_) in ALLOWED:
        assert answer.is_success, answer.text
    else:
        assert assert_problem(answer, 409, "order_state")["order_status"] == status
        shown = web.client.get(receipt.url, headers=receipt.headers).json()
        assert shown["status"] == status


def test_a_payment_that_went_another_way_is_a_409(web: Web) -> None:
    receipt = web.order()
    web.break_use_case("orders", "cancel_own", PaymentStateError("captured", "canceled"))
    assert_problem(ask(web, receipt, "cancel"), 409, "payment_state")
