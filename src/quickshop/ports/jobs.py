"""The queue of record: work that follows from events, kept until it is done.

An event and each effect that reacts to it make one job, written in the transaction of the event.
Jobs are claimed with a lease, so whoever dies with one only delays it. Running one twice must do
no harm: every effect is idempotent.
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
"""Characters that are kept of why a job failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One effect of one event, being worked on."""

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
    """Id of what the event is about."""
    attempts: int
    error: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class QueueSize:
    """How much work there is."""

    waiting: int
    """Jobs not done, due now or later."""
    overdue: int
    """Of these, jobs that should have been done, or tried again, longer ago than was asked."""
    dead: int
    """Jobs that were given up on."""


class JobQueue(Protocol):
    """The jobs. Each call is a transaction of its own."""

    def claim(self, now: datetime, *, limit: int, lease: timedelta) -> Sequence[JobId]:
        """Due jobs, oldest first, which nobody else gets before `lease` has passed."""
        ...

    def give_back(self, job_ids: Sequence[JobId], now: datetime) -> None:
        """Have claimed jobs that nobody started handed out again at once."""
        ...

    def start(self, job_id: JobId, now: datetime, *, lease: timedelta) -> Job | None:
        """Count one more attempt and hold the job for `lease`.

        None when it is done or dead, when someone else holds it, and before the time that a
        failed attempt is to be repeated at: brokers hand the same id out twice. An event that
        cannot be read makes its job dead.
        """
        ...

    def finish(self, job_id: JobId, now: datetime) -> None:
        """Done, whichever attempt did it; it is not handed out again."""
        ...

    def fail(self, job_id: JobId, error: str, *, attempt: int, retry_at: datetime | None) -> None:
        """Due again at `retry_at`; None gives it up until someone replays it.

        Changes nothing when a later attempt has begun: that one decides.
        """
        ...

    def dead(self, *, limit: int, cursor: str | None = None) -> Page[JobView]:
        """One page of the jobs given up on, oldest first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def replay(self, job_id: JobId, now: datetime) -> bool:
        """Make a dead job due again, with its attempts forgotten; False when it is not dead."""
        ...

    def size(self, now: datetime, *, patience: timedelta) -> QueueSize:
        """Count the jobs; those due for longer than `patience` are overdue."""
        ...

    def forget_done(self, before: datetime) -> int:
        """Delete jobs finished before then; tell how many."""
        ...


class JobPublisher(Protocol):
    """Tells a fleet of workers which jobs to run. May lose any of them: the queue sends again."""

    def publish(self, job_ids: Sequence[JobId]) -> None:
        """Hand the ids to the broker, in one batch.

        Raises:
            TransientError: the broker did not take them all.
        """
        ...

    def waiting(self) -> int:
        """How many ids the broker holds that no worker has taken yet.

        Raises:
            TransientError: the broker cannot be reached.
        """
        ...


class JobSignal(Protocol):
    """Wakes whoever waits for jobs. A missed signal only costs the time until the next poll."""

    def wait(self, timeout_seconds: float) -> None:
        """Return when jobs may have been written since the last call, or the time is up."""
        ...

    def wake(self) -> None:
        """Make a `wait` in this process return."""
        ...


class ScheduleRepository(Protocol):
    """When periodic work is due, shared by however many schedulers there are."""

    def claim(self, name: str, now: datetime, *, interval: timedelta) -> bool:
        """True for exactly one caller per interval: that one does the work.

        Writes only when the work is due, so asking often is cheap.
        """
        ...
