"""Rate limits counted in this process."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from typing_extensions import override

from quickshop.ports.cache import ProductCache, SessionCache
from quickshop.ports.limits import Bucket, Decision, GateResult, Limit, RateLimiter, RequestGate

MAX_SUBJECTS: Final = 20_000
"""The most buckets kept for each limit."""
_MAKE_ROOM: Final = 10
"""The fraction of buckets dropped when there is no room: one in this many."""
_MICROSECONDS: Final = 1_000_000


class MemoryRateLimiter(RateLimiter):
    """A `RateLimiter` for one process, or for its share when it is `divided_by` several.

    A bucket is stored as the time at which it is full again. At most `max_subjects` buckets are
    kept for each limit. Those that are full soonest are dropped first, so an attacker who wants
    to push out a bucket must use more of every other one. `monotonic` returns seconds.
    """

    def __init__(
        self,
        *,
        divided_by: int = 1,
        max_subjects: int = MAX_SUBJECTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._divided_by = divided_by
        self._max_subjects = max_subjects
        self._monotonic = monotonic
        self._lock = Lock()
        self._full_at: dict[str, dict[str, int]] = {}
        """Times by limit name and subject, in microseconds of the monotonic clock."""

    @override
    async def take(self, buckets: Sequence[Bucket], *, cost: int = 1) -> Sequence[Decision]:
        """Take without waiting."""
        with self._lock:
            now = int(self._monotonic() * _MICROSECONDS)
            decisions = [self._decide(bucket, cost, now, charge=False) for bucket in buckets]
            if not all(decision.allowed for decision in decisions):
                return decisions
            decisions = [self._decide(bucket, cost, now, charge=True) for bucket in buckets]
            for decision in decisions:
                self._charge(decision, now)
        return decisions

    @override
    async def clear(self, buckets: Sequence[Bucket]) -> None:
        with self._lock:
            for bucket in buckets:
                self._full_at.get(bucket.limit.name, {}).pop(bucket.subject, None)

    @override
    async def close(self) -> None:
        """Do nothing: there are no resources to release."""

    def _decide(self, bucket: Bucket, cost: int, now: int, *, charge: bool) -> Decision:
        limit: Limit = bucket.limit.divided(self._divided_by)
        interval, burst = limit.interval_microseconds, limit.interval_microseconds * limit.count
        full_at = self._full_at.get(bucket.limit.name, {}).get(bucket.subject, now)
        used = max(0, min(full_at - now, burst))
        excess = used + cost * interval - burst
        if charge:
            used += cost * interval
        return Decision(
            bucket=bucket,
            allowed=excess <= 0,
            remaining=(burst - used) // interval,
            reset_seconds=used / _MICROSECONDS,
            retry_after_seconds=max(0, excess) / _MICROSECONDS,
        )

    def _charge(self, decision: Decision, now: int) -> None:
        bucket = decision.bucket
        buckets = self._full_at.setdefault(bucket.limit.name, {})
        if len(buckets) >= self._max_subjects and bucket.subject not in buckets:
            _make_room(buckets, now)
        buckets[bucket.subject] = now + round(decision.reset_seconds * _MICROSECONDS)


def _make_room(buckets: dict[str, int], now: int) -> None:
    """Drop the buckets that are full again, or else those that are full soonest."""
    enough = max(1, len(buckets) // _MAKE_ROOM)
    full = [subject for subject, full_at in buckets.items() if full_at <= now]
    if len(full) < enough:
        full = heapq.nsmallest(enough, buckets, key=buckets.__getitem__)
    for subject in full:
        del buckets[subject]


class MemoryRequestGate(MemoryRateLimiter, RequestGate):
    """A `RequestGate` for one process, with its session cache in the same process."""

    def __init__(
        self,
        sessions: SessionCache,
        pages: ProductCache,
        *,
        divided_by: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(divided_by=divided_by, monotonic=monotonic)
        self._sessions = sessions
        self._pages = pages

    @override
    async def ask(
        self, buckets: Sequence[Bucket], *, session: str | None = None, page: str | None = None
    ) -> GateResult:
        decisions = await self.take(buckets)
        if not all(decision.allowed for decision in decisions):
            return GateResult(decisions, None, None)
        return GateResult(
            decisions,
            self._sessions.find(session) if session is not None else None,
            self._pages.current(page) if page is not None else None,
        )
