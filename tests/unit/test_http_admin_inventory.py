"""Staff keep the stock over HTTP, once per key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http_client import assert_problem
from tests.unit.staff_client import BackOffice, open_back_office


@pytest.fixture
def office() -> Iterator[BackOffice]:
    with open_back_office() as office:
        office.mug(units=5)
        yield office


def on_hand(office: BackOffice) -> dict[str, int]:
    levels = office.get("/inventory", sku="MUG")["items"]
    return {level["location"]: level["on_hand"] for level in levels}


MOVES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "receipts": ({"sku": "MUG", "quantity": 2}, {"main": 7}),
    "adjustments": ({"sku": "MUG", "quantity": -1, "reason": "broken"}, {"main": 4}),
    "counts": ({"sku": "MUG", "counted": 9}, {"main": 9}),
    "transfers": ({"sku": "MUG", "quantity": 2, "to_location": "attic"}, {"attic": 2, "main": 3}),
}
"""What to ask for, and what lies where afterwards."""


@pytest.mark.parametrize("move", MOVES)
def test_a_move_repeated_with_its_key_moves_units_once(office: BackOffice, move: str) -> None:
    body, after = MOVES[move]
    first = office.post(f"/inventory/{move}", body, key="one")
    again = office.post(f"/inventory/{move}", body, key="one")
    assert (first.status_code, first.content) == (200, again.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert on_hand(office) == after
    other = office.post(f"/inventory/{move}", body | {"reason": "another"}, key="one")
    assert_problem(other, 422, "idempotency_key_reused")
    assert office.shop.inventory.reconcile() == []


@pytest.mark.parametrize("move", MOVES)
def test_a_move_needs_a_key(office: BackOffice, move: str) -> None:
    answer = office.ask("POST", f"/inventory/{move}", json=MOVES[move][0])
    assert_problem(answer, 400, "idempotency_key_missing")
    assert on_hand(office) == {"main": 5}


@pytest.mark.parametrize("move", MOVES)
def test_a_move_of_nothing_that_is_known_is_not_found(office: BackOffice, move: str) -> None:
    answer = office.post(f"/inventory/{move}", MOVES[move][0] | {"sku": "CUP"})
    assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    ("move", "wrong"),
    [
        ("receipts", {"quantity": 0}),
        ("receipts", {"quantity": 1_000_000_001}),
        ("receipts", {"quantity": "2"}),
        ("receipts", {"backorder_limit": 5}),
        ("adjustments", {"quantity": 0}),
        ("adjustments", {"reason": ""}),
        ("adjustments", {"reason": "two\nlines"}),
        ("counts", {"counted": -1}),
        ("counts", {"counted": 1.5}),
        ("transfers", {"to_location": "main"}),
        ("transfers", {"to_location": "a" * 101}),
        ("transfers", {"quantity": True}),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    office: BackOffice, move: str, wrong: dict[str, Any]
) -> None:
    answer = office.post(f"/inventory/{move}", MOVES[move][0] | wrong)
    assert answer.status_code == 422, answer.text
    assert on_hand(office) == {"main": 5}


def test_promised_units_stay(office: BackOffice) -> None:
    office.order(units=4)
    for move, body in (
        ("adjustments", {"sku": "MUG", "quantity": -2, "reason": "broken"}),
        ("transfers", {"sku": "MUG", "quantity": 2, "to_location": "attic"}),
        ("counts", {"sku": "MUG", "counted": 3}),
    ):
        document = assert_problem(office.post(f"/inventory/{move}", body), 409, "out_of_stock")
        assert (document["sku"], document["available"]) == ("MUG", 1)
    assert on_hand(office) == {"main": 5}


def test_levels_and_places_are_listed(office: BackOffice) -> None:
    office.done("/inventory/transfers", MOVES["transfers"][0])
    first = office.get("/inventory", limit=1)
    rest = office.get("/inventory", limit=1, cursor=first["next_cursor"])
    levels = first["items"] + rest["items"]
    assert [(level["location"], level["available"]) for level in levels] == [
        ("attic", 2),
        ("main", 3),
    ]
    assert [place["name"] for place in office.get("/locations")["items"]] == ["attic", "main"]


def test_a_level_is_kept_as_it_was_configured(office: BackOffice) -> None:
    body = {"sku": "MUG", "backorder_limit": 7, "low_stock_threshold": 3}
    assert office.ask("PATCH", "/inventory", json=body).status_code == 204
    [level] = office.get("/inventory")["items"]
    assert (level["backorder_limit"], level["low_stock_threshold"]) == (7, 3)
    assert level["available"] == 12
    unknown = office.ask("PATCH", "/inventory", json=body | {"location": "attic"})
    assert_problem(unknown, 404, "not_found")
