"""Forgetting what has been kept for long enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quickshop.ports.clock import Clock
from quickshop.ports.jobs import JobQueue
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ForgetExpired:
    """Delete idempotency keys past their time, and jobs and holds that ended long ago."""

    unit_of_work: UnitOfWork
    queue: JobQueue
    clock: Clock
    keep_jobs: timedelta

    def __call__(self) -> int:
        """Tell how many rows went."""
        now = self.clock.now()
        with self.unit_of_work() as tx:
            keys = tx.idempotency.forget_expired(now)
            holds = tx.holds.forget_ended(now - self.keep_jobs)
        return keys + holds + self.queue.forget_done(now - self.keep_jobs)
