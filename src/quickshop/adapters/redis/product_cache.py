"""Product pages cached in Redis, shared by all processes. Importing needs the `redis` extra."""

from __future__ import annotations

from typing import Final

from typing_extensions import override

from quickshop.adapters.redis.server import RedisServer
from quickshop.ports.cache import CachedPage, ProductCache

PAGE_SECONDS: Final = 3600
POINTER_SECONDS: Final = 2
"""How long the pointer to the current page is valid."""
FORGOTTEN_SECONDS: Final = 5
"""How long after `forget` pages that were rendered before it are rejected."""
PAGE_PREFIX: Final = "quickshop:product:"

CURRENT: Final = """
local function current(pointer, prefix)
    local etag = redis.call('GET', pointer)
    if not etag then return false end
    local body = redis.call('GET', prefix .. etag)
    if not body then return false end
    return {etag, body}
end
"""

# An etag is `<product>-<version>-<stock version>`. For one product, higher versions are newer.
# Other etags cannot be compared, so the later call wins.
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


class RedisProductCache(ProductCache):
    """A `ProductCache` for a fleet of processes. Each call is one round trip.

    Fails open: without an answer from `server` the cache counts as empty.

    How stale a page can be: a pointer is valid for 2 seconds, so a lost invalidation delays a
    change by at most that. A slow fill (read before a change, put after it) never replaces a
    newer page of the last hour, and for 5 seconds after `forget` it cannot restore the page that
    was forgotten. An even slower fill, with no newer page in the cache, is valid for the 2 seconds
    of its pointer.

    For a single Redis or a primary with replicas, not for a cluster: a script reads pages and
    their pointers together.
    """

    keeps = True

    def __init__(self, server: RedisServer) -> None:
        self._ask = server.ask
        self._current = server.redis.register_script(f"{CURRENT} return current(KEYS[1], ARGV[1])")
        self._page = server.redis.register_script(_PAGE)
        self._put = server.redis.register_script(_PUT)
        self._forget = server.redis.register_script(_FORGET)

    @override
    def current(self, key: str) -> CachedPage | None:
        found = self._ask(lambda: self._current(keys=[pointer_of(key)], args=[PAGE_PREFIX]), None)
        return CachedPage(found[0].decode(errors="replace"), found[1]) if found else None

    @override
    def page(self, key: str, etag: str) -> CachedPage | None:
        body = self._ask(
            lambda: self._page(
                # Without the forgotten pointer: this etag has just come from the database.
                keys=[_page_key(etag), *_pointers(key)[:2]],
                args=[etag, POINTER_SECONDS, PAGE_SECONDS],
            ),
            None,
        )
        return CachedPage(etag, body) if body is not None else None

    @override
    def put(self, key: str, page: CachedPage) -> None:
        self._ask(
            lambda: self._put(
                keys=[_page_key(page.etag), *_pointers(key)],
                args=[page.etag, POINTER_SECONDS, PAGE_SECONDS, page.body],
            ),
            None,
        )

    @override
    def forget(self, *keys: str) -> None:
        pointers = [pointer for key in keys for pointer in _pointers(key)]
        if pointers:
            self._ask(lambda: self._forget(keys=pointers, args=[FORGOTTEN_SECONDS]), None)


def pointer_of(key: str) -> bytes:
    """Return the Redis key of the pointer to the current page of an id or handle."""
    return b"quickshop:product-current:" + key.encode(errors="surrogatepass")


def _pointers(key: str) -> list[bytes]:
    name = key.encode(errors="surrogatepass")
    return [
        pointer_of(key),
        b"quickshop:product-newest:" + name,
        b"quickshop:product-forgotten:" + name,
    ]


def _page_key(etag: str) -> str:
    return f"{PAGE_PREFIX}{etag}"
