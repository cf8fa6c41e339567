"""A hot level spread over several rows is the same level."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.adapters.sql.stripes import Counters, spread
from quickshop.adapters.sql.unit_of_work import SqlUnitOfWork
from quickshop.domain.errors import ContentionError, OutOfStockError
from quickshop.domain.inventory import (
    COUNTERS,
    BackInStock,
    LowStock,
    OutOfStock,
    StockLevel,
    StockMovement,
)
from tests.builders import NOW, received, stock_up, store_product
from tests.contracts.backend import Backend
from tests.contracts.inventory import StockRepositoryContract, again
from tests.integration.backends import dialect_of, open_engine, sql_backend
from tests.integration.buyers import open_buyers, problems, stock
from tests.integration.test_holds import at_once, hold


@given(
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(-99, 999),
    st.integers(0, 16),
    st.none() | st.integers(0, 30),
)
def test_spreading_a_level_changes_no_sum(
    allocated: int, held: int, on_hand: int, stripes: int, threshold: int | None
) -> None:
    own, shares = spread(Counters(on_hand, allocated, held), stripes, threshold)
    rows = [own, *shares]
    assert len(shares) == stripes
    assert Counters(*map(sum, zip(*rows, strict=True))) == (on_hand, allocated, held)
    free = [share.on_hand - share.allocated - share.held for share in shares]
    if any(free):
        assert min(free) * stripes > (threshold or 0)


class TestStripedLevels(StockRepositoryContract):
    """Whatever a repository of stock promises, with every level striped as soon as it is open."""

    @pytest.fixture
    def backend(self, database_url: str) -> Iterator[Backend]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(STRIPE_ALL)
        with sql_backend(database_url) as backend:
            yield backend


STRIPE_ALL = """
    CREATE FUNCTION stripe() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE stock_levels SET stripes = 4
            WHERE variant_id = NEW.variant_id AND location_id = NEW.location_id;
        INSERT INTO stock_stripes
            SELECT NEW.variant_id, NEW.location_id, n, 0, 0, 0, 0 FROM generate_series(1, 4) n;
        RETURN NULL;
    END $$;
    CREATE TRIGGER stripe AFTER INSERT ON stock_levels FOR EACH ROW EXECUTE FUNCTION stripe();
"""


def test_400_buyers_of_100_striped_units_are_served_exactly_100(
    database_url: str, tmp_path: Path
) -> None:
    with open_buyers(database_url, tmp_path) as buyers:
        stock(buyers.shop, "HOT", 100)
        buyers.shop.inventory.configure("HOT", stripes=16)
        carts = [buyers.fill("HOT") for _ in range(400)]
        outcomes = buyers.all_at_once(carts, clients=32)
        assert outcomes == {"placed": 100, "out_of_stock": 300}
        (level,) = buyers.shop.inventory.list(sku="HOT").items
        assert (level.allocated, level.available, level.stripes) == (100, 0, 16)
        assert problems(buyers.shop) == []


def test_striping_while_people_buy_loses_no_unit(database_url: str, tmp_path: Path) -> None:
    with open_buyers(database_url, tmp_path) as buyers:
        shop = buyers.shop
        for sku in ("ONE", "TWO"):
            stock(shop, sku, 60)
        carts = [buyers.fill(*order) for order in (("ONE", "TWO"), ("TWO", "ONE")) * 40]
        calls: list[Callable[[], object]] = []
        for n, cart in enumerate(carts):
            calls.append(lambda cart=cart: buyers.check_out(cart))  # type: ignore[misc]
            calls.append(hold(shop, cart))
            if n % 8 == 0:
                stripes = (0, 4, 16)[n % 3]
                calls.append(lambda s=stripes: shop.inventory.configure("TWO", stripes=s))  # type: ignore[misc]
        random.Random(8123).shuffle(calls)
        at_once(calls, clients=8)
        for sku in ("ONE", "TWO"):
            (level,) = shop.inventory.list(sku=sku).items
            assert level.on_hand == 60
            assert level.available >= 0
        assert problems(shop) == []


def test_a_product_page_shows_the_sum_of_its_stripes(database_url: str, tmp_path: Path) -> None:
    with open_buyers(database_url, tmp_path) as buyers:
        stock(buyers.shop, "HOT", 10)
        plain = buyers.shop.products.get("product-hot")
        buyers.shop.inventory.configure("HOT", stripes=4)
        assert buyers.shop.products.get("product-hot").variants[0].available == 10
        etags = {plain.etag}
        for left in (9, 8, 7):
            buyers.check_out(buyers.fill("HOT"))
            page = buyers.shop.products.get("product-hot")
            assert page.variants[0].available == left
            assert page.etag not in etags
            etags.add(page.etag)
        buyers.shop.inventory.configure("HOT", stripes=0)
        assert buyers.shop.products.get("product-hot").etag not in etags
        assert problems(buyers.shop) == []


def test_each_crossing_of_a_striped_level_is_told_once(database_url: str) -> None:
    kinds = (LowStock, OutOfStock, BackInStock)
    reactions = dict.fromkeys(kinds, ("tell",))
    dice = random.Random(8123)
    with open_engine(database_url) as engine, sql_backend(database_url) as backend:
        work = SqlUnitOfWork(engine, dialect_of(database_url), reactions)
        level = stock_up(work, store_product(work).variants[0], 0, backorder_limit=2)
        with work() as tx:
            tx.stock.configure(level, now=NOW, low_stock_threshold=9, stripes=4)
        told = Counter[str]()
        free = 0
        for _ in range(600):
            change = dice.choice((-3, -2, -1, 1, 2, 3)) if free < 20 else -dice.randint(1, 4)
            if free + change < -2:
                continue
            with work() as tx:
                tx.stock.record([StockMovement.adjustment(level, change, reason="x", now=NOW)])
            told["LowStock"] += free > 9 >= free + change
            told["OutOfStock"] += free > -2 >= free + change
            told["BackInStock"] += free <= -2 < free + change
            free += change
        assert again(backend, level).on_hand == free
        with psycopg.connect(database_url) as connection:
            rows = connection.execute("SELECT event_kind, count(*) FROM jobs GROUP BY 1")
            assert dict(rows.fetchall()) == {kind: n for kind, n in told.items() if n}
        assert min(told.values()) > 0


def test_the_crossing_is_told_once_however_many_cross_it_together(database_url: str) -> None:
    with open_engine(database_url) as engine:
        work = SqlUnitOfWork(engine, dialect_of(database_url), {LowStock: ("tell",)})
        level = stock_up(work, store_product(work).variants[0], 120)
        with work() as tx:
            tx.stock.configure(level, now=NOW, low_stock_threshold=37, stripes=8)

        def take(units: int) -> Callable[[], object]:
            def taking() -> None:
                with work() as tx:
                    tx.stock.record([StockMovement.adjustment(level, -units, reason="x", now=NOW)])

            return taking

        assert at_once([take(1)] * 110, clients=8) == {"done": 110}
        with psycopg.connect(database_url) as connection:
            rows = connection.execute("SELECT event_kind, event->>'free' FROM jobs")
            assert rows.fetchall() == [("LowStock", "37")]


def test_a_striped_level_whose_counter_left_its_ledger_is_set_right(database_url: str) -> None:
    with sql_backend(database_url) as backend:
        work = backend.unit_of_work
        level = stock_up(work, store_product(work).variants[0], 10)
        with work() as tx:
            tx.stock.configure(level, now=NOW, stripes=4)
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE stock_stripes SET on_hand = on_hand + 1")
        (found,) = backend.stock_reader.discrepancies()
        assert (found.counter, found.recorded, found.expected) == ("on_hand", 14, 10)
        with work() as tx:
            tx.stock.correct(found)
        assert not backend.stock_reader.discrepancies()
        assert again(backend, level) == level


def test_a_random_life_of_a_striped_level_is_that_of_a_plain_one(database_url: str) -> None:
    dice = random.Random(8123)
    with sql_backend(database_url) as backend:
        work = backend.unit_of_work
        product = store_product(work)
        plain = stock_up(work, product.variants[0], 7, backorder_limit=3)
        other = store_product(work)
        striped = stock_up(work, other.variants[0], 7, backorder_limit=3)
        with work() as tx:
            tx.stock.configure(striped, now=NOW, stripes=4)
        for _ in range(150):
            units = dice.choice((-4, -2, -1, -1, 1, 2))
            done = [moved(backend, level, units) for level in (plain, striped)]
            assert done[0] == done[1]
            now = [again(backend, level) for level in (plain, striped)]
            assert [getattr(now[0], name) for name in COUNTERS] == [
                getattr(now[1], name) for name in COUNTERS
            ]
        assert not backend.stock_reader.discrepancies()


def moved(backend: Backend, level: StockLevel, units: int) -> bool:
    try:
        with backend.unit_of_work() as tx:
            tx.stock.record([received(level, units)])
    except (OutOfStockError, ContentionError):
        return False
    return True
