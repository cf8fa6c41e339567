"""Shipping, canceling and refunding one order at once: one wins, and nothing ships twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

from quickshop.domain.errors import QuickShopError
from quickshop.domain.orders import OrderStatus
from quickshop.ports.orders import OrderView
from quickshop.shop import Shop
from tests.integration.buyers import Buyers, open_buyers, problems, stock

ROUNDS = 8


def paid_order(buyers: Buyers, quantity: int = 2) -> OrderView:
    placed = buyers.check_out(buyers.fill("MUG", "CUP", quantity=quantity))
    buyers.shop.run_jobs()
    return buyers.shop.orders.get(placed.order.id)


def outcomes(*calls: Callable[[], object]) -> list[str]:
    """What came of calls that began together: `done`, or the code of the error."""
    together = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        together.wait(30)
        try:
            call()
        except QuickShopError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def shipped(order: OrderView) -> Counter[str]:
    """Units of each SKU that are in parcels."""
    units: Counter[str] = Counter()
    for parcel in order.fulfillments:
        for item in parcel.lines:
            units[item.sku] += item.quantity
    return units


def on_hand(shop: Shop, sku: str) -> tuple[int, int]:
    level = shop.inventory.list(sku=sku).items[0]
    return level.on_hand, level.allocated


def test_of_those_who_ship_and_cancel_at_once_one_wins(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        orders, gone = buyers.shop.orders, 0
        for sku in ("MUG", "CUP"):
            stock(buyers.shop, sku, 100)
        for _ in range(ROUNDS):
            order = paid_order(buyers)
            found = outcomes(
                partial(orders.cancel, order.id),
                partial(orders.fulfill, order.id),
                partial(orders.cancel, order.id),
                partial(orders.fulfill, order.id),
            )
            assert Counter(found) == {"done": 1, "order_state": 3}
            after = orders.get(order.id)
            won = OrderStatus.FULFILLED if "done" in found[1::2] else OrderStatus.CANCELED
            assert after.status is won
            gone += 2 if won is OrderStatus.FULFILLED else 0
            assert len(after.fulfillments) == (won is OrderStatus.FULFILLED)
            assert on_hand(buyers.shop, "MUG") == (100 - gone, 0)
        buyers.shop.run_jobs()
        assert problems(buyers.shop) == []


def test_many_who_ship_the_same_order_ship_it_once(any_database_url: str, tmp_path: Path) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        for sku in ("MUG", "CUP"):
            stock(buyers.shop, sku, 100)
        order = paid_order(buyers, quantity=5)
        fulfill = buyers.shop.orders.fulfill
        found = outcomes(*[partial(fulfill, order.id, lines={"CUP": 2, "MUG": 1})] * 12)
        assert Counter(found) == {"done": 2, "invalid_value": 10}
        after = buyers.shop.orders.get(order.id)
        assert shipped(after) == {"MUG": 2, "CUP": 4}
        assert [parcel.number for parcel in after.fulfillments] == [1, 2]
        assert (on_hand(buyers.shop, "MUG"), on_hand(buyers.shop, "CUP")) == ((98, 3), (96, 1))
        assert Counter(outcomes(*[partial(fulfill, order.id)] * 6))["done"] == 1
        assert shipped(buyers.shop.orders.get(order.id)) == {"MUG": 5, "CUP": 5}
        assert problems(buyers.shop) == []


def test_one_key_ships_one_parcel_however_often_it_is_asked(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        for sku in ("MUG", "CUP"):
            stock(buyers.shop, sku, 100)
        order = paid_order(buyers)

        def ship() -> None:
            buyers.shop.orders.fulfill(order.id, lines={"MUG": 1}, idempotency_key="one")

        found = Counter(outcomes(*[ship] * 16))
        assert set(found) <= {"done", "idempotency_in_progress"}
        assert shipped(buyers.shop.orders.get(order.id)) == {"MUG": 1}


def test_all_the_money_and_all_the_goods_do_not_leave_at_once(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        orders = buyers.shop.orders
        for sku in ("MUG", "CUP"):
            stock(buyers.shop, sku, 100)
        for _ in range(ROUNDS):
            order = paid_order(buyers)
            found = outcomes(partial(orders.refund, order.id), partial(orders.fulfill, order.id))
            parcels = orders.get(order.id).fulfillments
            assert found[0] == "done", "what has shipped may still be refunded"
            assert found[1] == ("done" if parcels else "order_state")
            buyers.shop.run_jobs()
            assert orders.get(order.id).status is OrderStatus.REFUNDED
        assert on_hand(buyers.shop, "MUG")[1] == 0
        assert problems(buyers.shop) == []
