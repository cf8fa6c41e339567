"""Limits, a session and a product page in one call. Importing this needs the `redis` extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import override

from quickshop.adapters.redis.limits import (
    TAKE,
    RedisRateLimiter,
    arguments_of,
    decisions_of,
    keys_of,
)
from quickshop.adapters.redis.product_cache import CURRENT, PAGE_PREFIX, pointer_of
from quickshop.adapters.redis.server import LuaScript
from quickshop.adapters.redis.session_cache import session_key
from quickshop.ports.cache import CachedPage
from quickshop.ports.limits import Bucket, GateResult, RequestGate

# KEYS: the buckets, then the session if requested, then the pointer of the page if requested.
_ASK: Final = LuaScript(f"""
{TAKE}
{CURRENT}
local asks_session, prefix = ARGV[#ARGV - 1] == '1', ARGV[#ARGV]
local asks_page = prefix ~= ''
local count = #KEYS - (asks_session and 1 or 0) - (asks_page and 1 or 0)
local answer, refused = take(count)
if refused then return {{answer}} end
local session = asks_session and redis.call('GET', KEYS[count + 1])
return {{answer, session, asks_page and current(KEYS[#KEYS], prefix)}}
""")


class RedisRequestGate(RedisRateLimiter, RequestGate):
    """A `RequestGate` for a fleet of processes: each call is one round trip.

    Fails as `RedisRateLimiter` does; the session and the page are then None.
    """

    @override
    async def ask(
        self, buckets: Sequence[Bucket], *, session: str | None = None, page: str | None = None
    ) -> GateResult:
        keys, prefix = keys_of(buckets), ""
        if session is not None:
            keys.append(session_key(session))
        if page is not None:
            keys.append(pointer_of(page))
            prefix = PAGE_PREFIX
        asks_session = int(session is not None)
        answer = await self._server.run(
            _ASK, keys, [*arguments_of(buckets, 1), asks_session, prefix]
        )
        decisions = decisions_of(buckets, answer)
        if decisions is None:
            return GateResult(await self._otherwise.take(buckets), None, None)
        return GateResult(decisions, *_looked_up(answer[1:]))


def _looked_up(found: Sequence[Any]) -> tuple[bytes | None, CachedPage | None]:
    match found:
        case [session, [bytes(etag), bytes(body)]]:
            return session, CachedPage(etag.decode(errors="replace"), body)
        case [session, *_]:
            return session, None
        case _:
            return None, None
