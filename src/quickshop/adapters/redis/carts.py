"""Copies of carts in Redis, shared by all processes. Importing this needs the `redis` extra."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from quickshop.adapters.redis.server import RedisServer
from quickshop.ports.hot_copies import ACTIVE_SECONDS, CART_SECONDS, CartCopy

KNOWN_SECONDS: Final = 3600
"""How long it is known which version is the newest, so that a slow fill puts no older one."""
ACTIVE_KEY: Final = "quickshop:carts-active"
COUNTED_FROM_KEY: Final = "quickshop:carts-counted-from"
"""Since when every cart that was changed is in the set."""

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

# Times are in whole microseconds, which a score holds exactly. Whoever could not tell of a change
# says so with its next one (ARGV[4]): the set is complete only from then on.
_TOUCH: Final = """
local at, lasts = tonumber(ARGV[2]), tonumber(ARGV[3])
local from = tonumber(redis.call('GET', KEYS[2]))
local oldest = string.format('%.0f', math.max(from or at, at - lasts))
if ARGV[4] == '1' then oldest = ARGV[2] end
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', at - lasts))
redis.call('SET', KEYS[2], oldest)
for n = 1, 2 do redis.call('PEXPIRE', KEYS[n], string.format('%.0f', lasts / 1000)) end
"""

_ACTIVE: Final = """
local from = tonumber(redis.call('GET', KEYS[2]))
if not from or from > tonumber(ARGV[1]) then return false end
return redis.call('ZCOUNT', KEYS[1], ARGV[1], '+inf')
"""


class RedisCartCopies:
    """A `CartCopies` for a fleet of processes. Each call is one round trip.

    A change that Redis was not told of is seen after the copy's 2 seconds. For a single Redis or a
    primary with replicas, not for a cluster: a copy and its version are looked at together.
    """

    keeps = True

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._put = server.redis.register_script(_PUT)
        self._forget = server.redis.register_script(_FORGET)
        self._touch = server.redis.register_script(_TOUCH)
        self._active = server.redis.register_script(_ACTIVE)
        self._missed = False

    def find(self, cart_id: UUID) -> CartCopy | None:
        """As `CartCopies.find`."""
        found = self._server.ask(lambda: self._server.redis.get(_keys(cart_id)[0]), None)
        return _unpacked(found) if isinstance(found, bytes) else None

    def put(self, cart_id: UUID, copy: CartCopy) -> None:
        """As `CartCopies.put`."""
        self._server.ask(
            lambda: self._put(
                keys=_keys(cart_id),
                args=[copy.version, KNOWN_SECONDS, _packed(copy), CART_SECONDS],
            ),
            None,
        )

    def forget(self, cart_id: UUID, *, version: int) -> None:
        """As `CartCopies.forget`."""
        self._server.ask(
            lambda: self._forget(keys=_keys(cart_id), args=[version, KNOWN_SECONDS]), None
        )

    def touch(self, cart_id: UUID, at: datetime) -> None:
        """As `CartCopies.touch`."""
        missed = self._missed
        told = self._server.ask(lambda: self._tell(cart_id, at, missed=missed), otherwise=False)
        if missed or not told:
            self._missed = not told

    def active_since(self, at: datetime) -> int | None:
        """As `CartCopies.active_since`."""
        found = self._server.ask(
            lambda: self._active(keys=[ACTIVE_KEY, COUNTED_FROM_KEY], args=[_microseconds(at)]),
            otherwise=None,
        )
        return found if isinstance(found, int) and not self._missed else None

    def _tell(self, cart_id: UUID, at: datetime, *, missed: bool) -> bool:
        self._touch(
            keys=[ACTIVE_KEY, COUNTED_FROM_KEY],
            args=[cart_id.hex, _microseconds(at), ACTIVE_SECONDS * 1_000_000, int(missed)],
        )
        return True


def _keys(cart_id: UUID) -> list[str]:
    return [f"quickshop:cart:{cart_id.hex}", f"quickshop:cart-version:{cart_id.hex}"]


def _microseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _packed(copy: CartCopy) -> bytes:
    owner = copy.customer_id.hex if copy.customer_id else ""
    return f"{copy.version} {copy.token_digest or ''} {owner}\n".encode() + copy.body


def _unpacked(found: bytes) -> CartCopy | None:
    head, _, body = found.partition(b"\n")
    try:
        version, token_digest, owner = head.decode().split(" ")
        return CartCopy(int(version), token_digest or None, UUID(owner) if owner else None, body)
    except ValueError:  # nothing that was put here
        return None
