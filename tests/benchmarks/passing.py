"""What stands before a hot path: a limit, a session and a page, in one call or in three."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter
from typing import Final

from quickshop.adapters.redis.cache import RedisProductCache
from quickshop.adapters.redis.server import RedisServer
from quickshop.adapters.redis.sessions import RedisSessionCopies
from quickshop.container import open_front_desk
from quickshop.entrypoints.http.limits import Limits
from quickshop.ports.cache import CachedPage
from quickshop.ports.limits import FrontDesk, Passage
from quickshop.settings import Settings
from tests.benchmarks.measure import Effort, Sample, Side, compare
from tests.benchmarks.processes import BenchmarkError, cpu_seconds
from tests.benchmarks.report import Row, compared
from tests.benchmarks.stage import Stage

SESSION: Final = "a-session"
PRODUCT: Final = "a-product"
BUCKETS: Final = Limits().of_request("203.0.113.7")

Question = Callable[[FrontDesk], Awaitable[Passage]]


def front_desk(stage: Stage) -> Iterator[Row]:
    """One after the other; of a Redis that may be used for everything, by one event loop."""
    url = stage.valkey.url
    server = RedisServer(url)
    RedisSessionCopies(server).keep(SESSION, b"s" * 200, seconds=600)
    settings = Settings(redis_url=url, redis_timeout_seconds=10)
    comparison = compare(
        _side(settings, server, _in_one, stage.effort),
        _side(settings, server, _in_three, stage.effort),
        stage.effort.rounds,
    )
    server.close()
    path = "limit + session + product page: one call, beside three"
    yield compared("front_desk", path, comparison, target=2, by="cpu")


async def _in_one(desk: FrontDesk) -> Passage:
    return await desk.ask(BUCKETS, session=SESSION, page=PRODUCT)


async def _in_three(desk: FrontDesk) -> Passage:
    decisions = await desk.take(BUCKETS)
    session = (await desk.ask([], session=SESSION)).session
    return Passage(decisions, session, (await desk.ask([], page=PRODUCT)).page)


def _side(settings: Settings, server: RedisServer, question: Question, effort: Effort) -> Side:
    page = CachedPage("an-etag", b"p" * 2_000)
    cache = RedisProductCache(server)

    async def ask_for_a_while() -> Sample:
        desk, asked = open_front_desk(settings), 0
        await question(desk)
        used, begin = cpu_seconds(os.getpid()), perf_counter()
        while (seconds := perf_counter() - begin) < effort.seconds:
            if asked % 500 == 0:
                cache.put(PRODUCT, page)  # it is believed for two seconds
                await desk.clear(BUCKETS)
            passage = await question(desk)
            if not passage.session or not passage.page or not passage.decisions[0].allowed:
                raise BenchmarkError(f"the front desk answered {passage}")
            asked += 1
        sample = Sample(asked, seconds, cpu_seconds(os.getpid()) - used)
        await desk.close()
        return sample

    return lambda: asyncio.run(ask_for_a_while())
