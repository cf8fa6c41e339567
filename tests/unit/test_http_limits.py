"""Who may ask how often over HTTP, and how they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
from starlette.responses import Response

from quickshop.adapters.memory.limits import MemoryRateLimiter
from quickshop.container import open_request_gate
from quickshop.domain.identity import AccountId, ApiKeyId, SessionId
from quickshop.entrypoints.http.edge.addresses import limit_subject_of
from quickshop.entrypoints.http.edge.rate_limits import (
    LOGIN,
    LOGIN_STRANGERS,
    Limits,
    headers_of,
    refusal,
    refused,
)
from quickshop.ports.identity import Caller
from quickshop.ports.limits import Bucket, Decision, Limit
from quickshop.settings import Settings
from tests.contracts.limits import ask, in_a_loop, take, take_often
from tests.unit.test_memory_limits import Seconds

HOME, EMAIL = "203.0.113.7", "owner@example.com"
SOMEBODY = Caller(
    account_id=AccountId(uuid4()), permissions=frozenset(), session_id=SessionId(uuid4())
)
PROGRAM = replace(SOMEBODY, session_id=None, api_key_id=ApiKeyId(uuid4()))


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def limiter(seconds: Seconds) -> MemoryRateLimiter:
    return MemoryRateLimiter(monotonic=seconds)


def said(decisions: Sequence[Decision]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers_of(decisions)}


def test_every_answer_tells_what_is_left(limiter: MemoryRateLimiter) -> None:
    decisions = take(limiter, *Limits().of_request(HOME))
    assert said(decisions) == {
        "ratelimit-policy": '"address";q=1200;w=60',
        "ratelimit": '"address";r=1199;t=1',
    }
    assert refused(decisions) is None


def test_the_tightest_limit_is_told(limiter: MemoryRateLimiter) -> None:
    wide, tight = Bucket(Limit("wide", 100, 60), "a"), Bucket(Limit("tight", 5, 0.5), "a")
    assert said(take(limiter, wide, tight)) == {
        "ratelimit-policy": '"tight";q=5;w=1',
        "ratelimit": '"tight";r=4;t=1',
    }


def problem_of(decisions: Sequence[Decision]) -> Response:
    answer = refused(decisions)
    assert answer is not None
    return answer


def test_whoever_asks_too_often_is_told_when_to_come_back(limiter: MemoryRateLimiter) -> None:
    bucket = Bucket(Limit("slow", 1, 90.5), "a")
    take(limiter, bucket)
    answer = problem_of(take(limiter, bucket))
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "91"
    assert answer.headers["RateLimit"] == '"slow";r=0;t=91'
    problem = json.loads(bytes(answer.body))
    assert (problem["code"], problem["status"]) == ("rate_limited", 429)


def test_nobody_is_told_to_come_back_at_once(limiter: MemoryRateLimiter, seconds: Seconds) -> None:
    bucket = Bucket(Limit("quick", 1, 1), "a")
    take(limiter, bucket)
    seconds.advance(0.999_999)
    assert problem_of(take(limiter, bucket)).headers["Retry-After"] == "1"


def test_of_two_refusals_the_longer_one_is_told(limiter: MemoryRateLimiter) -> None:
    minute, hour = Bucket(Limit("minute", 1, 60), "a"), Bucket(Limit("hour", 1, 3_600), "a")
    take(limiter, minute, hour)
    decisions = take(limiter, minute, hour)
    longest = refusal(decisions)
    assert longest is not None
    assert longest.bucket == hour
    assert problem_of(decisions).headers["Retry-After"] == "3600"


def test_without_limits_nothing_is_said(limiter: MemoryRateLimiter) -> None:
    limits = Limits.of(Settings(rate_limits=False))
    buckets = [
        *limits.of_request(HOME),
        *limits.of_caller(SOMEBODY),
        *limits.of_caller(PROGRAM),
        *limits.of_login(HOME, EMAIL, known=False),
        *limits.of_registration(HOME, EMAIL),
        *limits.of_reset(HOME, EMAIL),
        *limits.of_refresh(HOME),
        *limits.of_own_data(uuid4()),
    ]
    assert headers_of(take(limiter, *buckets)) == buckets == []


def test_every_purpose_is_counted_by_itself() -> None:
    limits, account = Limits(), uuid4()
    buckets = [
        *limits.of_request(HOME),
        *limits.of_caller(SOMEBODY),
        *limits.of_caller(PROGRAM),
        *limits.of_login(HOME, EMAIL, known=False),
        *limits.of_registration(HOME, EMAIL),
        *limits.of_reset(HOME, EMAIL),
        *limits.of_refresh(HOME),
        *limits.of_own_data(account),
    ]
    names = [bucket.limit.name for bucket in buckets]
    assert len(set(names)) == len(names) == 14
    assert not any("owner" in bucket.subject or "203" in bucket.subject for bucket in buckets)


def test_settings_say_how_much_is_general() -> None:
    limits = Limits.of(Settings(rate_limit_per_minute=7, login_limit_per_minute=3))
    general = [
        *limits.of_request(HOME),
        *limits.of_caller(SOMEBODY),
        *limits.of_caller(PROGRAM),
    ]
    assert [(bucket.limit.count, bucket.limit.seconds) for bucket in general] == [(7, 60)] * 3
    assert limits.of_login(HOME, EMAIL, known=True)[0].limit.count == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "unknown", False),
    ],
)
def test_a_household_is_one_address(one: str, other: str, *, same: bool) -> None:
    assert (limit_subject_of(one) == limit_subject_of(other)) is same
    assert (Limits().of_request(one) == Limits().of_request(other)) is same


def log_in(limiter: MemoryRateLimiter, address: str, *, known: bool) -> bool:
    buckets = Limits().of_login(address, EMAIL, known=known)
    return all(decision.allowed for decision in take(limiter, *buckets))


def test_whoever_guesses_passwords_has_to_wait_longer_and_longer(
    limiter: MemoryRateLimiter, seconds: Seconds
) -> None:
    def guess_for(minutes: int) -> int:
        guesses = 0
        for _ in range(minutes):
            while log_in(limiter, HOME, known=False):
                guesses += 1
            seconds.advance(60)
        return guesses

    in_a_minute, in_a_quarter, in_hours = guess_for(1), guess_for(14), guess_for(5 * 60)
    assert in_a_minute == LOGIN[0].count == 5
    assert in_a_quarter <= 2 * LOGIN[1].count
    assert in_hours < LOGIN[2].count


def test_strangers_do_not_lock_the_owner_out(limiter: MemoryRateLimiter) -> None:
    strangers = [f"198.51.100.{n}" for n in range(60)]
    let_in = sum(log_in(limiter, address, known=False) for address in strangers)
    assert let_in == LOGIN_STRANGERS.count
    assert not log_in(limiter, "192.0.2.1", known=False)
    assert log_in(limiter, HOME, known=True)


def test_a_login_that_succeeds_forgives_the_failures_before_it(
    limiter: MemoryRateLimiter,
) -> None:
    while log_in(limiter, HOME, known=True):
        pass
    in_a_loop(limiter, lambda: limiter.clear(Limits().of_failures(HOME, EMAIL)))
    assert log_in(limiter, HOME, known=True)


def test_without_redis_each_process_keeps_to_its_share() -> None:
    gate = open_request_gate(Settings(rate_limit_per_minute=100, api_processes=4))
    (bucket,) = Limits.of(Settings(rate_limit_per_minute=100)).of_request(HOME)
    result = ask(gate, bucket, session="digest", page="bike")
    assert (result.session, result.page) == (None, None)
    assert result.decisions[0].remaining == 24
    assert take_often(gate, 100, bucket) >= 24


def test_a_front_desk_connects_to_nothing_before_it_is_asked() -> None:
    gate = open_request_gate(Settings(redis_url="redis://127.0.0.1:1/0"))
    asyncio.run(gate.close())
