"""Orders while Redis is away, beside the same orders while it is there: guarantee 12."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from tests.benchmarks.buying import check_out
from tests.benchmarks.load import Visitor, drive, expect
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.report import Row
from tests.benchmarks.stage import CART_TOKEN, Stage, cart_id
from tests.fault_proxy import FaultProxy

ORDERS: Final = 400
BUYERS: Final = 4
WORSE_SECONDS: Final = 0.25
"""By how much the 99th percentile may be worse."""


def redis_away(stage: Stage) -> Iterator[Row]:
    """Each of the ways in which it can be away, with as many orders, none of which may fail.

    Raises:
        BenchmarkError: an order failed.
    """
    port = urlsplit(stage.valkey.url).port
    assert port is not None, "a server has a port"
    with FaultProxy(port) as proxy, stage.database() as database:
        url = proxy.through(stage.valkey.url)
        with stage.serve(database, redis_url=url, broker_url=stage.valkey.url) as (_, shop_port):
            found = {}
            for name, happen in (
                ("there", proxy.forward),
                ("silent", proxy.black_hole),
                ("refusing", proxy.refuse),
            ):
                happen()
                carts = [str(cart_id(number)) for number in database.carts(ORDERS)]
                seconds: list[float] = []
                hands = [_buying(carts[n::BUYERS], seconds) for n in range(BUYERS)]
                drive(shop_port, hands)
                if len(seconds) < ORDERS:
                    raise BenchmarkError(f"Redis {name}: {len(seconds)} of {ORDERS} orders")
                found[name] = _percentile(seconds, 99)
    there = found.pop("there")
    name, worst = max(found.items(), key=lambda each: each[1])
    yield Row(
        name="redis_away",
        path=f"99th percentile of {ORDERS} orders, Redis {name} against there",
        value=worst - there,
        unit="s",
        target=WORSE_SECONDS,
        bound="at most",
        here=f"{1000 * worst:,.0f} ms",
        floor=f"{1000 * there:,.0f} ms",
        note=f"{ORDERS} of {ORDERS} orders each",
        details={f"p99_seconds_{name}": value for name, value in found.items()},
    )


def _buying(carts: list[str], seconds: list[float]) -> Visitor:
    for cart in carts:
        begun = perf_counter()
        expect((yield check_out(cart, CART_TOKEN)), 201)
        seconds.append(perf_counter() - begun)


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[len(values) * percent // 100 - 1]
