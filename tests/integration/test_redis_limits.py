"""Limits counted in a real Valkey by all processes, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic

import pytest
from redis import Redis

from quickshop.adapters.redis.limits import RedisRateLimiter
from quickshop.adapters.redis.product_cache import RedisProductCache
from quickshop.adapters.redis.request_gate import RedisRequestGate
from quickshop.adapters.redis.server import FAILURES_UNTIL_OPEN, RedisServer
from quickshop.adapters.redis.session_cache import RedisSessionCache
from quickshop.ports.cache import CachedPage
from quickshop.ports.limits import Bucket
from tests import servers
from tests.contracts.limits import (
    FEW,
    HOURLY,
    FrontDeskContract,
    Pass,
    RateLimiterContract,
    a_bucket,
    ask,
    in_a_loop,
    take,
    take_often,
)
from tests.fault_proxy import FaultProxy
from tests.integration.request_gates import PROCESSES, a_desk, commands_until, talker
from tests.processes import PATIENCE_SECONDS, eventually

PAGE = CachedPage("etag-1", b"{}")


@pytest.fixture
def time_passes(redis: Redis) -> Pass:
    """The clock is the server's, so the buckets are moved instead."""

    def move(seconds: float) -> None:
        for key in redis.scan_iter("quickshop:limit:*"):
            redis.decrby(key, int(seconds * 1e6))

    return move


@pytest.fixture
def request_gate(redis: Redis, own_valkey: servers.Server) -> RedisRequestGate:
    assert not redis.dbsize()
    return a_desk(own_valkey.url)


@pytest.fixture
def rate_limiter(request_gate: RedisRequestGate) -> RedisRateLimiter:
    return request_gate


@pytest.fixture
def copies_server(own_valkey: servers.Server) -> Iterator[RedisServer]:
    asked = RedisServer(own_valkey.url, timeout_seconds=10)
    yield asked
    asked.close()


@pytest.fixture
def session_cache(copies_server: RedisServer) -> RedisSessionCache:
    return RedisSessionCache(copies_server)


@pytest.fixture
def product_cache(copies_server: RedisServer) -> RedisProductCache:
    return RedisProductCache(copies_server)


@pytest.fixture
def distant_desk(
    redis: Redis, valkey_proxy: FaultProxy, own_valkey: servers.Server
) -> RedisRequestGate:
    """By way of the fault proxy; once it gave up it does not try again in here."""
    assert not redis.dbsize()
    return a_desk(valkey_proxy.through(own_valkey.url), timeout_seconds=0.1)


class TestRedisRateLimiter(RateLimiterContract):
    pass


class TestRedisFrontDesk(FrontDeskContract):
    pass


def test_processes_share_a_limit(own_valkey: servers.Server, redis: Redis) -> None:
    assert not redis.dbsize()
    bucket, desks = a_bucket(FEW), [a_desk(own_valkey.url) for _ in range(3)]
    taken = [take(gate, bucket)[0].remaining for gate in desks]
    assert taken == [2, 1, 0]
    assert not take(desks[0], bucket)[0].allowed


def test_every_bucket_goes_by_itself_when_it_is_full_again(
    request_gate: RedisRequestGate, redis: Redis
) -> None:
    wide, narrow = a_bucket(HOURLY), a_bucket(FEW)
    take_often(request_gate, 5, wide, narrow)

    def lasts(bucket: Bucket) -> int:
        (key,) = redis.keys(f"*{bucket.subject}")
        return int(redis.pttl(key))

    assert 3_500_000 < lasts(narrow) <= 3_600_000
    assert 100_000 < lasts(wide) <= 108_000
    assert redis.dbsize() == 2


def test_a_bucket_from_a_clock_that_was_set_back_locks_out_for_no_longer_than_its_period(
    request_gate: RedisRequestGate, redis: Redis
) -> None:
    bucket = a_bucket(FEW)
    take(request_gate, bucket)
    (key,) = redis.keys(f"*{bucket.subject}")
    redis.incrby(key, 10**15)
    refused = take(request_gate, bucket)[0]
    assert not refused.allowed
    assert refused.retry_after_seconds == 1_200


@pytest.mark.parametrize("spoiled", ["", "soon", "nan"])
def test_a_bucket_that_makes_no_sense_is_a_full_one(
    request_gate: RedisRequestGate, redis: Redis, spoiled: str
) -> None:
    bucket = a_bucket(FEW)
    take(request_gate, bucket)
    (key,) = redis.keys(f"*{bucket.subject}")
    redis.set(key, spoiled)
    assert take_often(request_gate, 5, bucket) == 3


def test_asking_costs_one_round_trip(
    request_gate: RedisRequestGate,
    session_cache: RedisSessionCache,
    product_cache: RedisProductCache,
    redis: Redis,
) -> None:
    session_cache.keep("digest", b"copy", seconds=60)
    product_cache.put("bike", PAGE)
    buckets = [a_bucket(FEW), a_bucket(HOURLY), a_bucket(HOURLY)]

    async def asked_thrice() -> list[str]:
        await request_gate.ask(buckets)  # connects, and tells the script
        with redis.monitor() as monitor:
            for _ in range(2):
                result = await request_gate.ask(buckets, session="digest", page="bike")
                assert result.session == b"copy"
                assert result.page == PAGE
            await request_gate.take(buckets)
            session_cache.find("that is all")  # on a connection that is there
            return commands_until(monitor, "that is all")

    assert in_a_loop(request_gate, asked_thrice) == ["EVALSHA"] * 3


def test_it_works_again_after_a_flush(request_gate: RedisRequestGate, redis: Redis) -> None:
    bucket = a_bucket(FEW)

    async def used_before_and_after() -> list[int]:
        remaining = []
        for _ in range(2):
            remaining += [(await request_gate.ask([bucket])).decisions[0].remaining] * 1
            remaining += [(await request_gate.take([bucket]))[0].remaining]
            redis.flushall()
            redis.script_flush()
        return remaining

    assert in_a_loop(request_gate, used_before_and_after) == [2, 1, 2, 1]
    assert take_often(request_gate, 9, bucket) == 3  # so it is Redis that counts


FAILURES = [FaultProxy.black_hole, FaultProxy.refuse]


@pytest.mark.parametrize("fail", FAILURES)
@pytest.mark.parametrize("connected", [True, False])
def test_limits_hold_while_redis_is_away(
    distant_desk: RedisRequestGate,
    valkey_proxy: FaultProxy,
    fail: Callable[[FaultProxy], None],
    *,
    connected: bool,
) -> None:
    bucket = a_bucket(HOURLY)

    async def allowed() -> int:
        if connected:
            await distant_desk.ask([a_bucket(HOURLY)])
        fail(valkey_proxy)
        passages = [
            await distant_desk.ask([bucket], session="digest", page="bike") for _ in range(60)
        ]
        assert {result.session for result in passages} == {None}
        assert {result.page for result in passages} == {None}
        return sum(result.decisions[0].allowed for result in passages)

    assert in_a_loop(distant_desk, allowed) == HOURLY.count // PROCESSES


def test_what_is_forgiven_while_redis_is_away_is_forgiven(
    distant_desk: RedisRequestGate, valkey_proxy: FaultProxy
) -> None:
    valkey_proxy.refuse()
    bucket = a_bucket(HOURLY)
    assert take_often(distant_desk, 30, bucket) == 25
    in_a_loop(distant_desk, lambda: distant_desk.clear([bucket]))
    assert take_often(distant_desk, 30, bucket) == 25


def test_a_redis_that_does_not_answer_is_left_alone_after_a_few_tries(
    distant_desk: RedisRequestGate, valkey_proxy: FaultProxy
) -> None:
    valkey_proxy.black_hole()

    async def ask_often() -> None:
        for _ in range(25):
            await distant_desk.ask([a_bucket(FEW)])
            await distant_desk.take([a_bucket(FEW)])
            await distant_desk.clear([a_bucket(FEW)])

    in_a_loop(distant_desk, ask_often)
    assert valkey_proxy.accepted == FAILURES_UNTIL_OPEN


def test_a_crowd_in_front_of_a_redis_that_does_not_answer_is_counted(
    distant_desk: RedisRequestGate, valkey_proxy: FaultProxy
) -> None:
    valkey_proxy.black_hole()
    bucket = a_bucket(HOURLY)

    async def crowd() -> int:
        asked = [distant_desk.ask([bucket]) for _ in range(100)]
        passages = await asyncio.gather(*asked)
        return sum(result.decisions[0].allowed for result in passages)

    assert in_a_loop(distant_desk, crowd) == HOURLY.count // PROCESSES


def test_a_redis_that_comes_back_counts_again(
    valkey_proxy: FaultProxy, redis: Redis, own_valkey: servers.Server
) -> None:
    gate = a_desk(valkey_proxy.through(own_valkey.url), timeout_seconds=0.1, rest_seconds=0.05)
    bucket = a_bucket(HOURLY)
    valkey_proxy.black_hole()
    take_often(gate, FAILURES_UNTIL_OPEN + 1, bucket)
    assert not redis.dbsize()
    valkey_proxy.forward()

    assert eventually(lambda: bool(take(gate, bucket) and redis.dbsize()))
    assert take(a_desk(own_valkey.url), bucket)[0].remaining < HOURLY.count - 1


def test_a_redis_that_was_killed_counts_again_when_it_is_back(
    redis: Redis, own_valkey: servers.Server
) -> None:
    gate = a_desk(own_valkey.url, rest_seconds=0.05)
    bucket = a_bucket(HOURLY)

    async def story() -> None:
        assert (await gate.take([bucket]))[0].remaining == 99
        own_valkey.crash()
        assert sum([(await gate.take([bucket]))[0].allowed for _ in range(60)]) == 25
        own_valkey.start()
        deadline = monotonic() + PATIENCE_SECONDS
        while not redis.dbsize() and monotonic() < deadline:
            await gate.take([bucket])

    in_a_loop(gate, story)
    assert take(a_desk(own_valkey.url), bucket)[0].remaining == 98


def test_connections_that_were_cut_cost_at_most_one_answer_each(
    redis: Redis, valkey_proxy: FaultProxy, own_valkey: servers.Server
) -> None:
    assert not redis.dbsize()
    gate, bucket = a_desk(valkey_proxy.through(own_valkey.url)), a_bucket(HOURLY)

    async def story() -> list[int]:
        before = (await gate.take([bucket]))[0].remaining
        valkey_proxy.cut()
        await gate.take([bucket])
        return [before, (await gate.take([bucket]))[0].remaining]

    before, after = in_a_loop(gate, story)
    assert before == 99
    assert after in {97, 98}


def test_an_answer_that_was_given_up_is_nobody_elses(
    request_gate: RedisRequestGate,
    session_cache: RedisSessionCache,
    redis: Redis,
) -> None:
    """Requests are abandoned all the time; the next one must not read what they left behind."""
    for name in "ab":
        session_cache.keep(name, name.encode(), seconds=60)

    async def story() -> set[bytes | None]:
        await request_gate.ask([], session="a")
        for steps in range(12):
            redis.client_pause(10)
            abandoned = asyncio.create_task(request_gate.ask([], session="a"))
            for _ in range(steps):
                await asyncio.sleep(0)
            abandoned.cancel()
            await asyncio.wait([abandoned])
        found = [await request_gate.ask([], session="b") for _ in range(20)]
        return {result.session for result in found}

    assert in_a_loop(request_gate, story) == {b"b"}


@pytest.mark.parametrize(
    "answer",
    [
        b"+OK\r\n",
        b":1\r\n",
        b"*0\r\n",
        b"*1\r\n*1\r\n:1\r\n",
        b"*1\r\n*4\r\n+a\r\n+b\r\n+c\r\n+d\r\n",
    ],
)
def test_an_answer_that_makes_no_sense_is_none(answer: bytes) -> None:
    bucket = a_bucket(HOURLY)

    async def story() -> list[int]:
        async with talker(answer) as port:
            gate = a_desk(f"redis://127.0.0.1:{port}/0")
            try:
                remaining = [(await gate.take([bucket]))[0].remaining]
                result = await gate.ask([bucket], session="digest", page="bike")
                return [*remaining, result.decisions[0].remaining]
            finally:
                await gate.close()

    assert asyncio.run(story()) == [24, 23]


def test_an_address_where_nobody_is_makes_an_in_process_limiter() -> None:
    gate = a_desk(f"redis://127.0.0.1:{servers.free_port()}/0")
    bucket = a_bucket(FEW)
    assert take_often(gate, 3, bucket) == 1
    assert ask(gate, bucket).decisions[0].allowed is False


def test_one_desk_serves_several_event_loops_by_turns(request_gate: RedisRequestGate) -> None:
    bucket = a_bucket(FEW)
    loops = [asyncio.new_event_loop() for _ in range(3)]
    taken = [loop.run_until_complete(request_gate.take([bucket]))[0] for loop in loops]
    assert [decision.remaining for decision in taken] == [2, 1, 0]
    for loop in loops:
        loop.run_until_complete(request_gate.close())
        loop.close()
