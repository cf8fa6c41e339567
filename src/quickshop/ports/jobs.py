"""The job queue of record: effects of events, stored until they are done.

An event and one effect make one job, stored in the transaction of the event. Jobs are claimed with
a lease, so a worker that dies only delays its jobs. Every effect must be idempotent, because a job
can run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NewType, Protocol
from uuid import UUID

from quickshop.domain.events import DomainEvent
from quickshop.ports.paging import Page

JobId = NewType("JobId", UUID)

MAX_FAILURE_LENGTH: Final = 500
"""Characters stored of the error of a failed job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One effect of one event, being run."""

    id: JobId
    event_id: UUID
    effect: str
    event: DomainEvent
    attempts: int
    """Counts from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as operators see it."""

    id: JobId
    effect: str
    event: str
    subject: str
    """The id of the object that the event is about."""
    attempts: int
    error: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class QueueSize:
    """The number of jobs in the queue."""

    waiting: int
    """Jobs that are not done, due now or later."""
    overdue: int
    """Waiting jobs that have been due for longer than the given patience."""
    dead: int
    """Jobs that failed permanently."""


class JobQueue(Protocol):
    """The jobs. Each call is a separate transaction."""

    def claim(self, now: datetime, *, limit: int, lease: timedelta) -> Sequence[JobId]:
        """Claim due jobs, oldest first. No other caller gets them before `lease` has passed."""
        ...

    def unclaim(self, job_ids: Sequence[JobId], now: datetime) -> None:
        """Return claimed jobs that were not started; they can be claimed at once."""
        ...

    def start(self, job_id: JobId, now: datetime, *, lease: timedelta) -> Job | None:
        """Count one more attempt and keep the job for `lease`.

        Returns None if the job is done or dead, if another worker has it, or if its retry is not
        due yet: brokers can deliver an id twice. An event that cannot be read makes its job dead.
        """
        ...

    def finish(self, job_id: JobId, now: datetime) -> None:
        """Mark the job as done, by any attempt; it is not claimed again."""
        ...

    def fail(self, job_id: JobId, error: str, *, attempt: int, retry_at: datetime | None) -> None:
        """Make the job due again at `retry_at`, or with None dead until staff replay it.

        Changes nothing if a later attempt has begun: that attempt decides.
        """
        ...

    def dead(self, *, limit: int, cursor: str | None = None) -> Page[JobView]:
        """Return one page of the dead jobs, oldest first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def replay(self, job_id: JobId, now: datetime) -> bool:
        """Make a dead job due again, with attempts reset. Returns False if it is not dead."""
        ...

    def size(self, now: datetime, *, patience: timedelta) -> QueueSize:
        """Count the jobs. Jobs that have been due for longer than `patience` are overdue."""
        ...

    def purge_done(self, before: datetime) -> int:
        """Delete jobs finished before `before`; return how many."""
        ...


class JobPublisher(Protocol):
    """Sends job ids to a fleet of workers. It may lose any, because the queue sends them again."""

    def publish(self, job_ids: Sequence[JobId]) -> None:
        """Send the ids to the broker, in one batch.

        Raises:
            TransientError: the broker did not accept all of them.
        """
        ...

    def waiting(self) -> int:
        """Return the number of ids in the broker that no worker has received.

        Raises:
            TransientError: the broker cannot be reached.
        """
        ...


class JobSignal(Protocol):
    """Wakes workers that wait for jobs. A missed signal only delays jobs until the next poll."""

    def wait(self, timeout_seconds: float) -> None:
        """Return when jobs may have been stored since the last call, or after the timeout."""
        ...

    def wake(self) -> None:
        """Make a `wait` in this process return."""
        ...


class ScheduleRepository(Protocol):
    """When periodic work is due, shared by any number of schedulers."""

    def claim(self, name: str, now: datetime, *, interval: timedelta) -> bool:
        """Return True to exactly one caller per interval, which then does the work.

        It writes only when the work is due, so calling it often is cheap.
        """
        ...
