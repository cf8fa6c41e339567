"""Limits counted in this process, alone or as one of several."""

from __future__ import annotations

import pytest

from quickshop.adapters.memory.limits import MemoryRateLimiter, MemoryRequestGate
from quickshop.ports.limits import Bucket, Limit
from tests.contracts.limits import (
    FEW,
    HOURLY,
    FrontDeskContract,
    Pass,
    RateLimiterContract,
    a_bucket,
    take,
    take_often,
)
from tests.memory_caches import MemoryProductCache, MemorySessionCache


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def time_passes(seconds: Seconds) -> Pass:
    return seconds.advance


@pytest.fixture
def rate_limiter(seconds: Seconds) -> MemoryRateLimiter:
    return MemoryRateLimiter(monotonic=seconds)


@pytest.fixture
def session_cache() -> MemorySessionCache:
    return MemorySessionCache()


@pytest.fixture
def product_cache() -> MemoryProductCache:
    return MemoryProductCache()


@pytest.fixture
def request_gate(
    session_cache: MemorySessionCache, product_cache: MemoryProductCache
) -> MemoryRequestGate:
    return MemoryRequestGate(session_cache, product_cache)


class TestMemoryRateLimiter(RateLimiterContract):
    pass


class TestMemoryFrontDesk(FrontDeskContract):
    pass


@pytest.mark.parametrize(
    ("count", "processes", "share"), [(100, 4, 25), (100, 3, 33), (3, 4, 1), (1, 1, 1)]
)
def test_processes_that_do_not_know_of_each_other_share_a_limit(
    count: int, processes: int, share: int
) -> None:
    limiter = MemoryRateLimiter(divided_by=processes)
    bucket = a_bucket(Limit("shared", count, 3_600))
    assert take_often(limiter, count + 1, bucket) == share
    assert take(limiter, bucket)[0].bucket.limit.count == count


def test_a_share_comes_back_at_its_own_pace(seconds: Seconds) -> None:
    limiter = MemoryRateLimiter(divided_by=4, monotonic=seconds)
    bucket = a_bucket(HOURLY)
    assert take_often(limiter, 100, bucket) == 25
    seconds.advance(36)
    assert take_often(limiter, 1, bucket) == 0
    seconds.advance(3 * 36)
    assert take_often(limiter, 2, bucket) == 1


def test_a_crowd_does_not_push_out_whoever_has_used_up_a_limit() -> None:
    limiter = MemoryRateLimiter(max_subjects=20)
    tried = a_bucket(FEW)
    take_often(limiter, 3, tried)
    for _ in range(200):
        take(limiter, a_bucket(FEW))
        take(limiter, a_bucket(HOURLY))
    assert not take(limiter, tried)[0].allowed


def test_of_a_crowd_that_has_gone_nothing_is_kept(seconds: Seconds) -> None:
    limiter = MemoryRateLimiter(max_subjects=10, monotonic=seconds)
    for _ in range(10):
        take_often(limiter, 3, a_bucket(FEW))
    seconds.advance(3_600)
    late = [a_bucket(FEW) for _ in range(10)]
    for bucket in late:
        take_often(limiter, 3, bucket)
    assert not any(take(limiter, bucket)[0].allowed for bucket in late)


def test_a_subject_made_of_an_address_does_not_show_it() -> None:
    bucket = Bucket.of(FEW, "shopper@example.com", "203.0.113.7")
    assert len(bucket.subject) == 32
    assert "shopper" not in bucket.subject
    assert bucket == Bucket.of(FEW, "shopper@example.com", "203.0.113.7")
    assert Bucket.of(FEW, "ab", "c") != Bucket.of(FEW, "a", "bc") != Bucket.of(FEW, "abc")
