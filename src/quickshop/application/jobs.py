"""Use cases about the queue: run what is due, hand it to a fleet, give up, replay."""

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
"""Tries before a job is given up and listed as dead."""
RETRY_GROWTH: Final = (1, 12, 120, 1_440)
"""Wait after the first, second, … failed try, in first ones: two hours of outage lose nothing."""

JOBS_PER_SECOND: Final = 20
"""What a fleet is trusted to do: so many jobs per second of the lease a broker is given."""

Handler = Callable[[Job], None]


class JobOutcome(StrEnum):
    """How running a job ended."""

    DONE = "done"
    SKIPPED = "skipped"
    """Someone had done it, or given it up."""
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class RunJob:
    """Run one job, wherever the order to do so came from."""

    queue: JobQueue
    handlers: Mapping[str, Handler]
    clock: Clock
    lease: timedelta
    first_retry: timedelta
    before_giving_up: Mapping[str, Handler] = field(default_factory=dict)
    """What is left to do for an effect when a job of it is given up, whatever became of it."""

    def __call__(self, job_id: JobId) -> JobOutcome:
        """Safe to repeat and to run twice at once. A failing handler is tried again later.

        Raises:
            TransientError: the queue itself cannot be reached; the job stays in it.
        """
        job = self.queue.start(job_id, self.clock.now(), lease=self.lease)
        if job is None:
            return JobOutcome.SKIPPED
        if job.attempts > MAX_ATTEMPTS:
            # It killed its worker every time, so nobody was left to say that it failed.
            self._fail_for_good(job, "the worker died on every attempt")
            return JobOutcome.DEAD
        try:
            self.handlers[job.effect](job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs go on
            return self._fail(job, error)
        self.queue.finish(job_id, self.clock.now())
        return JobOutcome.DONE

    def _fail(self, job: Job, error: Exception) -> JobOutcome:
        # What an error quotes may be a secret, and reasons are kept, and shown to staff.
        said = f"{type(error).__name__}: {error}"[: 2 * MAX_FAILURE_LENGTH]
        reason = redact(said)[:MAX_FAILURE_LENGTH]
        final = job.attempts >= MAX_ATTEMPTS
        level = logging.INFO if isinstance(error, TransientError) else logging.ERROR
        logger.log(
            level,
            "job %s (%s) failed on try %d: %s",
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
        # Nobody but people can do anything about it now.
        facts = {"job_id": job.id, "effect": job.effect, "attempt": job.attempts}
        logger.error("job %s (%s) is given up", job.id, job.effect, extra=facts)

    def _close(self, job: Job) -> None:
        close = self.before_giving_up.get(job.effect)
        if close is None:
            return
        try:
            close(job)
        except TransientError:
            raise  # the job stays in the queue, and is given up after its lease
        except Exception:  # people are to hear of the job all the same
            logger.exception("the end of job %s (%s) failed", job.id, job.effect)


@dataclass(frozen=True, slots=True)
class RunDueJobs:
    """Run what is due, here and now: the whole worker of an embedded shop."""

    queue: JobQueue
    run_job: RunJob
    clock: Clock

    def __call__(self, *, limit: int | None = None, stop: Event | None = None) -> int:
        """Run jobs until none is due, `limit` have run, or `stop` is set; tell how many ran."""
        ran = 0
        while (limit is None or ran < limit) and not (stop and stop.is_set()):
            # One at a time: what a slow job holds up, others may take meanwhile.
            job_ids = self.queue.claim(self.clock.now(), limit=1, lease=self.run_job.lease)
            if not job_ids:
                break
            self.run_job(job_ids[0])
            ran += 1
        return ran


@dataclass(frozen=True, slots=True)
class RelayJobs:
    """Hand due jobs to the broker. Those that it loses are due again after the lease.

    So are those that workers have not got round to. What workers cannot take within the lease is
    therefore kept here: handed over again and again, a backlog would only grow.
    """

    queue: JobQueue
    publisher: JobPublisher
    clock: Clock
    lease: timedelta
    batch: int = 100

    def __call__(self) -> int:
        """Tell how many were handed over; 0 also while the broker holds enough.

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
    """Work that is to be done every so often."""

    name: str
    interval: timedelta
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class RunPeriodicTasks:
    """Do the periodic work that is due; once per interval, however many schedulers ask."""

    schedules: ScheduleRepository
    tasks: Sequence[PeriodicTask]
    clock: Clock

    def __call__(self) -> Sequence[str]:
        """Name the tasks that were done here."""
        done = []
        for task in self.tasks:
            if self.schedules.claim(task.name, self.clock.now(), interval=task.interval):
                task.run()
                done.append(task.name)
        return done


@dataclass(frozen=True, slots=True)
class WatchQueue:
    """Keep at it until told to stop: sleep until there is work, do it, mind the schedule.

    What cannot be reached now is tried again after `poll_seconds`; no outage ends the watch.
    """

    signal: JobSignal
    run_periodic_tasks: RunPeriodicTasks
    poll_seconds: float

    def __call__(self, work: Callable[[], int], *, stop: Event) -> None:
        """Call `work` until it finds nothing more, then wait for a signal; until `stop` is set."""
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
                    logger.warning("out of reach, trying on: %s", error)
                healthy = found = False
            except Exception:  # the watch outlives every failure
                logger.exception("this should not have happened; trying on")
                found = False
            if not healthy:
                stop.wait(self.poll_seconds)
            elif not found:
                self.signal.wait(self.poll_seconds)


@needs(Permission.JOBS_READ)
@dataclass(frozen=True, slots=True)
class ListDeadJobs:
    """List the jobs that were given up on."""

    queue: JobQueue

    def __call__(self, *, limit: int = MAX_LIMIT, cursor: str | None = None) -> Page[JobView]:
        """Oldest first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.queue.dead(limit=limit, cursor=cursor)


@needs(Permission.JOBS_READ)
@dataclass(frozen=True, slots=True)
class GetQueueSize:
    """Tell how much work there is."""

    queue: JobQueue
    clock: Clock
    stuck_after: timedelta

    def __call__(self) -> QueueSize:
        """Overdue is what should have been done so long ago that something must be wrong."""
        return self.queue.size(self.clock.now(), patience=self.stuck_after)


@needs(Permission.JOBS_WRITE)
@dataclass(frozen=True, slots=True)
class ReplayJob:
    """Give a dead job another five tries."""

    queue: JobQueue
    clock: Clock

    def __call__(self, job_id: JobId) -> bool:
        """False when there is no such dead job."""
        return self.queue.replay(job_id, self.clock.now())
