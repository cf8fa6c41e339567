"""Who calls the library gets one effect per key, for whatever moves stock or money."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest

from quickshop import Money, PaymentSource, open_shop
from quickshop.adapters.sql.tables import metadata
from quickshop.application.checkout import PlacedOrder
from quickshop.domain.errors import IdempotencyMismatchError
from quickshop.shop import Shop
from tests.builders import an_address, new_id
from tests.integration.backends import open_engine
from tests.integration.buyers import Buyers, open_buyers, stock

KEY: Final = "one"
Ask = Callable[[int], Any]
"""The call under test with its key; 1 and 2 ask for different things."""


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def an_order(buyers: Buyers, pay_with: str = "tok_ok") -> PlacedOrder:
    """An order of two mugs, and what followed from it."""
    placed = buyers.check_out(buyers.fill("MUG", quantity=2), pay_with=pay_with)
    buyers.shop.run_jobs()
    return placed


def receive(buyers: Buyers) -> Ask:
    return lambda n: buyers.shop.inventory.receive("MUG", n, idempotency_key=KEY)


def adjust(buyers: Buyers) -> Ask:
    change = buyers.shop.inventory.adjust
    return lambda n: change("MUG", -n, reason="broken", idempotency_key=KEY)


def count(buyers: Buyers) -> Ask:
    return lambda n: buyers.shop.inventory.count("MUG", n, idempotency_key=KEY)


def hold(buyers: Buyers) -> Ask:
    new = buyers.fill("MUG")
    carts = {1: new.cart.id, 2: new_id()}
    return lambda n: buyers.shop.carts.hold(carts[n], new.token, idempotency_key=KEY)


def place(buyers: Buyers) -> Ask:
    new = buyers.fill("MUG", quantity=2)
    return lambda n: buyers.shop.orders.place(
        new.cart.id,
        new.token,
        email=f"ada{n}@example.com",
        shipping_address=an_address(),
        payment=PaymentSource("tok_ok"),
        idempotency_key=KEY,
    )


def pay_again(buyers: Buyers) -> Ask:
    placed = an_order(buyers, pay_with="tok_declined")
    again = buyers.shop.orders.pay_again
    return lambda n: again(
        placed.order.id, placed.token, payment=PaymentSource(f"tok_{n}"), idempotency_key=KEY
    )


def transfer(buyers: Buyers) -> Ask:
    move = buyers.shop.inventory.transfer
    return lambda n: move("MUG", n, to_location="attic", idempotency_key=KEY)


def start_import(buyers: Buyers) -> Ask:
    start = buyers.shop.imports.start
    return lambda n: start(
        BytesIO(b"Handle,Title,Variant Price\nmug,Mug,%d\n" % n), idempotency_key=KEY
    )


def cancel(buyers: Buyers) -> Ask:
    order = an_order(buyers).order.id
    return lambda n: buyers.shop.orders.cancel(order, reason=f"because {n}", idempotency_key=KEY)


def cancel_own(buyers: Buyers) -> Ask:
    placed, stop = an_order(buyers), buyers.shop.orders.cancel_own
    return lambda n: stop(
        placed.order.id, placed.token, reason=f"because {n}", idempotency_key=KEY
    )


def capture(buyers: Buyers) -> Ask:
    order, take = an_order(buyers).order.id, buyers.shop.orders.capture
    return lambda n: take(order, amount=usd(1000 + n), idempotency_key=KEY)


def void(buyers: Buyers) -> Ask:
    orders = {n: an_order(buyers).order.id for n in (1, 2)}
    return lambda n: buyers.shop.orders.void(orders[n], idempotency_key=KEY)


def refund(buyers: Buyers) -> Ask:
    order, send_back = an_order(buyers).order.id, buyers.shop.orders.refund
    return lambda n: send_back(order, amount=usd(n), idempotency_key=KEY)


def fulfill(buyers: Buyers) -> Ask:
    order, ship = an_order(buyers).order.id, buyers.shop.orders.fulfill
    return lambda n: ship(order, lines={"MUG": n}, idempotency_key=KEY)


CALLS: Final[Mapping[str, Callable[[Buyers], Ask]]] = {
    "inventory.receive": receive,
    "inventory.adjust": adjust,
    "inventory.count": count,
    "inventory.transfer": transfer,
    "imports.start": start_import,
    "carts.hold": hold,
    "orders.place": place,
    "orders.pay_again": pay_again,
    "orders.cancel": cancel,
    "orders.cancel_own": cancel_own,
    "orders.capture": capture,
    "orders.void": void,
    "orders.refund": refund,
    "orders.fulfill": fulfill,
}
MANUAL: Final = {"orders.capture", "orders.void"}
"""For these money is set aside first."""


def everything(url: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    with open_engine(url) as engine, engine.connect() as connection:
        return {
            table.name: sorted(connection.execute(table.select()).all(), key=repr)
            for table in metadata.sorted_tables
        }


def without_mark(answer: Any) -> Any:
    """An answer, less its word on whether it is the stored one."""
    return replace(answer, replayed=False) if hasattr(answer, "replayed") else answer


@pytest.mark.parametrize("call", CALLS)
def test_a_call_repeated_with_its_key_has_one_effect_and_the_same_answer(
    any_database_url: str, tmp_path: Path, call: str
) -> None:
    terms = {"capture": "manual" if call in MANUAL else "automatic"}
    with open_buyers(any_database_url, tmp_path, **terms) as buyers:
        stock(buyers.shop, "MUG", 10)
        ask = CALLS[call](buyers)
        before = everything(any_database_url)
        first = ask(1)
        after = everything(any_database_url)
        again = ask(1)
        with pytest.raises(IdempotencyMismatchError):
            ask(2)
        assert before != after == everything(any_database_url)
        assert without_mark(again) == first
        assert getattr(again, "replayed", True)


def takes_a_key(use_case: object) -> bool:
    return "idempotency_key" in inspect.signature(type(use_case).__call__).parameters


def test_every_call_that_takes_a_key_is_tried() -> None:
    with open_shop("memory://") as shop:
        assert set(CALLS) == {
            f"{context.name}.{use_case.name}"
            for context, calls in contexts(shop)
            for use_case in fields(calls)
            if takes_a_key(getattr(calls, use_case.name))
        }


def contexts(shop: Shop) -> list[tuple[Any, Any]]:
    """The parts of a shop that hold use cases."""
    parts = [(part, getattr(shop, part.name)) for part in fields(shop)]
    return [(part, calls) for part, calls in parts if is_dataclass(calls)]
