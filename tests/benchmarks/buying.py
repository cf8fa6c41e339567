"""Shoppers over HTTP: adding to a cart, buying from start to end, and buying too much."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from quickshop import Money
from quickshop.application.catalog import NewVariant
from tests.benchmarks import catalog
from tests.benchmarks.load import Visitor, drive, expect, request
from tests.benchmarks.measure import HANDS, Sample, Side, compare, http_side
from tests.benchmarks.processes import BenchmarkError, cpu_seconds
from tests.benchmarks.report import Row, compared
from tests.benchmarks.stage import CART_TOKEN, Database, Stage, cart_id

BUYERS: Final = 16
CALLS: Final = 5
"""HTTP calls from an empty hand to an order."""

ADDRESS: Final = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
ORDER_FORM: Final[dict[str, Any]] = {
    "email": "ada@example.com",
    "shipping_address": ADDRESS,
    "payment": {"method": "card", "token": "tok_ok"},
}


def add_line(cart: str, token: str, sku: str) -> bytes:
    """The request that puts one unit in a cart."""
    return request(
        "POST",
        f"/v1/carts/{cart}/lines",
        body={"sku": sku, "quantity": 1},
        headers={"X-Cart-Token": token},
    )


def check_out(cart: str, token: str) -> bytes:
    """The request that makes an order of a cart."""
    return request(
        "POST",
        f"/v1/carts/{cart}/checkout",
        body=ORDER_FORM,
        headers={"X-Cart-Token": token, "Idempotency-Key": cart},
    )


# -- One line


def cart_line(stage: Stage) -> Iterator[Row]:
    """Into carts that hold no line, one and two."""
    with stage.database() as database, stage.serve(database) as (child, port):

        def visitors() -> list[Visitor]:
            carts = database.carts(2 * stage.effort.orders, filled=False)
            return [_adding(carts[hand::HANDS]) for hand in range(HANDS)]

        side = http_side(port, visitors, [child.pid], stage.effort.seconds)
        comparison = compare(side, stage.hello_side(), stage.effort.rounds)
    yield compared("cart_line", "add a line to a cart", comparison, target=0.1, by="cpu")


def _adding(carts: range) -> Visitor:
    for number in carts:
        for sku in catalog.shelf(number % catalog.SHELVES).skus:
            expect((yield add_line(str(cart_id(number)), CART_TOKEN, sku)), 200)


# -- From start to end


def whole_checkout(stage: Stage) -> Iterator[Row]:
    """The same process pays and mails meanwhile; the floor waits until it is done."""
    with stage.database() as database, stage.serve(database) as (child, port):
        shelves = count()

        def visitors() -> list[Visitor]:
            return [_buying(shelves) for _ in range(BUYERS)]

        pids = {"shop": child.pid, "PostgreSQL": stage.postgres_pid}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        side = http_side(port, visitors, list(pids.values()), 2 * stage.effort.seconds)
        floor = _once_idle(database, stage.hello_side(by="rate"))
        comparison = compare(side, floor, stage.effort.rounds)
        database.wait_until_idle()
        orders = database.ask("SELECT count(*) FROM orders WHERE status = 'paid'")
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    per_order = {name: 1000 * seconds / orders for name, seconds in used.items()}
    yield compared(
        "whole_checkout",
        f"whole guest checkout, {CALLS} calls, {catalog.LINES} lines, {BUYERS} buyers",
        comparison,
        target=0.08,
        by="rate",
        note=f"{comparison.rate / CALLS:,.0f} orders/s; CPU per order: "
        + ", ".join(f"{name} {ms:.1f} ms" for name, ms in per_order.items()),
        orders_per_second=comparison.rate / CALLS,
        orders_paid=orders,
        cpu_milliseconds_per_order=per_order,
    )


def _once_idle(database: Database, floor: Side) -> Side:
    def measure() -> Sample:
        database.wait_until_idle()
        return floor()

    return measure


def _buying(shelves: Iterator[int]) -> Visitor:
    new_cart = request("POST", "/v1/carts")
    while True:
        cart = expect((yield new_cart), 201).json()
        shelf = catalog.shelf(next(shelves) % catalog.SHELVES)
        for sku in shelf.skus:
            expect((yield add_line(cart["id"], cart["token"], sku)), 200)
        expect((yield check_out(cart["id"], cart["token"])), 201)


# -- Too much

STOCK: Final = 100
RIVALS: Final = 400
CROWD: Final = 32
_SCARCE: Final = "SCARCE-1"


def oversell(stage: Stage) -> Iterator[Row]:
    """More buyers than units, all at once.

    Raises:
        BenchmarkError: not exactly the stock was sold.
    """
    with stage.database() as database:
        with stage.open_shop(database) as shop:
            variant = NewVariant(sku=_SCARCE, price=Money(1000, "USD"))
            shop.products.create(title="Scarce", variants=[variant])
            shop.inventory.receive(_SCARCE, STOCK)
        with stage.serve(database) as (_, port):
            carts = [str(cart_id(number)) for number in database.carts(RIVALS, filled=False)]
            statuses: list[int] = []
            drive(port, [_rushing(carts[n::CROWD], statuses) for n in range(CROWD)])
        sold = database.ask("SELECT count(*) FROM orders")
        left = database.ask(
            "SELECT on_hand - allocated - held FROM stock_levels"
            " JOIN variants ON variants.id = variant_id WHERE sku = %s",
            _SCARCE,
        )
    answers = {status: statuses.count(status) for status in set(statuses)}
    if (sold, left, answers) != (STOCK, 0, {201: STOCK, 409: RIVALS - STOCK}):
        raise BenchmarkError(f"{STOCK} in stock: {sold} orders, {left} left, answers {answers}")
    yield Row(
        name="oversell",
        path=f"oversell: {STOCK} in stock, {RIVALS} buyers, {CROWD} at once",
        value=sold,
        unit="orders",
        target=STOCK,
        bound="exactly",
        details={"answers": {str(status): n for status, n in answers.items()}, "left": left},
    )


def _rushing(carts: list[str], statuses: list[int]) -> Visitor:
    for cart in carts:
        expect((yield add_line(cart, CART_TOKEN, _SCARCE)), 200)
    for cart in carts:
        answer = yield check_out(cart, CART_TOKEN)
        statuses.append(answer.status)
