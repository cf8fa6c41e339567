"""The check whether the shop kept its promises, from the records of a run.

It shares no code with the application: it reads the database in plain SQL, the gateway's book as a
file, and the journals of the clients and of the mail server.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.records import Records, Row, grouped

LIVE: Final = frozenset({"pending", "paid", "partially_fulfilled"})
"""Statuses of orders that units are promised to."""
KEPT: Final = frozenset({"paid", "partially_fulfilled", "fulfilled", "completed"})
"""Statuses of orders whose money stays with the shop."""
OPEN_PAYMENTS: Final = frozenset(
    {"pending", "processing", "unknown", "capturing", "voiding", "authorized"}
)
"""Statuses of payments that still need an action."""
MAILS: Final = {
    "OrderPaid": "order_confirmation",
    "OrderPaymentFailed": "payment_failed",
    "OrderCanceled": "order_canceled",
}
"""The kind of email for each event of an order."""
MORE_MAILS: Final = {
    "OrderExpired": "order_canceled",
    "OrderShipped": "order_shipped",
    "OrderRefunded": "order_refunded",
}
"""The same for events that the shop may say nothing of."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept, and for whom."""

    rule: str
    subject: str
    """The order, cart or SKU that it is about."""
    detail: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.rule}: {self.subject}: {self.detail}"


def check(records: Records) -> list[Violation]:
    """Everything that is wrong; nothing, if all is well."""
    return [violation for rule in RULES for violation in rule(records)]


# -- Orders


def no_order_is_lost(records: Records) -> Iterator[Violation]:
    """The answers that clients got are true."""
    orders, lines = records.orders, records.by_order("order_lines")
    for order_id, line in records.acknowledged.items():
        answer = json.loads(line["body"])
        row = orders.get(order_id)
        if row is None:
            yield Violation(
                "lost", order_id, f"acknowledged to {line['who']}, not in the database"
            )
            continue
        kept = (
            str(row["number"]),
            row["total_minor"],
            str(row["cart_id"]),
            _units(lines[order_id]),
        )
        said = (answer["number"], answer["total"]["amount"], line["cart"], _units(answer["lines"]))
        if kept != said:
            yield Violation("lost", order_id, f"answered {said}, stored {kept}")


def no_cart_is_ordered_twice(records: Records) -> Iterator[Violation]:
    carts = dict(grouped(records.tables["orders"], lambda row: str(row["cart_id"])))
    answered: dict[str, set[str]] = defaultdict(set)
    for order_id, line in records.acknowledged.items():
        answered[line["cart"]].add(order_id)
    for cart in carts.keys() | answered.keys():
        ids = {str(row["id"]) for row in carts.get(cart, [])} | answered[cart]
        if len(ids) > 1:
            yield Violation("cart ordered twice", min(ids), f"cart {cart}: {sorted(ids)}")
    asked = {line["cart"] for line in records.answers if line["what"] == "ask checkout"}
    for cart in carts.keys() - asked:
        yield Violation("unexpected order", str(carts[cart][0]["id"]), "no client asked for it")


def every_answer_is_given_again(records: Records) -> Iterator[Violation]:
    """One key, one answer, to the letter."""
    first: dict[tuple[str, str], Row] = {}
    for line in records.answers:
        if line.get("key") is None or line.get("status") not in {200, 201}:
            continue
        earlier = first.setdefault((line["what"], line["key"]), line)
        if line["body"] != earlier["body"]:
            yield Violation(
                "another answer", line["who"], f"{line['body']} after {earlier['body']}"
            )


def what_was_canceled_stays_so(records: Records) -> Iterator[Violation]:
    orders = records.orders
    for line in records.answers:
        if line["what"] == "cancel" and line.get("status") == 200:
            row = orders.get(line["order"])
            if row is None or row["status"] != "canceled":
                yield Violation("not canceled", line["order"], f"is {row and row['status']}")


def what_was_paid_again_was_tried(records: Records) -> Iterator[Violation]:
    payments = records.by_order("payments")
    for line in records.answers:
        accepted = line["what"] == "pay again" and line.get("status") == 201
        if accepted and len(payments[line["order"]]) < 2:
            yield Violation("lost", line["order"], "its second payment was never written down")


def nothing_fails_unexpectedly(records: Records) -> Iterator[Violation]:
    """A service that is not available is a 503; a 500 is a bug. Every request gets an answer."""
    for line in records.answers:
        if line.get("status") == 500:
            yield Violation("answered 500", line["who"], f"{line['what']}: {line['body']}")
        if line["what"] == "gave up":
            yield Violation("no answer", line["who"], line["why"])


# -- Money


def money_is_where_it_should_be(records: Records) -> Iterator[Violation]:
    """Each order that is kept was charged once, each other one not at all or sent back once."""
    charged = grouped(records.charges, lambda row: row["key"].partition(":")[0])
    refunds = grouped(records.refunds, lambda row: row["reference"])
    granted = _granted(records)
    for order_id, row in records.orders.items():
        captured = [c for c in charged.pop(order_id, []) if c["status"] == "captured"]
        yield from _charged_rightly(order_id, row, captured)
        for charge in captured:
            sent = [refund["minor"] for refund in refunds.pop(charge["reference"], [])]
            kept = row["status"] in KEPT
            wanted = granted[order_id] if kept else charge["minor"]
            yield from _sent_back_rightly(order_id, row, sent, wanted)
    for subject in [*charged, *refunds]:
        yield Violation("unknown money", subject, "the gateway knows it, the shop does not")


def _charged_rightly(order_id: str, row: Row, captured: list[Row]) -> Iterator[Violation]:
    keys = [charge["key"] for charge in captured]
    if len(captured) > 1:
        yield Violation("double charge", order_id, f"captured under {keys}")
    if row["status"] in KEPT and not captured:
        yield Violation("not charged", order_id, f"is {row['status']}")
    for charge in captured:
        if (charge["minor"], charge["currency"]) != (row["total_minor"], row["currency"]):
            yield Violation("wrong amount", order_id, f"{charge} of {row['total_minor']}")


def what_staff_sent_back_went_once(records: Records) -> Iterator[Violation]:
    """Each refund that staff asked for under a key, however often, is one refund at most."""
    made = Counter(row["reason"] for row in records.tables["refunds"])
    for line in records.answers:
        if line["what"] not in {"ask refund", "refund"}:
            continue
        times = made[line["key_of_staff"]]
        if times > 1:
            yield Violation("refunded twice", line["order"], f"{times}: {line['key_of_staff']}")
        if line.get("status") == 200 and not times:
            yield Violation("lost", line["order"], f"no {line['key_of_staff']}")


def _granted(records: Records) -> Counter[str]:
    """What staff sent back, by order: of an order that is kept, that much and no more."""
    order_of = {row["id"]: str(row["order_id"]) for row in records.tables["payments"]}
    granted: Counter[str] = Counter()
    for refund in records.tables["refunds"]:
        if refund["status"] == "succeeded":
            granted[order_of[refund["payment_id"]]] += refund["amount_minor"]
    return granted


def _sent_back_rightly(
    order_id: str, row: Row, sent: list[int], wanted: int
) -> Iterator[Violation]:
    if sum(sent) != wanted:
        rule = "money kept" if sum(sent) < wanted else "wrong refund"
        yield Violation(rule, order_id, f"is {row['status']}, refunds {sent} instead of {wanted}")


def payments_say_what_the_gateway_says(records: Records) -> Iterator[Violation]:
    book = {row["key"]: row for row in records.charges}
    for payment in records.tables["payments"]:
        charge = book.get(payment["gateway_key"])
        moved = charge["minor"] if charge and charge["status"] == "captured" else 0
        back = charge["refunded_minor"] if charge else 0
        if (payment["captured_minor"], payment["refunded_minor"]) != (moved, back):
            detail = f"{payment['gateway_key']} is {payment['status']}, the book has {charge}"
            yield Violation("payment and book differ", str(payment["order_id"]), detail)


# -- Stock


COUNTERS: Final = ("on_hand", "allocated", "held")


def _levels(records: Records) -> Iterator[Row]:
    """Every stock level, with what it has in stripes; `sku` says of what."""
    skus = {row["id"]: row["sku"] for row in records.tables["variants"]}
    stripes: dict[Any, Counter[str]] = defaultdict(Counter)
    for stripe in records.tables.get("stock_stripes", []):
        stripes[_place(stripe)].update({name: stripe[name] for name in COUNTERS})
    for row in records.tables["stock_levels"]:
        extra = stripes[_place(row)]
        sums = {name: row[name] + extra[name] for name in COUNTERS}
        yield row | sums | {"sku": skus[row["variant_id"]]}


def _place(row: Row) -> tuple[Any, Any]:
    return row["variant_id"], row["location_id"]


def nothing_is_oversold(records: Records) -> Iterator[Violation]:
    for row in _levels(records):
        left = row["on_hand"] - row["allocated"] - row["held"] + row["backorder_limit"]
        if left < 0 or min(row["allocated"], row["held"]) < 0:
            yield Violation("oversold", row["sku"], f"{row}")
    sold: Counter[str] = Counter()
    lines = records.by_order("order_lines")
    for order_id, order in records.orders.items():
        if order["status"] in LIVE | KEPT:
            sold.update(dict(_units(lines[order_id])))
    for sku, units in sold.items():
        if units > records.stocked[sku]:
            yield Violation("oversold", sku, f"{units} sold of {records.stocked[sku]}")


def the_ledger_is_exact(records: Records) -> Iterator[Violation]:
    sums: dict[Any, Counter[str]] = defaultdict(Counter)
    for row in records.tables["stock_movements"]:
        for name in COUNTERS:
            sums[_place(row)][name] += row[name]
    for row in _levels(records):
        counters = {name: row[name] for name in COUNTERS}
        ledger = {name: sums[_place(row)][name] for name in COUNTERS}
        if counters != ledger:
            yield Violation("ledger", row["sku"], f"{counters}, moved {ledger}")


def levels_count_what_is_promised(records: Records) -> Iterator[Violation]:
    """Allocated is what orders were promised and have not got, held what carts hold."""
    promised: Counter[Any] = Counter()
    for row in records.tables["allocations"]:
        promised[_place(row)] += _unshipped(row)
    held: Counter[Any] = Counter()
    for row in records.tables.get("stock_holds", []):
        held[_place(row)] += row["quantity"] if row["ended"] is None else 0
    for row in _levels(records):
        is_, due = (row["allocated"], row["held"]), (promised[_place(row)], held[_place(row)])
        if is_ != due:
            yield Violation("allocations", row["sku"], f"{is_} allocated and held, not {due}")


def promises_are_those_of_live_orders(records: Records) -> Iterator[Violation]:
    promised: Counter[Any] = Counter()
    shipped: Counter[Any] = Counter()
    for row in records.tables["allocations"]:
        promised[row["order_line_id"]] += _unshipped(row)
        shipped[row["order_line_id"]] += row.get("shipped", 0)
    orders = records.orders
    for row in records.tables["order_lines"]:
        status = orders[str(row["order_id"])]["status"]
        due = row["quantity"] - shipped[row["id"]] if status in LIVE else 0
        if promised[row["id"]] != due:
            detail = f"{row['sku']}: {promised[row['id']]} promised, {due} due, is {status}"
            yield Violation("allocations", str(row["order_id"]), detail)


def _unshipped(row: Row) -> int:
    return 0 if row["released"] else int(row["quantity"] - row.get("shipped", 0))


# -- Work


def nothing_is_stuck(records: Records) -> Iterator[Violation]:
    for order_id, row in records.orders.items():
        if row["status"] == "pending":
            yield Violation("stuck", order_id, "is pending")
    for row in records.tables["payments"]:
        if row["status"] in OPEN_PAYMENTS:
            yield Violation("stuck", str(row["order_id"]), f"payment is {row['status']}")
    for row in records.tables["jobs"]:
        if row["status"] != "done":
            detail = f"{row['effect']} is {row['status']}, {row['attempts']} tries, {row['error']}"
            yield Violation("stuck", row["subject"], detail)


def everybody_is_told(records: Records) -> Iterator[Violation]:
    """One mail at least for each thing that happened to an order."""
    received = Counter(_kind_of(mail) for mail in records.mails)
    orders = records.orders
    expected: Counter[tuple[str, str]] = Counter()
    about: dict[tuple[str, str], str] = {}
    notified = {
        job["event_kind"] for job in records.tables["jobs"] if job["effect"][:5] == "mail_"
    }
    kinds = MAILS | {event: MORE_MAILS[event] for event in MORE_MAILS.keys() & notified}
    for event in records.tables["order_events"]:
        if kind := kinds.get(event["kind"]):
            order_id = str(event["order_id"])
            wanted = (orders[order_id]["email"], kind)
            expected[wanted] += 1
            about[wanted] = order_id
    for wanted, times in expected.items():
        if received[wanted] < times:
            detail = f"{received[wanted]} of {times} mails `{wanted[1]}`"
            yield Violation("not notified", about[wanted], detail)
    for got in received.keys() - expected.keys():
        yield Violation("wrong notification", got[0], f"mail `{got[1]}`")


def duplicate_mails(records: Records) -> int:
    """Mails that came more than once; allowed after a crash."""
    ids = Counter(_message_id(mail) for mail in records.mails)
    return sum(times - 1 for times in ids.values())


def _kind_of(mail: Row) -> tuple[str, str]:
    return mail["to"][0], _message_id(mail).partition("@")[0].rpartition(".")[2]


def _message_id(mail: Row) -> str:
    found = re.search(r"(?im)^message-id:\s*<([^>]+)>", mail["head"])
    return found[1] if found else ""


def _units(lines: list[Row]) -> list[tuple[str, int]]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line["sku"]] += line["quantity"]
    return sorted(units.items())


RULES: Final = (
    no_order_is_lost,
    no_cart_is_ordered_twice,
    every_answer_is_given_again,
    what_was_canceled_stays_so,
    what_was_paid_again_was_tried,
    nothing_fails_unexpectedly,
    money_is_where_it_should_be,
    what_staff_sent_back_went_once,
    payments_say_what_the_gateway_says,
    nothing_is_oversold,
    the_ledger_is_exact,
    levels_count_what_is_promised,
    promises_are_those_of_live_orders,
    nothing_is_stuck,
    everybody_is_told,
)
