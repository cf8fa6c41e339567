"""Staff look after orders over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from quickshop.domain.orders import OrderId
from tests.http_client import Receipt, assert_problem, quick_settings
from tests.unit.staff_client import BackOffice, a_mug, open_back_office, usd


@pytest.fixture
def office() -> Iterator[BackOffice]:
    with open_back_office() as office:
        office.mug(units=100)
        yield office


def path(receipt: Receipt) -> str:
    return f"/orders/{receipt.id}"


def numbers(office: BackOffice, **criteria: Any) -> list[str]:
    return [order["number"] for order in office.get("/orders", **criteria)["items"]]


def test_orders_are_found_by_all_that_staff_may_know_of_them(office: BackOffice) -> None:
    first = office.order()
    eve = office.web.check_out(office.web.cart(("MUG", 1)), email="Eve@Example.com").json()
    one, other = first.answer.json(), eve
    assert numbers(office) == [other["number"], one["number"]]
    assert numbers(office, number=one["number"]) == [one["number"]]
    assert numbers(office, email="EVE@example.COM") == [other["number"]]
    assert numbers(office, status="pending") == [other["number"]]
    assert numbers(office, placed_before=other["placed_at"]) == [one["number"]]
    assert numbers(office, placed_from=other["placed_at"]) == [other["number"]]
    assert numbers(office, status="paid", email="eve@example.com") == []
    assert numbers(office, customer_id=str(uuid4())) == []
    assert numbers(office, number="1e3") == []
    page = office.get("/orders", limit=1)
    rest = office.get("/orders", limit=1, cursor=page["next_cursor"])
    assert [order["number"] for order in rest["items"]] == [one["number"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"status": "lost"},
        {"placed_from": "yesterday"},
        {"placed_from": "2026-01-01T00:00:00"},
        {"customer_id": "x"},
        {"limit": 101},
        {"cursor": "nonsense"},
    ],
)
def test_what_no_order_can_be_looked_up_by_is_refused(
    office: BackOffice, wrong: dict[str, Any]
) -> None:
    assert office.ask("GET", "/orders", params=wrong).status_code == 422


def test_an_order_is_shown_with_its_payments_and_its_story(office: BackOffice) -> None:
    receipt = office.order()
    order = office.get(path(receipt))
    assert (order["status"], order["customer_id"]) == ("paid", None)
    [payment] = order["payments"]
    assert (payment["status"], payment["captured"]) == ("captured", order["total"])
    assert [entry["kind"] for entry in order["timeline"]] == ["OrderPlaced", "OrderPaid"]
    assert receipt.token not in str(order)
    assert_problem(office.ask("GET", f"/orders/{uuid4()}"), 404, "not_found")


def test_an_order_ships_in_parts_and_is_closed(office: BackOffice) -> None:
    receipt = office.order(units=3)
    [line] = office.get(path(receipt))["lines"]
    parcel = {
        "lines": [{"line_id": line["id"], "quantity": 1}] * 2,
        "carrier": "UPS",
        "tracking_number": "1Z999",
        "tracking_url": "https://ups.example/1Z999",
    }
    part = office.done(f"{path(receipt)}/fulfillments", parcel, status=201)
    assert part["status"] == "partially_fulfilled"
    assert part["fulfillments"][0]["lines"] == [{"sku": "MUG", "quantity": 2}]
    assert_problem(office.post(f"{path(receipt)}/complete"), 409, "order_state")
    assert office.done(f"{path(receipt)}/fulfillments", status=201)["status"] == "fulfilled"
    assert office.done(f"{path(receipt)}/complete")["status"] == "completed"
    assert office.get("/inventory")["items"][0]["on_hand"] == 97


def test_a_parcel_that_cannot_be_is_refused(office: BackOffice) -> None:
    receipt = office.order(units=1)
    [line] = office.get(path(receipt))["lines"]
    for wrong in (
        {"lines": [{"line_id": line["id"], "quantity": 2}]},
        {"lines": [{"line_id": str(uuid4()), "quantity": 1}]},
        {"lines": []},
        {"tracking_url": "javascript:alert(1)"},
        {"weight": 3},
    ):
        assert office.post(f"{path(receipt)}/fulfillments", wrong).status_code == 422, wrong
    assert office.get(path(receipt))["status"] == "paid"


def test_the_line_of_a_parcel_that_holds_too_much_is_named_by_its_place(
    office: BackOffice,
) -> None:
    tall = a_mug(handle="tall", variants=[{"sku": "TALL", "price": usd(1500)}])
    office.done("/products", tall, status=201)
    office.done("/inventory/receipts", {"sku": "TALL", "quantity": 2})
    receipt = office.web.order(("MUG", 1), ("TALL", 1))
    office.shop.run_jobs()
    mug, tall = office.get(path(receipt))["lines"]
    lines = [{"line_id": line["id"], "quantity": 1} for line in (mug, tall, tall)]
    refused = office.post(f"{path(receipt)}/fulfillments", {"lines": lines})
    [problem] = assert_problem(refused, 422, "invalid_value")["errors"]
    assert problem["pointer"] == "/lines/1/quantity"


def test_a_canceled_order_gives_back_its_stock_and_its_money(office: BackOffice) -> None:
    receipt = office.order(units=4)
    canceled = office.done(f"{path(receipt)}/cancel", {"reason": "changed her mind"})
    assert canceled["status"] == "canceled"
    office.shop.run_jobs()
    order = office.get(path(receipt))
    assert order["payments"][0]["refunded"] == order["total"]
    assert office.get("/inventory")["items"][0]["available"] == 100
    assert_problem(office.post(f"{path(receipt)}/cancel"), 409, "order_state")


def test_money_goes_back_in_parts_and_never_more_than_came(office: BackOffice) -> None:
    receipt = office.order(units=2)
    body = {"amount": usd(1000), "reason": "a chip"}
    payment = office.done(f"{path(receipt)}/refunds", body, status=201)
    assert [(refund["amount"], refund["reason"]) for refund in payment["refunds"]] == [
        (usd(1000), "a chip")
    ]
    too_much = office.post(f"{path(receipt)}/refunds", {"amount": usd(1501)})
    assert_problem(too_much, 409, "refund_too_large")
    office.done(f"{path(receipt)}/refunds", status=201)
    office.shop.run_jobs()
    assert office.get(path(receipt))["status"] == "refunded"


def test_a_long_story_is_cut_and_says_so(office: BackOffice) -> None:
    receipt = office.order()
    order_id = OrderId(UUID(receipt.id))
    for number in range(198):
        office.shop.orders.add_note(order_id, f"note {number}")
    whole = office.get(path(receipt))
    assert (len(whole["timeline"]), whole["timeline_is_whole"]) == (200, True)
    assert whole["timeline"][0]["kind"] == "OrderPlaced"
    office.shop.orders.add_note(order_id, "the last")
    cut = office.get(path(receipt))
    assert (len(cut["timeline"]), cut["timeline_is_whole"]) == (200, False)
    kinds = [entry["kind"] for entry in cut["timeline"]]
    assert kinds[:2] == ["OrderPaid", "OrderNoted"]
    assert cut["timeline"][-1]["facts"] == {"note": "the last"}


def test_notes_stand_in_the_story(office: BackOffice) -> None:
    receipt = office.order()
    assert office.post(f"{path(receipt)}/notes", {"note": "Called her."}).status_code == 204
    [*_, last] = office.get(path(receipt))["timeline"]
    assert "Called her." in last["facts"].values()
    assert_problem(office.post(f"{path(receipt)}/notes", {"note": ""}), 422, "invalid_request")


def test_money_that_is_not_set_aside_is_neither_taken_nor_let_go(office: BackOffice) -> None:
    receipt = office.order()
    for verb in ("capture", "void"):
        assert_problem(office.post(f"{path(receipt)}/{verb}"), 409, "payment_state")
    body = {"amount": {"amount": 5, "currency": "EUR"}}
    assert office.post(f"{path(receipt)}/refunds", body).status_code == 422
    assert office.get(path(receipt))["payments"][0]["refunded"] == usd(0)


def test_money_that_is_set_aside_is_taken_or_let_go() -> None:
    with open_back_office(settings=quick_settings(capture="manual")) as office:
        office.mug()
        taken, let_go = office.order(), office.order()
        asked = office.done(f"{path(taken)}/capture", {"amount": usd(2000)})
        assert asked["status"] == "capturing"
        assert office.done(f"{path(let_go)}/void")["status"] == "voiding"
        office.shop.run_jobs()
        assert office.get(path(taken))["payments"][0]["captured"] == usd(2000)
        assert office.get(path(let_go))["payments"][0]["status"] == "canceled"


ASKS = ("fulfillments", "cancel", "refunds", "capture", "void")


@pytest.mark.parametrize("ask", ASKS)
def test_what_moves_stock_or_money_needs_a_key(office: BackOffice, ask: str) -> None:
    receipt = office.order()
    answer = office.ask("POST", f"{path(receipt)}/{ask}")
    assert_problem(answer, 400, "idempotency_key_missing")
    assert office.get(path(receipt))["status"] == "paid"


@pytest.mark.parametrize("ask", ASKS)
def test_an_order_that_is_not_there_is_not_found(office: BackOffice, ask: str) -> None:
    assert_problem(office.post(f"/orders/{uuid4()}/{ask}"), 404, "not_found")


@pytest.mark.parametrize("ask", ["fulfillments", "cancel", "refunds"])
def test_what_is_repeated_with_its_key_is_done_once_and_answered_the_same(
    office: BackOffice, ask: str
) -> None:
    receipt = office.order()
    first = office.post(f"{path(receipt)}/{ask}", key="one")
    again = office.post(f"{path(receipt)}/{ask}", key="one")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = office.order()
    assert_problem(office.post(f"{path(other)}/{ask}", key="one"), 422, "idempotency_key_reused")
