"""Deletion of expired data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quickshop.ports.clock import Clock
from quickshop.ports.jobs import JobQueue
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PurgeExpired:
    """Delete expired data.

    Finished idempotency keys, jobs and imports, ended holds and sessions, and old messages.
    """

    unit_of_work: UnitOfWork
    queue: JobQueue
    clock: Clock
    keep_jobs: timedelta
    keep_webhooks: timedelta
    keep_sessions: timedelta
    keep_imports: timedelta

    def __call__(self) -> int:
        """Return how many rows were deleted."""
        now = self.clock.now()
        with self.unit_of_work() as tx:
            keys = tx.idempotency.purge_expired(now)
            holds = tx.holds.purge_ended(now - self.keep_jobs)
            webhooks = tx.payment_webhooks.purge_before(now - self.keep_webhooks)
            sessions = tx.sessions.purge_ended(now - self.keep_sessions)
            tokens = tx.one_time_tokens.purge_expired(now)
            imports = tx.imports.purge_finished(now - self.keep_imports)
        rows = keys + holds + webhooks + sessions + tokens + imports
        return rows + self.queue.purge_done(now - self.keep_jobs)
