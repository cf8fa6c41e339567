"""The contract of rate limiters and request gates."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Barrier
from typing import Any, TypeVar

import pytest

from quickshop.ports.cache import CachedPage, ProductCache, SessionCache
from quickshop.ports.limits import Bucket, Decision, GateResult, Limit, RateLimiter, RequestGate

T = TypeVar("T")

HOURLY = Limit("hourly", 100, 3_600)
"""One more every 36 seconds: none comes back while a test runs."""
FEW = Limit("few", 3, 3_600)

Pass = Callable[[float], None]
"""Makes so many seconds pass for every bucket."""

_serial = count(1)


def a_bucket(limit: Limit) -> Bucket:
    return Bucket.of(limit, f"client {next(_serial)}")


def in_a_loop(limiter: RateLimiter, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, in an event loop of its own that leaves no connection behind."""

    async def run() -> T:
        try:
            return await work()
        finally:
            await limiter.close()

    return asyncio.run(run())


def take(limiter: RateLimiter, *buckets: Bucket, cost: int = 1) -> Sequence[Decision]:
    return in_a_loop(limiter, lambda: limiter.take(buckets, cost=cost))


def take_often(
    limiter: RateLimiter, times: int, *buckets: Bucket, start: Barrier | None = None
) -> int:
    """How many of so many tries were allowed by every bucket."""

    async def work() -> int:
        if start is not None:
            start.wait(60)
        tries = [await limiter.take(buckets) for _ in range(times)]
        return sum(all(decision.allowed for decision in decisions) for decisions in tries)

    return in_a_loop(limiter, work)


@contextmanager
def hurried_threads() -> Iterator[None]:
    """Have Python change between threads in the middle of everything."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def ask(
    gate: RequestGate, *buckets: Bucket, session: str | None = None, page: str | None = None
) -> GateResult:
    return in_a_loop(gate, lambda: gate.ask(buckets, session=session, page=page))


class RateLimiterContract:
    """Needs the fixtures `rate_limiter`, and `time_passes`: a `Pass`."""

    def test_as_many_as_the_limit_says_may_come_at_once(self, rate_limiter: RateLimiter) -> None:
        bucket = a_bucket(FEW)
        decisions = [take(rate_limiter, bucket)[0] for _ in range(5)]
        assert [decision.allowed for decision in decisions] == [True, True, True, False, False]
        assert [decision.remaining for decision in decisions] == [2, 1, 0, 0, 0]
        assert decisions[0].bucket == bucket

    def test_one_says_when_to_come_back(self, rate_limiter: RateLimiter) -> None:
        bucket = a_bucket(FEW)
        first, *_, refused = [take(rate_limiter, bucket)[0] for _ in range(4)]
        assert first.retry_after_seconds == 0
        assert first.reset_seconds == 1_200
        assert 1_100 < refused.retry_after_seconds <= 1_200
        assert 3_500 < refused.reset_seconds <= 3_600

    def test_exactly_so_many_of_many_threads_are_let_through(
        self, rate_limiter: RateLimiter
    ) -> None:
        bucket, start = a_bucket(HOURLY), Barrier(32)
        with ThreadPoolExecutor(32) as threads, hurried_threads():
            runs = [
                threads.submit(take_often, rate_limiter, 25, bucket, start=start)
                for _ in range(32)
            ]
            let_through = sum(run.result() for run in runs)
        assert let_through == HOURLY.count

    def test_whoever_used_it_up_gets_one_more_at_a_time(
        self, rate_limiter: RateLimiter, time_passes: Pass
    ) -> None:
        bucket = a_bucket(HOURLY)
        assert take_often(rate_limiter, 101, bucket) == 100
        time_passes(35)
        assert take_often(rate_limiter, 1, bucket) == 0
        time_passes(1)
        assert take_often(rate_limiter, 2, bucket) == 1
        time_passes(360)
        assert take_often(rate_limiter, 15, bucket) == 10

    def test_what_was_not_used_does_not_pile_up(
        self, rate_limiter: RateLimiter, time_passes: Pass
    ) -> None:
        bucket = a_bucket(FEW)
        take(rate_limiter, bucket)
        time_passes(10 * 3_600)
        assert take_often(rate_limiter, 5, bucket) == 3

    def test_subjects_and_limits_do_not_know_of_each_other(
        self, rate_limiter: RateLimiter
    ) -> None:
        mine = a_bucket(FEW)
        assert take_often(rate_limiter, 4, mine) == 3
        assert take_often(rate_limiter, 1, a_bucket(FEW)) == 1
        assert take_often(rate_limiter, 1, Bucket(HOURLY, mine.subject)) == 1

    def test_when_one_bucket_refuses_none_is_charged(self, rate_limiter: RateLimiter) -> None:
        wide, narrow = a_bucket(HOURLY), a_bucket(FEW)
        assert take_often(rate_limiter, 10, wide, narrow) == 3
        decisions = take(rate_limiter, wide, narrow)
        assert [decision.allowed for decision in decisions] == [True, False]
        assert [decision.remaining for decision in decisions] == [97, 0]

    def test_a_bucket_named_twice_is_charged_once(self, rate_limiter: RateLimiter) -> None:
        bucket = a_bucket(FEW)
        assert take_often(rate_limiter, 5, bucket, bucket) == 3

    def test_some_things_cost_more(self, rate_limiter: RateLimiter) -> None:
        bucket = a_bucket(FEW)
        assert take(rate_limiter, bucket, cost=2)[0].remaining == 1
        assert not take(rate_limiter, bucket, cost=2)[0].allowed
        assert take(rate_limiter, bucket)[0].allowed
        assert not take(rate_limiter, a_bucket(FEW), cost=4)[0].allowed

    def test_no_bucket_decides_nothing(self, rate_limiter: RateLimiter) -> None:
        assert list(take(rate_limiter)) == []

    def test_what_was_taken_may_be_forgiven(self, rate_limiter: RateLimiter) -> None:
        bucket, other = a_bucket(FEW), a_bucket(FEW)
        take_often(rate_limiter, 3, bucket, other)
        in_a_loop(rate_limiter, lambda: rate_limiter.clear([bucket, a_bucket(HOURLY)]))
        in_a_loop(rate_limiter, lambda: rate_limiter.clear([]))
        assert take_often(rate_limiter, 4, bucket) == 3
        assert not take(rate_limiter, other)[0].allowed

    @pytest.mark.parametrize("subject", ["", "\ud800", "a\x00b\r\nDEL x", "é" * 300, "{x}"])
    def test_any_text_may_be_a_subject(self, rate_limiter: RateLimiter, subject: str) -> None:
        bucket = Bucket(FEW, subject)
        in_a_loop(rate_limiter, lambda: rate_limiter.clear([bucket]))
        assert take_often(rate_limiter, 4, bucket) == 3

    @pytest.mark.parametrize("times", [1, 7, 1_000_000])
    def test_limits_that_divide_badly_are_kept_to(
        self, rate_limiter: RateLimiter, times: int
    ) -> None:
        bucket = a_bucket(Limit("odd", 7, times * 86_400))
        assert take_often(rate_limiter, 9, bucket) == 7


class FrontDeskContract:
    """Needs the fixtures `request_gate`, and `session_cache` and `product_cache` behind it."""

    def test_whoever_may_pass_finds_session_and_page(
        self, request_gate: RequestGate, session_cache: SessionCache, product_cache: ProductCache
    ) -> None:
        page = CachedPage("etag-1", '{"title": "Crème 🚲"}'.encode())
        session_cache.keep("digest", b"\x00copy", seconds=60)
        product_cache.put("bike", page)
        bucket = a_bucket(FEW)

        result = ask(request_gate, bucket, session="digest", page="bike")

        assert [decision.remaining for decision in result.decisions] == [2]
        assert result.session == b"\x00copy"
        assert result.page == page

    def test_nothing_is_found_that_was_not_asked_for(
        self, request_gate: RequestGate, session_cache: SessionCache, product_cache: ProductCache
    ) -> None:
        page = CachedPage("etag-1", b"{}")
        session_cache.keep("digest", b"copy", seconds=60)
        product_cache.put("bike", page)
        bucket = a_bucket(HOURLY)

        only_session = ask(request_gate, bucket, session="digest")
        only_page = ask(request_gate, page="bike")
        neither = ask(request_gate, bucket, a_bucket(FEW))
        unknown = ask(request_gate, session="another", page="bell")

        assert (only_session.session, only_session.page) == (b"copy", None)
        assert (only_page.session, only_page.page, only_page.decisions) == (None, page, [])
        assert (neither.session, neither.page) == (None, None)
        assert [decision.remaining for decision in neither.decisions] == [98, 2]
        assert (unknown.session, unknown.page) == (None, None)

    def test_whoever_may_not_pass_finds_nothing_and_is_not_charged(
        self, request_gate: RequestGate, session_cache: SessionCache, product_cache: ProductCache
    ) -> None:
        session_cache.keep("digest", b"copy", seconds=60)
        product_cache.put("bike", CachedPage("etag-1", b"{}"))
        narrow, wide = a_bucket(FEW), a_bucket(HOURLY)
        passages = [
            ask(request_gate, narrow, wide, session="digest", page="bike") for _ in range(5)
        ]

        assert [result.session for result in passages] == [b"copy"] * 3 + [None] * 2
        assert [result.page is None for result in passages] == [False] * 3 + [True] * 2
        assert [decision.remaining for decision in passages[-1].decisions] == [0, 97]

    def test_the_desk_and_the_limiter_count_together(self, request_gate: RequestGate) -> None:
        bucket = a_bucket(FEW)
        ask(request_gate, bucket)
        assert take_often(request_gate, 5, bucket) == 2

    def test_a_page_that_was_forgotten_is_not_shown(
        self, request_gate: RequestGate, session_cache: SessionCache, product_cache: ProductCache
    ) -> None:
        session_cache.keep("digest", b"copy", seconds=60)
        product_cache.put("bike", CachedPage("etag-1", b"{}"))
        product_cache.forget("bike")
        session_cache.forget("digest")
        result = ask(request_gate, session="digest", page="bike")
        assert (result.session, result.page) == (None, None)
