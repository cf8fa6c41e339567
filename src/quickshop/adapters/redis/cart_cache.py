"""A cart cache in Redis, shared by all processes. Importing this needs the `redis` extra."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from typing_extensions import override

from quickshop.adapters.redis.server import RedisServer
from quickshop.ports.cache import CART_SECONDS, CachedCart, CartCache

KNOWN_SECONDS: Final = 3600
"""How long the newest version is remembered, so that a slow fill cannot store an older one."""

# KEYS: the copy, the newest version known. ARGV: the version, its seconds, the copy, its seconds.
_PUT: Final = """
local newest = tonumber(redis.call('GET', KEYS[2])) or 0
if tonumber(ARGV[1]) < newest then return end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4])
"""

_FORGET: Final = """
local newest = tonumber(redis.call('GET', KEYS[2])) or 0
if tonumber(ARGV[1]) < newest then return end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
redis.call('DEL', KEYS[1])
"""


class RedisCartCache(CartCache):
    """A `CartCache` for a fleet of processes. Each call is one round trip.

    If an invalidation is lost, the change is visible when the copy expires, after 2 seconds. For a
    single Redis or a primary with replicas, not for a cluster: a script reads a copy and its
    version together.
    """

    keeps = True

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._put = server.redis.register_script(_PUT)
        self._forget = server.redis.register_script(_FORGET)

    @override
    def find(self, cart_id: UUID) -> CachedCart | None:
        found = self._server.ask(lambda: self._server.redis.get(_keys(cart_id)[0]), None)
        return _unpacked(found) if isinstance(found, bytes) else None

    @override
    def put(self, cart_id: UUID, copy: CachedCart) -> None:
        self._server.ask(
            lambda: self._put(
                keys=_keys(cart_id),
                args=[copy.version, KNOWN_SECONDS, _packed(copy), CART_SECONDS],
            ),
            None,
        )

    @override
    def forget(self, cart_id: UUID, *, version: int) -> None:
        self._server.ask(
            lambda: self._forget(keys=_keys(cart_id), args=[version, KNOWN_SECONDS]), None
        )


def _keys(cart_id: UUID) -> list[str]:
    return [f"quickshop:cart:{cart_id.hex}", f"quickshop:cart-version:{cart_id.hex}"]


def _packed(copy: CachedCart) -> bytes:
    owner = copy.customer_id.hex if copy.customer_id else ""
    return f"{copy.version} {copy.token_digest or ''} {owner}\n".encode() + copy.body


def _unpacked(found: bytes) -> CachedCart | None:
    head, _, body = found.partition(b"\n")
    try:
        version, token_digest, owner = head.decode().split(" ")
        return CachedCart(int(version), token_digest or None, UUID(owner) if owner else None, body)
    except ValueError:  # not written by this class
        return None
