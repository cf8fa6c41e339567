"""Many who buy at once: all of them one SKU, or each another of ten thousand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

from quickshop import Money, Shop
from quickshop.application.catalog import NewVariant
from tests.benchmarks.crowd import PROCESSES, Crowd, gathered
from tests.benchmarks.measure import HANDS, Effort, Side, comparison, in_turn
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.report import Row, compared
from tests.benchmarks.stage import Database, Stage

BUYERS: Final = 64
LEFT: Final = 20
"""Units that are left when the measuring is done: for as many of one more crowd."""
WARM: Final = 6 * BUYERS
"""Orders until each connection of the floor has prepared its statements, at the sixth."""
STRIPES: Final = 16
WAIT_SECONDS: Final = 60
"""For a lock or a connection; those who are last in a queue of the floor would else give up."""

# Deferred, so it runs in COMMIT, with every lock still held: as long as a disk would take to sync.
_SLOW_COMMIT: Final = """
CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.001); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow_commit();
"""


# -- One SKU for all


def hot_sku(stage: Stage) -> Iterator[Row]:
    """Plain and striped, beside the same transaction that locks the level before all else."""
    with stage.database() as database:
        yield from _hot(stage, database, "hot_sku", "hot SKU")


def hot_sku_slow_commit(stage: Stage) -> Iterator[Row]:
    """The same where a commit takes 1 ms longer, for either side."""
    with stage.database() as database:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(_SLOW_COMMIT)
        name = "hot_sku_slow_commit"
        yield from _hot(stage, database, name, "hot SKU, commit + 1 ms (pg_sleep, deferred)")


@dataclass(frozen=True, slots=True)
class _Goods:
    """A SKU with exactly as many units as are ordered."""

    crowd: Crowd
    database: Database
    variant: UUID

    def carts(self, number: int) -> range:
        return self.database.carts_of([self.variant], number)

    def warm_up(self) -> None:
        self.crowd.buy(self.carts(WARM), buyers=BUYERS)

    def side(self, effort: Effort, postgres_pid: int) -> Side:
        return lambda: self.crowd.sample(
            self.carts(effort.hot_orders), buyers=BUYERS, postgres_pid=postgres_pid
        )

    def require_exactly_sold(self) -> None:
        """No buyer is refused while there are units, and all are when there are none."""
        outcomes = self.crowd.buy(self.carts(BUYERS), buyers=BUYERS)
        if outcomes != {"placed": LEFT, "out_of_stock": BUYERS - LEFT}:
            raise BenchmarkError(f"{LEFT} units for {BUYERS} buyers: {dict(outcomes)}")


def _hot(stage: Stage, database: Database, name: str, path: str) -> Iterator[Row]:
    units = WARM + (stage.effort.rounds + 1) * stage.effort.hot_orders + LEFT
    with stage.open_shop(database) as shop:
        floor, plain, striped = (_stock(shop, f"HOT-{n}", units) for n in range(3))
        shop.inventory.configure("HOT-2", stripes=STRIPES)
    patient = {"lock_timeout_seconds": WAIT_SECONDS, "database_timeout_seconds": WAIT_SECONDS}
    ours = stage.load_settings(database, **patient)
    all_connected = ours.model_copy(update={"database_pool_size": BUYERS // PROCESSES})
    with gathered(ours) as crowd, gathered(all_connected, lock_first=floor) as rivals:
        goods = [
            _Goods(rivals, database, floor),
            _Goods(crowd, database, plain),
            _Goods(crowd, database, striped),
        ]
        for each in goods:
            each.warm_up()
        sides = [each.side(stage.effort, stage.postgres_pid) for each in goods]
        rounds = in_turn(sides, stage.effort.rounds)
        for each in goods:
            each.require_exactly_sold()
    database.require_not_oversold()
    writers = PROCESSES * ours.database_pool_size
    for place, (form, target) in enumerate((("", 3), (f", {STRIPES} stripes", 4)), start=1):
        yield compared(
            name,
            f"{path}, {BUYERS} buyers{form}",
            comparison([(samples[0], samples[place]) for samples in rounds]),
            target=target,
            by="rate",
            note=f"{PROCESSES} processes, whose pools cap writers at {writers}; floor: FOR UPDATE"
            f" first, {BUYERS} connections. Exactly {units:,} sold, oversold 0",
            units=units,
            oversold=0,
        )


def _stock(shop: Shop, sku: str, units: int) -> UUID:
    """The id of a new variant with so many units."""
    new = NewVariant(sku=sku, price=Money(1999, "USD"))
    product = shop.products.create(title=sku, variants=[new])
    shop.inventory.receive(sku, units)
    return product.variants[0].id


# -- Another SKU for each

SKUS: Final = 10_000
UNITS_EACH: Final = 100
_FIRST: Final = 0xBEEF << 64
_NEW_ID: Final = "lpad(to_hex(48879), 16, '0') || lpad(to_hex(n), 16, '0')"
_MULTIPLY: Final = f"""
INSERT INTO variants
SELECT (jsonb_populate_record(one, jsonb_build_object(
    'id', ({_NEW_ID})::uuid, 'sku', 'UNIFORM-' || n, 'option_key', n::text, 'position', n))).*
FROM variants one, generate_series(0, {SKUS - 1}) n WHERE one.sku = 'UNIFORM';
INSERT INTO stock_levels
SELECT (jsonb_populate_record(level, jsonb_build_object('variant_id', ({_NEW_ID})::uuid))).*
FROM stock_levels level JOIN variants one ON one.id = level.variant_id,
     generate_series(0, {SKUS - 1}) n WHERE one.sku = 'UNIFORM';
INSERT INTO stock_movements (kind, variant_id, location_id, on_hand, allocated, held, reason,
                             occurred_at)
SELECT kind, ({_NEW_ID})::uuid, location_id, on_hand, allocated, held, reason, occurred_at
FROM stock_movements moved JOIN variants one ON one.id = moved.variant_id,
     generate_series(0, {SKUS - 1}) n WHERE one.sku = 'UNIFORM';
ANALYZE variants, stock_levels, stock_movements;
"""
"""One SKU becomes many, as if each had been entered and received."""


def uniform(stage: Stage) -> Iterator[Row]:
    """Each client buys its own SKU, so that only the machine and the pool limit the rate."""
    with stage.database() as database:
        with stage.open_shop(database) as shop:
            _stock(shop, "UNIFORM", UNITS_EACH)
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(_MULTIPLY)
        with gathered(stage.load_settings(database)) as crowd:
            sides = [_buying(stage, database, crowd, clients) for clients in (1, HANDS, BUYERS)]
            rounds = in_turn(sides, stage.effort.rounds)
        database.require_not_oversold()
    for place, clients in ((1, HANDS), (2, BUYERS)):
        yield compared(
            "uniform",
            f"place an order, 1 line of {SKUS:,} SKUs, {clients} clients",
            comparison([(samples[0], samples[place]) for samples in rounds]),
            target=1,
            by="rate",
            note=f"{PROCESSES} processes; floor: 1 client. CPU is all there is; oversold 0",
            oversold=0,
        )


def _buying(stage: Stage, database: Database, crowd: Crowd, clients: int) -> Side:
    variants = [UUID(int=_FIRST + number) for number in range(SKUS)]
    fill: Callable[[], range] = lambda: database.carts_of(variants, stage.effort.hot_orders)  # noqa: E731
    return lambda: crowd.sample(fill(), buyers=clients, postgres_pid=stage.postgres_pid)
