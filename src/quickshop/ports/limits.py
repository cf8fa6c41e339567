"""How often somebody may ask, and the one question that a hot path asks before it answers."""

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
    """At most `count` at once, and after that one more every `seconds / count`.

    The generic cell rate algorithm (ITU-T I.371): a bucket is one moment in time, the one at which
    it would be full again, so that nothing has to be refilled by anybody. `name` is shown to
    callers: printable ASCII without quotes.
    """

    name: str
    count: int
    seconds: float

    def __post_init__(self) -> None:
        """Refuse a limit that allows nothing, or everything.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        if self.count < 1:
            raise InvalidValueError("count", "must be at least 1")
        if self.seconds <= 0:
            raise InvalidValueError("seconds", "must be more than 0")

    @property
    def interval_microseconds(self) -> int:
        """How long it takes until one more is allowed; whole, so that every adapter agrees."""
        return math.ceil(self.seconds * _MICROSECONDS / self.count)

    def divided(self, by: int) -> Limit:
        """The share of one of so many who do not know of each other; never nothing."""
        return self if by == 1 else Limit(self.name, max(1, self.count // by), self.seconds)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one subject has left of a limit. The subject is stored as it is: no personal data."""

    limit: Limit
    subject: str

    @classmethod
    def of(cls, limit: Limit, *parts: str) -> Self:
        """For a subject made of what must not be stored, as an e-mail address: its SHA-256."""
        digest = sha256()
        for part in parts:
            data = part.encode(errors="surrogatepass")
            digest.update(b"%d:%b" % (len(data), data))
        return cls(limit, digest.hexdigest()[:_DIGITS])


@dataclass(frozen=True, slots=True)
class Decision:
    """What a limit says. `allowed` is about this bucket alone."""

    bucket: Bucket
    allowed: bool
    remaining: int
    """How many more would be allowed now."""
    reset_seconds: float
    """Until nothing of it is used."""
    retry_after_seconds: float
    """Until what was refused would be allowed; 0 when it was allowed."""


class RateLimiter(Protocol):
    """Counts what is asked, exactly, however many ask at once. Safe to share between threads.

    Never raises, and is never unlimited: while the place where all processes count together is
    away, each counts by itself, to its share of the limit; and comes back by itself.
    """

    async def take(self, buckets: Sequence[Bucket], *, cost: int = 1) -> Sequence[Decision]:
        """Take `cost` out of every bucket, or out of none if one refuses: a decision for each.

        A bucket that is named twice is charged once. What costs more than a limit's count is
        never allowed.
        """
        ...

    async def clear(self, buckets: Sequence[Bucket]) -> None:
        """Forgive all that was taken out of these."""
        ...

    async def close(self) -> None:
        """Let go of the connections of the event loop that this runs in."""
        ...


@dataclass(frozen=True, slots=True)
class GateResult:
    """What was found out at the front gate; nothing but decisions if one of them is a refusal."""

    decisions: Sequence[Decision]
    session: bytes | None
    page: CachedPage | None


class RequestGate(RateLimiter, Protocol):
    """A rate limiter that looks up, in the same breath, what a hot path will want next."""

    async def ask(
        self, buckets: Sequence[Bucket], *, session: str | None = None, page: str | None = None
    ) -> GateResult:
        """Take one out of each bucket; and find a session's copy and a product page by their keys.

        The one is what `SessionCache.find` would find, the other what `ProductCache.current`
        would. Whatever cannot be looked up is None. Never raises.
        """
        ...
