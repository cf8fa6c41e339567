"""The judge of the chaos runs: content with what is right, and with nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.checker import check, duplicate_mails
from tests.chaos.records import Records

PAID, CANCELED = "order-paid", "order-canceled"
Tamper = Callable[[Records], object]


def an_order(id: str, status: str) -> dict[str, Any]:
    return {
        "id": id,
        "number": 1001,
        "cart_id": f"cart of {id}",
        "email": f"{id}@shoppers.example",
        "status": status,
        "currency": "USD",
        "total_minor": 1000,
    }


def a_line(order: str) -> dict[str, Any]:
    return {"id": f"line of {order}", "order_id": order, "sku": "MUG", "quantity": 2}


def a_payment(order: str, *, refunded: int) -> dict[str, Any]:
    status = "refunded" if refunded else "captured"
    return {
        "id": f"payment of {order}",
        "order_id": order,
        "gateway_key": f"{order}:1",
        "status": status,
        "captured_minor": 1000,
        "refunded_minor": refunded,
    }


def a_charge(order: str, *, refunded: int, attempt: int = 1) -> dict[str, Any]:
    return {
        "key": f"{order}:{attempt}",
        "minor": 1000,
        "currency": "USD",
        "status": "captured",
        "reference": f"charge {attempt} of {order}",
        "refunded_minor": refunded,
    }


def an_allocation(order: str, *, released: bool) -> dict[str, Any]:
    return {
        "order_line_id": f"line of {order}",
        "variant_id": "variant",
        "location_id": "main",
        "quantity": 2,
        "released": released,
    }


def a_movement(on_hand: int = 0, allocated: int = 0) -> dict[str, Any]:
    level = {"variant_id": "variant", "location_id": "main", "held": 0}
    return {**level, "on_hand": on_hand, "allocated": allocated}


def told(order: str, **changes: Any) -> dict[str, Any]:
    """What a client wrote down when an order was placed."""
    body = {
        "id": order,
        "number": "1001",
        "total": {"amount": 1000, "currency": "USD"},
        "lines": [{"sku": "MUG", "quantity": 2}],
    }
    return {
        "what": "checkout",
        "who": "1-1",
        "key": f"key of {order}",
        "cart": f"cart of {order}",
        "status": 201,
        "body": json.dumps(body | changes),
    }


def a_mail(order: str, kind: str) -> dict[str, Any]:
    head = f"From: shop\r\nMessage-ID: <{order}.{kind}@localhost>\r\nSubject: hello"
    return {"to": [f"{order}@shoppers.example"], "head": head}


@pytest.fixture
def records() -> Records:
    """A shop with one order that was paid, and one that was paid and canceled."""
    level = {"variant_id": "variant", "location_id": "main", "backorder_limit": 0}
    return Records(
        tables={
            "orders": [an_order(PAID, "paid"), an_order(CANCELED, "canceled")],
            "order_lines": [a_line(PAID), a_line(CANCELED)],
            "order_events": [
                {"order_id": PAID, "kind": "OrderPaid"},
                {"order_id": CANCELED, "kind": "OrderPaid"},
                {"order_id": CANCELED, "kind": "OrderCanceled"},
            ],
            "payments": [a_payment(PAID, refunded=0), a_payment(CANCELED, refunded=1000)],
            "allocations": [
                an_allocation(PAID, released=False),
                an_allocation(CANCELED, released=True),
            ],
            "refunds": [
                {
                    "payment_id": f"payment of {CANCELED}",
                    "status": "succeeded",
                    "amount_minor": 1000,
                    "reason": "refund 1",
                }
            ],
            "variants": [{"id": "variant", "sku": "MUG"}],
            "stock_levels": [{**level, "on_hand": 3, "allocated": 2, "held": 0}],
            "stock_movements": [
                a_movement(on_hand=3),
                a_movement(allocated=2),
                a_movement(allocated=2),
                a_movement(allocated=-2),
            ],
            "jobs": [
                {
                    "subject": PAID,
                    "effect": "mail_confirmation",
                    "event_kind": "OrderPaid",
                    "status": "done",
                }
            ],
        },
        charges=[a_charge(PAID, refunded=0), a_charge(CANCELED, refunded=1000)],
        refunds=[{"key": "back", "reference": f"charge 1 of {CANCELED}", "minor": 1000}],
        answers=[
            {"what": "ask checkout", "cart": f"cart of {PAID}"},
            {"what": "ask checkout", "cart": f"cart of {CANCELED}"},
            told(PAID),
            told(PAID),
            told(CANCELED),
            {"what": "cancel", "order": CANCELED, "status": 200},
            {"what": "ask refund", "order": CANCELED, "key_of_staff": "refund 1"},
            {"what": "refund", "order": CANCELED, "key_of_staff": "refund 1", "status": 200},
        ],
        mails=[
            a_mail(PAID, "order_confirmation"),
            a_mail(CANCELED, "order_confirmation"),
            a_mail(CANCELED, "order_canceled"),
        ],
        stocked=Counter(MUG=3),
    )


def test_a_shop_that_kept_its_promises_has_no_violations(records: Records) -> None:
    assert check(records) == []
    assert duplicate_mails(records) == 0


def change(table: str, row: int, **changes: Any) -> Tamper:
    return lambda records: records.tables[table][row].update(changes)


def forget(table: str, row: int) -> Tamper:
    return lambda records: records.tables[table].pop(row)


WRONGS: dict[str, tuple[str, Tamper]] = {
    "an acknowledged order is gone": (
        "lost",
        lambda records: records.answers.append(told("gone")),
    ),
    "an order has another total than was told": ("lost", change("orders", 0, total_minor=900)),
    "an order has other lines than were told": ("lost", change("order_lines", 0, quantity=1)),
    "a cart became two orders": (
        "cart ordered twice",
        change("orders", 1, cart_id=f"cart of {PAID}"),
    ),
    "a client was told of two orders": (
        "cart ordered twice",
        lambda records: records.answers.append(
            told("other", id="other") | {"cart": f"cart of {PAID}"}
        ),
    ),
    "nobody asked for an order": ("unexpected order", lambda records: records.answers.pop(0)),
    "an answer is another the second time": (
        "another answer",
        lambda records: records.answers.append(told(PAID, number="1002")),
    ),
    "a canceled order lives": ("not canceled", change("orders", 1, status="paid")),
    "a request met a mistake": (
        "answered 500",
        lambda records: records.answers.append(
            {"what": "look", "who": "1-1", "status": 500, "body": ""}
        ),
    ),
    "a client waited in vain": (
        "no answer",
        lambda records: records.answers.append({"what": "gave up", "who": "1-1", "why": ""}),
    ),
    "an order was charged twice": (
        "double charge",
        lambda records: records.charges.append(a_charge(PAID, refunded=0, attempt=2)),
    ),
    "a paid order was never charged": ("not charged", lambda records: records.charges.pop(0)),
    "another amount was charged": (
        "wrong amount",
        lambda records: records.charges[0].update(minor=999),
    ),
    "the money of a canceled order was kept": (
        "money kept",
        lambda records: records.refunds.pop(),
    ),
    "money went back twice": (
        "wrong refund",
        lambda records: records.refunds.append(dict(records.refunds[0])),
    ),
    "a kept order was sent its money back": (
        "wrong refund",
        lambda records: records.refunds[0].update(reference=f"charge 1 of {PAID}"),
    ),
    "staff asked once and money went twice": (
        "refunded twice",
        lambda records: records.tables["refunds"].append(dict(records.tables["refunds"][0])),
    ),
    "a refund that was acknowledged is gone": ("lost", forget("refunds", 0)),
    "a charge belongs to no order": (
        "unknown money",
        lambda records: records.charges.append(a_charge("other", refunded=0)),
    ),
    "a payment does not know what moved": (
        "payment and book differ",
        change("payments", 0, captured_minor=0),
    ),
    "more is promised than there is": (
        "oversold",
        change("stock_levels", 0, on_hand=1),
    ),
    "more was sold than there ever was": (
        "oversold",
        lambda records: records.stocked.subtract(MUG=2),
    ),
    "a counter is not its ledger": ("ledger", forget("stock_movements", 3)),
    "a live order was promised nothing": ("allocations", forget("allocations", 0)),
    "a canceled order keeps its stock": ("allocations", change("allocations", 1, released=False)),
    "an order is pending for ever": ("stuck", change("orders", 0, status="pending")),
    "a payment is never resolved": ("stuck", change("payments", 0, status="unknown")),
    "a job is never done": (
        "stuck",
        change("jobs", 0, status="waiting", attempts=0, error=""),
    ),
    "a job was given up": ("stuck", change("jobs", 0, status="dead", attempts=5, error="")),
    "a mail was never sent": ("not notified", lambda records: records.mails.pop(0)),
    "a mail tells what did not happen": (
        "wrong notification",
        lambda records: records.mails.append(a_mail(PAID, "order_canceled")),
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_whatever_is_wrong_is_seen(records: Records, wrong: str) -> None:
    rule, tamper = WRONGS[wrong]
    tamper(records)
    assert rule in {violation.rule for violation in check(records)}


def test_a_mail_that_came_twice_is_counted_and_forgiven(records: Records) -> None:
    records.mails.append(records.mails[0])
    assert check(records) == []
    assert duplicate_mails(records) == 1
