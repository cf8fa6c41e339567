"""Product pages in Redis, shared by all processes. Importing this needs the `redis` extra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from quickshop.adapters.redis.breaker import CircuitBreaker
from quickshop.domain.errors import MissingExtraError
from quickshop.ports.cache import CachedPage

try:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry
except ImportError as error:
    raise MissingExtraError("redis", "caching product pages in Redis") from error

T = TypeVar("T")

PAGE_SECONDS: Final = 3600
POINTER_SECONDS: Final = 2
"""How long the word of the cache is taken for which page is current."""
FORGOTTEN_SECONDS: Final = 5
"""How long after `forget` a page that was rendered before it is kept out."""
FAILURES_UNTIL_OPEN: Final = 3
REST_SECONDS: Final = 2

_CURRENT: Final = """
local etag = redis.call('GET', KEYS[1])
if not etag then return false end
local body = redis.call('GET', ARGV[1] .. etag)
if not body then return false end
return {etag, body}
"""

# An etag reads `<product>-<version>-<stock version>`. Of two that name the same product the one
# with the higher versions is newer; others cannot be compared, and then the later call is right.
_POINT: Final = """
local function versions(etag)
    local id, version, stock = string.match(etag or '', '^(%x+)%-(%d+)%-(%d+)$')
    return id, tonumber(version), tonumber(stock)
end
local function compare(one, other)
    local id, version, stock = versions(one)
    local other_id, other_version, other_stock = versions(other)
    if not id or id ~= other_id then return nil end
    if version ~= other_version then return version - other_version end
    return stock - other_stock
end
local current, newest, forgotten = KEYS[2], KEYS[3], KEYS[4]
local etag, pointer_seconds, page_seconds = ARGV[1], ARGV[2], ARGV[3]
local to_newest = compare(etag, redis.call('GET', newest))
local to_forgotten = forgotten and compare(etag, redis.call('GET', forgotten))
if (to_newest and to_newest < 0) or (to_forgotten and to_forgotten <= 0) then return end
redis.call('SET', current, etag, 'EX', pointer_seconds)
redis.call('SET', newest, etag, 'EX', page_seconds)
"""

_PAGE: Final = f"""
local body = redis.call('GET', KEYS[1])
if body then
    local function point() {_POINT} end
    point()
end
return body
"""

_PUT: Final = f"""
redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[3])
{_POINT}
"""

_FORGET: Final = """
for n = 1, #KEYS, 3 do
    redis.call('DEL', KEYS[n])
    local newest = redis.call('GET', KEYS[n + 1])
    if newest then redis.call('SET', KEYS[n + 2], newest, 'EX', ARGV[1]) end
end
"""


class RedisProductCache:
    """A `ProductCache` for a fleet of processes. Each call is one round trip.

    Fails open: what cannot be reached within `timeout_seconds` counts as empty, and after three
    failures in a row Redis is left alone but for one call every `rest_seconds`.

    How stale a page can be. `current` believes a pointer for 2 seconds, so a lost invalidation
    costs no more than that. A slow fill (read before a change, put after it) never replaces a
    newer page that was put within the last hour; and for 5 seconds after `forget` it cannot bring
    back the page that was forgotten. One that is slower still, and that nobody put a newer page
    before, is believed for the 2 seconds of its pointer and no longer.

    For a single Redis or a primary with replicas, not for a cluster: the pages and their pointers
    are read together.
    """

    keeps = True

    def __init__(
        self, url: str, *, timeout_seconds: float = 0.2, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._breaker = CircuitBreaker(failures=FAILURES_UNTIL_OPEN, rest_seconds=rest_seconds)
        self._current = self._redis.register_script(_CURRENT)
        self._page = self._redis.register_script(_PAGE)
        self._put = self._redis.register_script(_PUT)
        self._forget = self._redis.register_script(_FORGET)

    def current(self, key: str) -> CachedPage | None:
        """As `ProductCache.current`."""
        found = self._ask(
            lambda: self._current(keys=_pointers(key)[:1], args=[_page_key("")]), None
        )
        return CachedPage(found[0].decode(errors="replace"), found[1]) if found else None

    def page(self, key: str, etag: str) -> CachedPage | None:
        """As `ProductCache.page`."""
        body = self._ask(
            lambda: self._page(
                # What was forgotten does not count: this etag has just come from the database.
                keys=[_page_key(etag), *_pointers(key)[:2]],
                args=[etag, POINTER_SECONDS, PAGE_SECONDS],
            ),
            None,
        )
        return CachedPage(etag, body) if body is not None else None

    def put(self, key: str, page: CachedPage) -> None:
        """As `ProductCache.put`."""
        self._ask(
            lambda: self._put(
                keys=[_page_key(page.etag), *_pointers(key)],
                args=[page.etag, POINTER_SECONDS, PAGE_SECONDS, page.body],
            ),
            None,
        )

    def forget(self, *keys: str) -> None:
        """As `ProductCache.forget`."""
        pointers = [pointer for key in keys for pointer in _pointers(key)]
        if pointers:
            self._ask(lambda: self._forget(keys=pointers, args=[FORGOTTEN_SECONDS]), None)

    def is_reachable(self) -> bool:
        """Whether Redis answers, for a health check. Never raises."""
        try:
            return bool(self._redis.ping())
        except (RedisError, OSError):
            return False

    def close(self) -> None:
        """Let go of every connection."""
        self._redis.close()

    def _ask(self, question: Callable[[], T], otherwise: T) -> T:
        if not self._breaker.lets_through():
            return otherwise
        try:
            answer = question()
        except (RedisError, OSError):
            self._breaker.failed()
            return otherwise
        self._breaker.succeeded()
        return answer


def _pointers(key: str) -> list[bytes]:
    name = key.encode(errors="surrogatepass")
    return [
        b"quickshop:product-current:" + name,
        b"quickshop:product-newest:" + name,
        b"quickshop:product-forgotten:" + name,
    ]


def _page_key(etag: str) -> str:
    return f"quickshop:product:{etag}"
