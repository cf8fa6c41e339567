"""Use cases for the job queue: run, relay, fail and replay jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from threading import Event
from time import monotonic
from typing import Final

from quickshop.application.permissions import needs
from quickshop.application.redaction import redact
from quickshop.domain.errors import TransientError
from quickshop.domain.identity import Permission
from quickshop.ports.clock import Clock
from quickshop.ports.jobs import (
    MAX_FAILURE_LENGTH,
    Job,
    JobId,
    JobPublisher,
    JobQueue,
    JobSignal,
    JobView,
    QueueSize,
    ScheduleRepository,
)
from quickshop.ports.paging import MAX_LIMIT, Page

logger: Final = logging.getLogger("quickshop.jobs")

MAX_ATTEMPTS: Final = 5
"""Attempts before a job fails permanently and becomes a dead letter."""
WARN_FROM_ATTEMPT: Final = 3
"""The first failed attempt that is logged as a warning: a short outage is over by then."""
RETRY_GROWTH: Final = (1, 12, 120, 1_440)
"""Factors of the wait after each failed attempt; they survive an outage of two hours."""

JOBS_PER_SECOND: Final = 20
"""Assumed throughput of a fleet, which limits the jobs handed to a broker per lease."""

Handler = Callable[[Job], None]


class JobOutcome(StrEnum):
    """The result of running a job."""

    DONE = "done"
    SKIPPED = "skipped"
    """The job was already done or had failed permanently."""
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class RunJob:
    """Run one job, from a broker or the local queue."""

    queue: JobQueue
    handlers: Mapping[str, Handler]
    clock: Clock
    lease: timedelta
    first_retry: timedelta
    before_giving_up: Mapping[str, Handler] = field(default_factory=dict)
    """Handlers by effect, run before a job of that effect fails permanently."""

    def __call__(self, job_id: JobId) -> JobOutcome:
        """Run the job. Safe to repeat and to run concurrently. A failed handler is retried later.

        Raises:
            TransientError: the queue cannot be reached; the job stays in it.
        """
        job = self.queue.start(job_id, self.clock.now(), lease=self.lease)
        if job is None:
            return JobOutcome.SKIPPED
        if job.attempts > MAX_ATTEMPTS:
            # Each attempt ended with the worker, so no attempt could report the failure.
            self._fail_for_good(job, "the worker died on every attempt")
            return JobOutcome.DEAD
        try:
            self.handlers[job.effect](job)
        except Exception as error:  # noqa: BLE001 - any error must leave the other jobs running
            return self._fail(job, error)
        self.queue.finish(job_id, self.clock.now())
        return JobOutcome.DONE

    def _fail(self, job: Job, error: Exception) -> JobOutcome:
        # Errors may quote secrets, and reasons are stored and shown to staff.
        said = f"{type(error).__name__}: {error}"[: 2 * MAX_FAILURE_LENGTH]
        reason = redact(said)[:MAX_FAILURE_LENGTH]
        final = job.attempts >= MAX_ATTEMPTS
        logger.log(
            _level_of(error, job.attempts),
            "job %s (%s) failed on attempt %d: %s",
            job.id,
            job.effect,
            job.attempts,
            reason,
            exc_info=None if isinstance(error, TransientError) else error,
            extra={"job_id": job.id, "effect": job.effect, "attempt": job.attempts},
        )
        if final:
            self._fail_for_good(job, reason)
            return JobOutcome.DEAD
        retry_at = self.clock.now() + self.first_retry * RETRY_GROWTH[job.attempts - 1]
        self.queue.fail(job.id, reason, attempt=job.attempts, retry_at=retry_at)
        return JobOutcome.RETRY

    def _fail_for_good(self, job: Job, reason: str) -> None:
        self._close(job)
        self.queue.fail(job.id, reason, attempt=job.attempts, retry_at=None)
        # Only staff can resolve this.
        facts = {"job_id": job.id, "effect": job.effect, "attempt": job.attempts}
        logger.error("job %s (%s) failed permanently", job.id, job.effect, extra=facts)

    def _close(self, job: Job) -> None:
        close = self.before_giving_up.get(job.effect)
        if close is None:
            return
        try:
            close(job)
        except TransientError:
            raise  # the job stays in the queue and fails after its lease
        except Exception:  # the failure of the job must still be recorded
            logger.exception("the final handler of job %s (%s) failed", job.id, job.effect)


def _level_of(error: Exception, attempt: int) -> int:
    if not isinstance(error, TransientError):
        return logging.ERROR
    return logging.INFO if attempt < WARN_FROM_ATTEMPT else logging.WARNING


@dataclass(frozen=True, slots=True)
class RunDueJobs:
    """Run due jobs in this process: the whole worker of an embedded shop."""

    queue: JobQueue
    run_job: RunJob
    clock: Clock

    def __call__(self, *, limit: int | None = None, stop: Event | None = None) -> int:
        """Run jobs until none is due, `limit` have run, or `stop` is set. Return how many ran."""
        ran = 0
        while (limit is None or ran < limit) and not (stop and stop.is_set()):
            # One at a time, so that other workers can take the jobs behind a slow one.
            job_ids = self.queue.claim(self.clock.now(), limit=1, lease=self.run_job.lease)
            if not job_ids:
                break
            self.run_job(job_ids[0])
            ran += 1
        return ran


@dataclass(frozen=True, slots=True)
class RelayJobs:
    """Hand due jobs to the broker. Jobs that it loses are due again after the lease.

    So are jobs that workers have not started. Jobs beyond the workers' capacity per lease
    therefore stay here; handing them over repeatedly would only grow the backlog.
    """

    queue: JobQueue
    publisher: JobPublisher
    clock: Clock
    lease: timedelta
    batch: int = 100

    def __call__(self) -> int:
        """Return how many jobs were handed over; 0 also while the broker holds enough.

        Raises:
            TransientError: the broker cannot be reached; the jobs stay in the queue.
        """
        room = min(self.batch, self._most_waiting - self.publisher.waiting())
        if room <= 0:
            return 0
        job_ids = self.queue.claim(self.clock.now(), limit=room, lease=self.lease)
        if job_ids:
            try:
                self.publisher.publish(job_ids)
            except TransientError:
                self.queue.give_back(job_ids, self.clock.now())
                raise
        return len(job_ids)

    @property
    def _most_waiting(self) -> int:
        return max(self.batch, round(JOBS_PER_SECOND * self.lease.total_seconds()))


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work that is repeated at an interval."""

    name: str
    interval: timedelta
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class RunPeriodicTasks:
    """Run due periodic tasks, once per interval across all schedulers."""

    schedules: ScheduleRepository
    tasks: Sequence[PeriodicTask]
    clock: Clock

    def __call__(self) -> Sequence[str]:
        """Return the names of the tasks that ran here."""
        done = []
        for task in self.tasks:
            if self.schedules.claim(task.name, self.clock.now(), interval=task.interval):
                task.run()
                done.append(task.name)
        return done


@dataclass(frozen=True, slots=True)
class WatchQueue:
    """Work until stopped: wait for jobs, run them, and keep the schedule.

    Anything unreachable is tried again after `poll_seconds`; no outage ends the loop.
    """

    signal: JobSignal
    run_periodic_tasks: RunPeriodicTasks
    poll_seconds: float

    def __call__(self, work: Callable[[], int], *, stop: Event) -> None:
        """Call `work` until it finds nothing more, then wait for a signal; repeat until `stop`."""
        healthy, found, looked_at = True, 0, 0.0
        while not stop.is_set():
            try:
                found = work()
                if not found or monotonic() - looked_at >= self.poll_seconds:
                    self.run_periodic_tasks()
                    looked_at = monotonic()
                healthy = True
            except TransientError as error:
                if healthy:
                    logger.warning("cannot be reached, retrying: %s", error)
                healthy = found = False
            except Exception:  # the loop outlives every failure
                logger.exception("unexpected error, retrying")
                found = False
            if not healthy:
                stop.wait(self.poll_seconds)
            elif not found:
                self.signal.wait(self.poll_seconds)


@needs(Permission.JOBS_READ)
@dataclass(frozen=True, slots=True)
class ListDeadJobs:
    """List the dead letters: jobs that failed permanently."""

    queue: JobQueue

    def __call__(self, *, limit: int = MAX_LIMIT, cursor: str | None = None) -> Page[JobView]:
        """Return dead jobs, oldest first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.queue.dead(limit=limit, cursor=cursor)


@needs(Permission.JOBS_READ)
@dataclass(frozen=True, slots=True)
class GetQueueSize:
    """Return the size of the queue."""

    queue: JobQueue
    clock: Clock
    stuck_after: timedelta

    def __call__(self) -> QueueSize:
        """Return the counts. Overdue jobs should have run long ago, which indicates a fault."""
        return self.queue.size(self.clock.now(), patience=self.stuck_after)


@needs(Permission.JOBS_WRITE)
@dataclass(frozen=True, slots=True)
class ReplayJob:
    """Give a dead job five more attempts."""

    queue: JobQueue
    clock: Clock

    def __call__(self, job_id: JobId) -> bool:
        """Return whether a dead job has this id."""
        return self.queue.replay(job_id, self.clock.now())
