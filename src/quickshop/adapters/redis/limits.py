"""Rate limits in Redis, shared by all processes. Importing this needs the `redis` extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import override

from quickshop.adapters.redis.server import AsyncRedisServer, LuaScript
from quickshop.ports.limits import Bucket, Decision, RateLimiter

FACTS: Final = 4
"""Numbers that the script returns for each bucket."""
_MICROSECONDS: Final = 1_000_000

# A bucket is stored as the time at which it is full again, in microseconds of Redis's clock, so
# the clocks of the processes do not matter. Doubles hold it exactly, but Lua would write it as
# 1.7e+15, hence the format. Every key expires when its bucket is full: a key without a time to
# live would block its subject for ever. If the clock is set back, a bucket counts at most as
# used up.
TAKE: Final = """
local function take(count)
    local answer, full_at, refused = {}, {}, false
    if count == 0 then return answer, refused end
    local time = redis.call('TIME')
    local now, cost = time[1] * 1000000 + time[2], tonumber(ARGV[1])
    local known = redis.call('MGET', unpack(KEYS, 1, count))
    for n = 1, count do
        local interval = tonumber(ARGV[2 * n])
        local burst = interval * ARGV[2 * n + 1]
        local used = math.max(0, math.min((tonumber(known[n]) or 0) - now, burst))
        local excess = used + cost * interval - burst
        if excess > 0 then refused = true end
        full_at[n] = used + cost * interval
        answer[4 * n - 3] = excess > 0 and 0 or 1
        answer[4 * n - 2] = math.floor((burst - used) / interval)
        answer[4 * n - 1] = used
        answer[4 * n] = math.max(0, excess)
    end
    if refused then return answer, refused end
    for n = 1, count do
        local used = full_at[n]
        redis.call('SET', KEYS[n], string.format('%.0f', now + used),
            'PX', string.format('%.0f', math.ceil(used / 1000)))
        answer[4 * n - 2] = answer[4 * n - 2] - cost
        answer[4 * n - 1] = used
    end
    return answer, refused
end
"""

_TAKE: Final = LuaScript(f"{TAKE} return {{(take(#KEYS))}}")
_CLEAR: Final = LuaScript("return redis.call('DEL', unpack(KEYS))")


class RedisRateLimiter(RateLimiter):
    """A `RateLimiter` for a fleet of processes: each call is one round trip.

    Answers within `timeout_seconds`. If Redis does not answer in that time, or its answer is
    invalid, `otherwise` decides. After three failures in a row Redis gets only one call every
    `rest_seconds`. For a single Redis or a primary with replicas, not for a cluster: a script
    reads all buckets together.
    """

    def __init__(self, server: AsyncRedisServer, *, otherwise: RateLimiter) -> None:
        self._server = server
        self._otherwise = otherwise

    @override
    async def take(self, buckets: Sequence[Bucket], *, cost: int = 1) -> Sequence[Decision]:
        if not buckets:
            return []
        answer = await self._server.run(_TAKE, keys_of(buckets), arguments_of(buckets, cost))
        decisions = decisions_of(buckets, answer)
        if decisions is None:
            return await self._otherwise.take(buckets, cost=cost)
        return decisions

    @override
    async def clear(self, buckets: Sequence[Bucket]) -> None:
        if buckets:
            await self._server.run(_CLEAR, keys_of(buckets), [])
            await self._otherwise.clear(buckets)

    @override
    async def close(self) -> None:
        await self._server.close()


def keys_of(buckets: Sequence[Bucket]) -> list[bytes]:
    """Return the Redis keys of the buckets."""
    return [
        f"quickshop:limit:{bucket.limit.name}:{bucket.subject}".encode(errors="surrogatepass")
        for bucket in buckets
    ]


def arguments_of(buckets: Sequence[Bucket], cost: int) -> list[str | int]:
    """Return the arguments of `TAKE`."""
    arguments: list[str | int] = [cost]
    for bucket in buckets:
        arguments += bucket.limit.interval_microseconds, bucket.limit.count
    return arguments


def decisions_of(buckets: Sequence[Bucket], answer: Any) -> Sequence[Decision] | None:
    """Return the decisions in an answer that begins with that of `TAKE`; None if invalid."""
    facts = answer[0] if isinstance(answer, list) and answer else None
    if not isinstance(facts, list) or len(facts) != FACTS * len(buckets):
        return None
    if not all(isinstance(fact, int) for fact in facts):
        return None
    return [
        Decision(
            bucket=bucket,
            allowed=facts[n] == 1,
            remaining=facts[n + 1],
            reset_seconds=facts[n + 2] / _MICROSECONDS,
            retry_after_seconds=facts[n + 3] / _MICROSECONDS,
        )
        for n, bucket in zip(range(0, len(facts), FACTS), buckets, strict=True)
    ]
