"""Holds of many shoppers at once, on real databases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg
from sqlalchemy import update

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.stock_moves import Change, Moved, Place, move_one_by_one
from quickshop.adapters.sql.tables import stock_holds
from quickshop.application.cart import NewCart
from quickshop.domain.errors import QuickShopError
from quickshop.domain.inventory import StockLevel
from quickshop.shop import Shop
from tests.builders import NOW, received, stock_up, store_product
from tests.contracts.backend import Backend
from tests.contracts.inventory import again, allocate, an_order_for, ship
from tests.integration.backends import dialect_of, open_engine, sql_backend
from tests.integration.buyers import open_buyers, problems, stock

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], object]], *, clients: int) -> Counter[str]:
    """How often each outcome came."""

    def outcome(call: Callable[[], object]) -> str:
        try:
            call()
        except QuickShopError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(clients) as pool:
        return Counter(pool.map(outcome, calls))


def hold(shop: Shop, cart: NewCart) -> Callable[[], object]:
    return lambda: shop.carts.hold(cart.cart.id, cart.token)


def expire_all(url: str) -> None:
    with open_engine(url) as engine, engine.begin() as connection:
        connection.execute(update(stock_holds).values(expires_at=NOW))


def test_of_60_shoppers_who_hold_20_units_exactly_20_may_buy(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "HOT", 20)
        carts = [buyers.fill("HOT") for _ in range(60)]
        outcomes = at_once([hold(buyers.shop, cart) for cart in carts], clients=16)
        assert outcomes == {"done": 20, "out_of_stock": 40}
        assert buyers.all_at_once(carts, clients=16) == {"placed": 20, "out_of_stock": 40}
        (level,) = buyers.shop.inventory.list(sku="HOT").items
        assert (level.on_hand, level.allocated, level.held) == (20, 20, 0)
        assert problems(buyers.shop) == []


def test_expired_holds_are_in_the_way_of_nobody_however_many_come(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "HOT", 20)
        stock(buyers.shop, "TOO", 20)
        for _ in range(20):
            hold(buyers.shop, buyers.fill("HOT", "TOO"))()
        expire_all(any_database_url)
        carts = [buyers.fill("TOO", "HOT") for _ in range(40)]
        outcomes = buyers.all_at_once(carts, clients=16)
        assert outcomes == {"placed": 20, "out_of_stock": 20}
        assert [level.held for level in buyers.shop.inventory.list().items] == [0, 0]
        assert problems(buyers.shop) == []


def test_a_cart_held_from_everywhere_at_once_is_held_once(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "ONE", 9)
        cart = buyers.fill("ONE", quantity=3)
        outcomes = at_once([hold(buyers.shop, cart)] * 8, clients=4)
        assert outcomes["done"] >= 1
        assert outcomes.keys() <= {"done", "conflict"}
        assert buyers.shop.inventory.list(sku="ONE").items[0].held == 3
        assert problems(buyers.shop) == []


def test_a_cart_that_is_held_ordered_and_released_at_once_loses_no_unit(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "ONE", 30)
        shop = buyers.shop
        for _ in range(5):
            cart = buyers.fill("ONE", quantity=3)
            hold(shop, cart)()
            at_once(
                [
                    lambda cart=cart: buyers.check_out(cart),  # type: ignore[misc]
                    hold(shop, cart),
                    lambda cart=cart: shop.carts.release(cart.cart.id, cart.token),  # type: ignore[misc]
                    shop.inventory.release_expired_holds,
                ],
                clients=4,
            )
        assert problems(shop) == []
        expire_all(any_database_url)
        shop.inventory.release_expired_holds()
        (level,) = shop.inventory.list(sku="ONE").items
        assert (level.held, level.allocated % 3) == (0, 0)
        assert problems(shop) == []


def test_shoppers_sweepers_and_staff_never_deadlock(database_url: str, tmp_path: Path) -> None:
    with open_buyers(database_url, tmp_path) as buyers:
        skus = [f"SKU-{n}" for n in range(5)]
        for sku in skus:
            stock(buyers.shop, sku, 30)
        shop = buyers.shop
        calls: list[Callable[[], object]] = []
        for n in range(40):
            cart = buyers.fill(*(skus if n % 2 else reversed(skus)))
            calls += [hold(shop, cart), lambda cart=cart: buyers.check_out(cart)]  # type: ignore[misc]
            calls.append(lambda n=n: shop.inventory.count(skus[n % 5], 30))  # type: ignore[misc]
            calls.append(shop.inventory.release_expired_holds)
        outcomes = at_once(calls, clients=8)
        assert outcomes.keys() <= {"done", "conflict", "contention", "cart_completed"} | {
            "out_of_stock"
        }
        assert problems(shop) == []
        with psycopg.connect(database_url) as connection:
            found = connection.execute(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
        assert found == (0,)


def test_whoever_moves_levels_in_any_order_never_deadlocks(database_url: str) -> None:
    dice = random.Random(8123)
    with sql_backend(database_url) as backend:
        levels = levels_of(backend, 8, dice)

        def shuffled() -> Callable[[], object]:
            order = dice.sample(levels, len(levels))

            def record() -> None:
                with backend.unit_of_work() as tx:
                    tx.stock.record([received(level, 1) for level in order])

            return record

        assert at_once([shuffled() for _ in range(80)], clients=8) == {"done": 80}
        assert not backend.stock_reader.discrepancies()


def test_units_that_everybody_ships_at_once_leave_the_shelf_once(any_database_url: str) -> None:
    with sql_backend(any_database_url) as backend:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        calls = [lambda: ship(backend, order, {order.lines[0].id: 3})] * 6
        outcomes = at_once(calls, clients=6)
        assert outcomes["done"] == 1
        assert outcomes.keys() <= {"done", "conflict", "invalid_value"}
        assert again(backend, level).on_hand == 2
        assert not backend.stock_reader.discrepancies()


def levels_of(backend: Backend, count: int, dice: random.Random) -> list[StockLevel]:
    """Levels in the order of locks."""
    levels = [
        stock_up(
            backend.unit_of_work,
            store_product(backend.unit_of_work).variants[0],
            dice.randint(0, 5),
            backorder_limit=dice.randint(0, 3),
        )
        for _ in range(count)
    ]
    return sorted(levels, key=lambda level: (level.sku, level.location_id))


def test_moving_all_levels_in_one_statement_is_moving_them_one_by_one(
    any_database_url: str,
) -> None:
    dice = random.Random(8123)
    with sql_backend(any_database_url) as backend, open_engine(any_database_url) as engine:
        levels = levels_of(backend, 12, dice)
        for _ in range(40):
            chosen = [level for level in levels if dice.random() < 0.6]
            changes = [
                Change(
                    level.variant_id,
                    level.location_id,
                    dice.choice((-2, 0, 1, 1_000_000_000)),
                    dice.choice((0, 0, 2)),
                    dice.choice((0, 1)),
                )
                for level in chosen
            ]
            if not changes:
                continue
            moved: list[dict[Place, Moved | None]] = []
            together = partial(dialect_of(any_database_url).move_levels, low_stock_threshold=None)
            for move in (move_one_by_one, together):
                with engine.connect() as connection:
                    moved.append(dict(move(BatchingConnection(connection), changes)))
                    connection.rollback()
            assert moved[0] == moved[1]
