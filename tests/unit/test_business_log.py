"""The log tells what happened to orders, money and stock, with ids and amounts, and of nobody."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from quickshop.adapters.observability.records import JsonLines
from quickshop.application.business_log import report
from quickshop.domain.customers import CustomerId
from quickshop.entrypoints.http.edge.access_log import logger as access_logger
from tests.builders import a_cart_with, a_product, an_order
from tests.http_client import ADDRESS, Web, open_web

STANDARD = {"timestamp", "level", "logger", "event", "request_id"}


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


class Log:
    """What was logged, as it would be written."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        caplog.set_level(logging.INFO, "quickshop")

    @property
    def lines(self) -> list[str]:
        return [JsonLines().format(record) for record in self._caplog.records]

    def of(self, logger: str) -> list[dict[str, Any]]:
        records = [json.loads(line) for line in self.lines]
        return [record for record in records if record["logger"] == f"quickshop.{logger}"]

    def events(self, logger: str) -> list[str]:
        return [record["event"] for record in self.of(logger)]

    def clear(self) -> None:
        self._caplog.clear()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)


def facts(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in STANDARD}


def test_an_order_is_told_with_its_amount_when_it_is_placed_and_paid(web: Web, log: Log) -> None:
    web.stock()
    receipt = web.order(("MUG-1", 2))
    web.shop.run_jobs()
    placed, paid = log.of("orders")
    assert (placed["event"], paid["event"]) == ("order placed", "order paid")
    assert (
        facts(placed)
        == facts(paid)
        == {
            "order_id": receipt.id,
            "number": receipt.answer.json()["number"],
            "amount_minor": 2500,
            "currency": "USD",
        }
    )
    (captured,) = log.of("payments")
    assert captured["event"] == "payment captured"
    assert facts(captured).items() >= {"order_id": receipt.id, "amount_minor": 2500}.items()


def test_whose_order_it_is_is_told_by_an_id(log: Log) -> None:
    order = an_order(a_cart_with(a_product()))
    order.customer_id = CustomerId(uuid7())
    report(order, order.collect_events())
    (placed,) = log.of("orders")
    assert placed["customer_id"] == str(order.customer_id)


@pytest.mark.parametrize(
    ("token", "of_payments", "of_orders"),
    [
        ("tok_declined", ["payment declined"], ["order placed", "order not paid"]),
        ("tok_timeout_lost", ["payment unknown"], ["order placed"]),
    ],
)
def test_a_payment_that_did_not_go_through_is_told(
    web: Web, log: Log, token: str, of_payments: list[str], of_orders: list[str]
) -> None:
    web.stock()
    web.order(pay_with=token)
    web.shop.run_jobs()
    assert log.events("payments") == of_payments
    assert log.events("orders") == of_orders


def test_shipping_refunding_and_canceling_are_told(web: Web, log: Log) -> None:
    web.stock()
    shipped, canceled = web.order(), web.order()
    web.shop.run_jobs()
    log.clear()
    shop = web.shop
    order = shop.orders.get(shop.orders.list().items[-1].id)
    shop.orders.fulfill(order.id, carrier="UPS")
    shop.orders.refund(order.id, amount=order.total, reason="written by ada@example.com")
    answer = web.client.post(
        f"{canceled.url}/cancel",
        headers={**canceled.headers, "Idempotency-Key": "one"},
        json={"reason": "changed my mind c4n4ry"},
    )
    assert answer.status_code == 200
    shop.run_jobs()
    assert log.events("payments") == ["refund sent", "refund sent"]
    assert [*dict.fromkeys(log.events("orders"))] == [
        "order shipped",
        "order canceled",
        "order refunded",
    ]
    assert {record["order_id"] for record in log.of("orders")} == {shipped.id, canceled.id}
    assert "c4n4ry" not in "".join(log.lines)


def test_what_is_rolled_back_or_was_done_before_is_not_told(web: Web, log: Log) -> None:
    web.stock(units=1)
    first, second = web.cart(("MUG-1", 1)), web.cart(("MUG-1", 1))
    assert web.check_out(first, "key").status_code == 201
    assert web.check_out(first, "key").headers["idempotent-replayed"] == "true"
    assert web.check_out(second).status_code == 409
    assert log.events("orders") == ["order placed"]


def test_a_change_of_stock_by_staff_is_told(web: Web, log: Log) -> None:
    web.stock(units=5)
    web.shop.inventory.adjust("MUG-1", -2, reason="c4n4ry", idempotency_key="one")
    web.shop.inventory.adjust("MUG-1", -2, reason="c4n4ry", idempotency_key="one")
    web.shop.inventory.count("MUG-1", 7)
    told = [facts(record) for record in log.of("stock")]
    assert told == [{"sku": "MUG-1", "location": "main", "units": n} for n in (5, -2, 4)]
    assert "c4n4ry" not in "".join(log.lines)


def test_the_log_tells_of_no_person_and_of_no_secret(web: Web, log: Log) -> None:
    web.stock()
    receipt = web.order()
    web.client.get(receipt.url, headers=receipt.headers)
    web.client.get(f"{receipt.url}?token=c4n4ry", headers={"X-Order-Token": "c4n4ry"})
    web.client.get("/v1/products/c4n4ry?q=c4n4ry")
    web.shop.run_jobs()
    written = "".join(log.lines)
    assert "order paid" in written
    for private in ("ada@example.com", "tok_ok", "c4n4ry", receipt.token, *ADDRESS.values()):
        assert len(private) == 2 or private not in written


def test_each_request_is_one_record(web: Web, log: Log) -> None:
    product = web.stock()
    log.clear()
    web.client.get(f"/v1/products/{product}", headers={"X-Request-Id": "find-me"})
    web.client.post("/nothing/here", content=b"c4n4ry")
    for path in ("/health/live", "/health/ready"):
        assert web.client.get(path).status_code == 200
    found, lost = log.of("http")
    assert found.pop("duration_ms") >= 0
    assert found.pop("timestamp")
    assert found == {
        "level": "info",
        "logger": "quickshop.http",
        "event": "GET /v1/products/{key}: 200",
        "method": "GET",
        "path": "/v1/products/{key}",
        "status": 200,
        "client": "unknown",
    }
    assert (lost["path"], lost["status"]) == ("(no route)", 404)


def test_a_request_is_told_by_its_route_whatever_its_method(web: Web, log: Log) -> None:
    log.clear()
    web.client.head(f"/v1/products/{web.stock()}")
    web.client.request("C4N4RY", "/v1/products")
    told = [(record["method"], record["path"]) for record in log.of("http")]
    assert told == [("HEAD", "/v1/products/{key}"), ("(other)", "/v1/products")]


def test_a_request_that_failed_is_told_as_such(web: Web, log: Log) -> None:
    web.break_use_case("carts", "create", ZeroDivisionError("no"))
    web.client.post("/v1/carts")
    assert [record["status"] for record in log.of("http")] == [500]


def test_requests_are_not_told_of_when_nobody_wants_to_know(web: Web, log: Log) -> None:
    access_logger.setLevel(logging.WARNING)
    try:
        web.client.get("/v1/products")
    finally:
        access_logger.setLevel(logging.NOTSET)
    assert log.of("http") == []
