"""What stands before a hot path: a limit, a session and a page, in one call or in three."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter
from typing import Final

from quickshop.adapters.redis.product_cache import RedisProductCache
from quickshop.adapters.redis.server import RedisServer
from quickshop.adapters.redis.session_cache import RedisSessionCache
from quickshop.container import open_request_gate
from quickshop.entrypoints.http.edge.rate_limits import Limits
from quickshop.ports.cache import CachedPage
from quickshop.ports.limits import GateResult, RequestGate
from quickshop.settings import Settings
from tests.benchmarks.measure import Effort, Sample, Side, compare
from tests.benchmarks.processes import BenchmarkError, cpu_seconds
from tests.benchmarks.report import Row, compared
from tests.benchmarks.stage import Stage

SESSION: Final = "a-session"
PRODUCT: Final = "a-product"
BUCKETS: Final = Limits().of_request("203.0.113.7")

Question = Callable[[RequestGate], Awaitable[GateResult]]


def request_gate(stage: Stage) -> Iterator[Row]:
    """One after the other; of a Redis that may be used for everything, by one event loop."""
    url = stage.valkey.url
    server = RedisServer(url)
    RedisSessionCache(server).keep(SESSION, b"s" * 200, seconds=600)
    settings = Settings(redis_url=url, redis_timeout_seconds=10)
    comparison = compare(
        _side(settings, server, _in_one, stage.effort),
        _side(settings, server, _in_three, stage.effort),
        stage.effort.rounds,
    )
    server.close()
    path = "limit + session + product page: one call, beside three"
    yield compared("request_gate", path, comparison, target=2, by="cpu")


async def _in_one(gate: RequestGate) -> GateResult:
    return await gate.ask(BUCKETS, session=SESSION, page=PRODUCT)


async def _in_three(gate: RequestGate) -> GateResult:
    decisions = await gate.take(BUCKETS)
    session = (await gate.ask([], session=SESSION)).session
    return GateResult(decisions, session, (await gate.ask([], page=PRODUCT)).page)


def _side(settings: Settings, server: RedisServer, question: Question, effort: Effort) -> Side:
    page = CachedPage("an-etag", b"p" * 2_000)
    cache = RedisProductCache(server)

    async def ask_for_a_while() -> Sample:
        gate, asked = open_request_gate(settings), 0
        await question(gate)
        used, begin = cpu_seconds(os.getpid()), perf_counter()
        while (seconds := perf_counter() - begin) < effort.seconds:
            if asked % 500 == 0:
                cache.put(PRODUCT, page)  # it is believed for two seconds
                await gate.clear(BUCKETS)
            result = await question(gate)
            if not result.session or not result.page or not result.decisions[0].allowed:
                raise BenchmarkError(f"the front gate answered {result}")
            asked += 1
        sample = Sample(asked, seconds, cpu_seconds(os.getpid()) - used)
        await gate.close()
        return sample

    return lambda: asyncio.run(ask_for_a_while())
