"""Placing an order, beside pgbench doing the same statements on the same tables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final
from uuid import UUID

from sqlalchemy import Engine

from quickshop import Address, PaymentSource, Shop
from quickshop.application.checkout import PlacedOrder
from quickshop.application.shopper import digest
from quickshop.container import build_container
from quickshop.domain.cart import CartId
from tests.benchmarks import catalog
from tests.benchmarks.buying import ADDRESS, ORDER_FORM, check_out
from tests.benchmarks.load import Visitor, drive, sending
from tests.benchmarks.measure import HANDS, Sample, compare, sampled
from tests.benchmarks.pgbench import Pgbench, Script, Statement, commands, recorded
from tests.benchmarks.processes import BenchmarkError, cpu_seconds
from tests.benchmarks.report import Row, compared
from tests.benchmarks.stage import CART_TOKEN, Database, Stage, cart_id

TARGET: Final = 0.45
_KEY: Final = "the-key-of-the-recorded-order"
_PRELUDE: Final = (
    r"\set n :n + 1",
    r"\set cart :first + :n * :clients + :client_id",
    rf"\set variant {catalog.variant_number(0)} + :cart % {catalog.SHELVES} * {catalog.APART}",
)


def order_sql(stage: Stage) -> Iterator[Row]:
    """The use case as a library call, by one client."""
    with stage.database() as database, _floor(stage, database) as floor:
        all_cpu = [os.getpid()]

        def ours() -> Sample:
            carts = database.carts(stage.effort.orders)
            before, begin = cpu_seconds(*all_cpu), perf_counter()
            for number in carts:
                place(floor.shop, number, key=f"order-{number}")
            seconds = perf_counter() - begin
            return Sample(len(carts), seconds, cpu_seconds(*all_cpu) - before)

        def pgbench() -> Sample:
            return floor.pgbench(database.carts(stage.effort.floor_orders), clients=1)

        comparison = compare(ours, pgbench, stage.effort.rounds)
        database.require_not_oversold()
    yield compared(
        "order_sql",
        f"place an order, SQL layer, 1 client, {catalog.LINES} lines",
        comparison,
        target=TARGET,
        by="rate",
        note=f"{floor.commands} statements with BEGIN and COMMIT; floor: pgbench of the same."
        " Oversold 0",
        statements=floor.commands,
        oversold=0,
    )


def order_http(stage: Stage) -> Iterator[Row]:
    """Over HTTP with all that it costs, by eight clients."""
    with (
        stage.database() as database,
        _floor(stage, database) as floor,
        stage.serve(database, broker_url=stage.valkey.url) as (child, port),
    ):

        def ours() -> Sample:
            carts = database.carts(stage.effort.orders)
            visitors = [_ordering(carts[hand::HANDS]) for hand in range(HANDS)]
            return sampled(lambda: drive(port, visitors), [child.pid, stage.postgres_pid])

        def pgbench() -> Sample:
            return floor.pgbench(database.carts(stage.effort.floor_orders * HANDS), clients=HANDS)

        comparison = compare(ours, pgbench, stage.effort.rounds)
        database.require_not_oversold()
    yield compared(
        "order_http",
        f"place an order over HTTP, {HANDS} clients, all CPU",
        comparison,
        target=TARGET,
        by="cpu",
        note="shop and PostgreSQL, without the background work; floor: pgbench at"
        f" {HANDS} clients and PostgreSQL. Oversold 0",
        oversold=0,
    )


def _ordering(carts: range) -> Visitor:
    return sending([check_out(str(cart_id(number)), CART_TOKEN) for number in carts], 201)


def place(shop: Shop, number: int, *, key: str) -> PlacedOrder:
    return shop.orders.place(
        CartId(cart_id(number)),
        CART_TOKEN,
        email=ORDER_FORM["email"],
        shipping_address=Address(**ADDRESS),
        payment=PaymentSource(**ORDER_FORM["payment"]),
        idempotency_key=key,
    )


# -- The floor


@dataclass(frozen=True, slots=True)
class _Floor:
    shop: Shop
    pgbench: Pgbench
    commands: int


@contextmanager
def _floor(stage: Stage, database: Database) -> Iterator[_Floor]:
    """A shop, and pgbench with the statements that the shop was seen to execute."""
    container = build_container(stage.load_settings(database))
    try:
        shop = container.shop()
        statements, script, text = _record(shop, container.engine(), database)
        file = stage.folder / "order.sql"
        file.write_text(text)
        pgbench = Pgbench(
            program=_program(stage),
            url=database.url,
            file=file,
            variables=script.variables,
            postgres_pid=stage.postgres_pid,
            orders=lambda: int(database.ask("SELECT count(*) FROM order_lines")) // catalog.LINES,
        )
        yield _Floor(shop, pgbench, commands(statements))
    finally:
        container.shutdown_resources()


def _program(stage: Stage) -> Path:
    program = Path(stage.postgres.argv[0]).with_name("pgbench")
    if not program.exists():
        raise BenchmarkError(f"no pgbench beside {stage.postgres.argv[0]}")
    return program


def _record(
    shop: Shop, engine: Engine, database: Database
) -> tuple[Sequence[Statement], Script, str]:
    warm, cart = database.carts(2)
    place(shop, warm, key="the-first-connection-asks-more")
    with recorded(engine) as statements:
        placed = place(shop, cart, key=_KEY)
    location = database.ask("SELECT id::text FROM locations")
    script = Script(_fresh(placed, cart, statements, location), int(placed.order.number))
    return statements, script, script.write(_PRELUDE, statements)


def _fresh(
    placed: PlacedOrder, cart: int, statements: Sequence[Statement], location: str
) -> dict[str, str]:
    """The SQL for everything that no two orders share."""
    fresh = {
        str(cart_id(cart)): "lpad(to_hex(:cart::bigint), 32, '0')",
        _KEY: "to_hex(:cart::bigint)",
        digest(placed.token): "repeat(md5(:cart::text), 2)",
    }
    for place, variant in enumerate(catalog.shelf(cart % catalog.SHELVES).variant_ids):
        fresh[str(variant)] = f"lpad(to_hex(:variant::bigint + {place}), 32, '0')"
    for serial, new in enumerate(sorted(_ids_in(statements) - fresh.keys() - {location})):
        # By time, as the ids of the shop: an index grows at its end.
        fresh[new] = f"lpad(to_hex(:cart::bigint * 256 + {serial}), 32, '0')"
    return fresh


def _ids_in(statements: Sequence[Statement]) -> set[str]:
    return {
        str(value)
        for statement in statements
        for values in statement.values
        for value in values.values()
        if isinstance(value, UUID)
    }
