"""Forgetting what has been kept for long enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quickshop.ports.clock import Clock
from quickshop.ports.jobs import JobQueue
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ForgetExpired:
    """Delete what is kept no longer.

    Keys, jobs and imports that are done, holds and sessions that ended, old messages.
    """

    unit_of_work: UnitOfWork
    queue: JobQueue
    clock: Clock
    keep_jobs: timedelta
    keep_webhooks: timedelta
    keep_sessions: timedelta
    keep_imports: timedelta

    def __call__(self) -> int:
        """Tell how many rows went."""
        now = self.clock.now()
        with self.unit_of_work() as tx:
            keys = tx.idempotency.purge_expired(now)
            holds = tx.holds.forget_ended(now - self.keep_jobs)
            webhooks = tx.payment_webhooks.forget_before(now - self.keep_webhooks)
            sessions = tx.sessions.forget_ended(now - self.keep_sessions)
            tokens = tx.one_time_tokens.purge_expired(now)
            imports = tx.imports.forget_finished(now - self.keep_imports)
        rows = keys + holds + webhooks + sessions + tokens + imports
        return rows + self.queue.forget_done(now - self.keep_jobs)
