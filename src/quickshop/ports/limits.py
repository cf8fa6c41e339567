"""Ports of rate limits, and of the one look-up that a hot path makes before it answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, Self

from quickshop.domain.errors import InvalidValueError
from quickshop.ports.cache import CachedPage

_MICROSECONDS: Final = 1_000_000
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` requests at once, and after that one more every `seconds / count`.

    This is the generic cell rate algorithm (ITU-T I.371): a bucket is stored as the time at which
    it will be full again, so that no process has to refill it. `name` is shown to callers:
    printable ASCII without quotes.
    """

    name: str
    count: int
    seconds: float

    def __post_init__(self) -> None:
        """Check the count and the seconds.

        Raises:
            InvalidValueError: `count` is less than 1, or `seconds` is not more than 0.
        """
        if self.count < 1:
            raise InvalidValueError("count", "must be at least 1")
        if self.seconds <= 0:
            raise InvalidValueError("seconds", "must be more than 0")

    @property
    def interval_microseconds(self) -> int:
        """The time until one more request is allowed; whole, so that all adapters agree."""
        return math.ceil(self.seconds * _MICROSECONDS / self.count)

    def divided(self, by: int) -> Limit:
        """Return the share of one of `by` processes that count separately; at least 1."""
        return self if by == 1 else Limit(self.name, max(1, self.count // by), self.seconds)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One subject's use of a limit. The subject is stored as given: no personal data."""

    limit: Limit
    subject: str

    @classmethod
    def of(cls, limit: Limit, *parts: str) -> Self:
        """Return a bucket for the SHA-256 of parts that must not be stored, such as emails."""
        digest = sha256()
        for part in parts:
            data = part.encode(errors="surrogatepass")
            digest.update(b"%d:%b" % (len(data), data))
        return cls(limit, digest.hexdigest()[:_DIGITS])


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of a limit. `allowed` concerns this bucket only."""

    bucket: Bucket
    allowed: bool
    remaining: int
    """Requests that are still allowed now."""
    reset_seconds: float
    """Seconds until the bucket is full again."""
    retry_after_seconds: float
    """Seconds until the refused request would be allowed; 0 if it is allowed."""


class RateLimiter(Protocol):
    """Counts requests exactly, also concurrent ones. Threads may share it.

    It never raises and never stops limiting. While the shared store is unreachable, each process
    counts separately up to its share of the limit, and returns to the store by itself.
    """

    async def take(self, buckets: Sequence[Bucket], *, cost: int = 1) -> Sequence[Decision]:
        """Take `cost` from every bucket, or from none if one refuses. Return a decision for each.

        A bucket that is given twice is charged once. A cost above the limit's count is never
        allowed.
        """
        ...

    async def clear(self, buckets: Sequence[Bucket]) -> None:
        """Reset these buckets to full."""
        ...

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        ...


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of a request gate; only decisions if one of them is a refusal."""

    decisions: Sequence[Decision]
    session: bytes | None
    page: CachedPage | None


class RequestGate(RateLimiter, Protocol):
    """A rate limiter that also looks up, in the same round trip, what a hot path needs."""

    async def ask(
        self, buckets: Sequence[Bucket], *, session: str | None = None, page: str | None = None
    ) -> GateResult:
        """Take 1 from each bucket, and find a cached session and product page by their keys.

        The session is the value of `SessionCache.find`, the page that of `ProductCache.current`.
        A value that cannot be looked up is None. Never raises.
        """
        ...
