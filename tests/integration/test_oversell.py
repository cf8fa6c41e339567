"""Nothing is sold twice, whoever comes at the same time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from quickshop.adapters.sql.tables import stock_levels
from quickshop.domain.errors import OutOfStockError
from tests.integration.backends import open_engine
from tests.integration.buyers import open_buyers, problems, stock
from tests.integration.conftest import FIGURES


def test_of_400_buyers_of_100_units_exactly_100_are_served(
    any_database_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    database = "SQLite" if any_database_url.startswith("sqlite") else "PostgreSQL"
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "HOT", 100)
        carts = [buyers.fill("HOT") for _ in range(400)]
        outcomes = buyers.all_at_once(carts, clients=32)
        sold, refused = outcomes["placed"], outcomes["out_of_stock"]
        record_property(
            FIGURES,
            f"{len(carts)} buyers, 32 at once, 100 units, {database}:"
            f" {sold} orders, {refused} refusals, {max(0, sold - 100)} oversold",
        )
        assert outcomes == {"placed": 100, "out_of_stock": 300}
        assert buyers.shop.inventory.list(sku="HOT").items[0].available == 0
        assert problems(buyers.shop) == []


def test_stock_at_two_places_is_sold_to_the_last_unit(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "SPLIT", 7)
        buyers.shop.inventory.receive("SPLIT", 6, location="attic")
        carts = [buyers.fill("SPLIT", quantity=2) for _ in range(20)]
        outcomes = buyers.all_at_once(carts, clients=8)
        while "contention" in outcomes:  # told to try again: those who do are served or refused
            again = [buyers.fill("SPLIT", quantity=2) for _ in range(outcomes.pop("contention"))]
            outcomes += buyers.all_at_once(again, clients=1)
        assert outcomes == {"placed": 6, "out_of_stock": 14}
        assert sum(level.available for level in buyers.shop.inventory.list().items) == 1
        assert problems(buyers.shop) == []


def test_the_same_sku_on_two_orders_of_one_cart_is_summed_before_it_is_compared(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "FEW", 3)
        cart = buyers.fill("FEW", "FEW", quantity=2)
        with pytest.raises(OutOfStockError) as refusal:
            buyers.check_out(cart)
        assert (refusal.value.requested, refusal.value.available) == (4, 3)


def test_carts_that_name_skus_in_opposite_orders_never_deadlock(
    database_url: str, tmp_path: Path
) -> None:
    with open_buyers(database_url, tmp_path) as buyers:
        skus = [f"SKU-{n}" for n in range(6)]
        for sku in skus:
            stock(buyers.shop, sku, 1_000)
        carts = [
            buyers.fill(*(skus if n % 2 else reversed(skus)), quantity=1 + n % 3)
            for n in range(120)
        ]
        assert buyers.all_at_once(carts, clients=16) == {"placed": 120}
        with psycopg.connect(database_url) as connection:
            found = connection.execute(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
        assert found == (0,)


def test_what_staff_took_away_is_not_sold(any_database_url: str, tmp_path: Path) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "RARE", 30)
        carts = [buyers.fill("RARE") for _ in range(40)]
        buyers.shop.inventory.adjust("RARE", -10, reason="broken")
        outcomes = buyers.all_at_once(carts, clients=8)
        assert outcomes == {"placed": 20, "out_of_stock": 20}
        with pytest.raises(OutOfStockError):
            buyers.shop.inventory.adjust("RARE", -1, reason="broken as well")
        assert problems(buyers.shop) == []


def test_the_database_itself_refuses_to_promise_more_than_there_is(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "SOLID", 5)
    with open_engine(any_database_url) as engine, pytest.raises(IntegrityError):
        with engine.begin() as connection:
            connection.execute(stock_levels.update().values(allocated=6))


@pytest.mark.parametrize(
    "statement", ["UPDATE stock_movements SET on_hand = 0", "DELETE FROM stock_movements"]
)
def test_the_ledger_can_only_be_added_to(
    any_database_url: str, tmp_path: Path, statement: str
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "SOLID", 5)
        with (
            open_engine(any_database_url) as engine,
            pytest.raises(Exception, match="append-only"),
            engine.begin() as connection,
        ):
            connection.exec_driver_sql(statement)
        assert problems(buyers.shop) == []
