"""Product pages in Redis, shared by all processes. Importing this needs the `redis` extra."""

from __future__ import annotations

from typing import Final

from typing_extensions import override

from quickshop.adapters.redis.server import RedisServer
from quickshop.ports.cache import CachedPage, ProductCache

PAGE_SECONDS: Final = 3600
POINTER_SECONDS: Final = 2
"""How long the word of the cache is taken for which page is current."""
FORGOTTEN_SECONDS: Final = 5
"""How long after `forget` a page that was rendered before it is kept out."""
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


class RedisProductCache(ProductCache):
    """A `ProductCache` for a fleet of processes. Each call is one round trip.

    Fails open: what `server` has no answer from counts as empty.

    How stale a page can be. `current` believes a pointer for 2 seconds, so a lost invalidation
    costs no more than that. A slow fill (read before a change, put after it) never replaces a
    newer page that was put within the last hour; and for 5 seconds after `forget` it cannot bring
    back the page that was forgotten. One that is slower still, and that nobody put a newer page
    before, is believed for the 2 seconds of its pointer and no longer.

    For a single Redis or a primary with replicas, not for a cluster: the pages and their pointers
    are read together.
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
                # What was forgotten does not count: this etag has just come from the database.
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
    """Where it stands which page of an id or handle is current."""
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
