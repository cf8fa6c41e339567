"""The job queue in memory, with its signal and schedules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event

from typing_extensions import override

from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.state import JobRecord, JobStatus, MemoryState, MemoryStore
from quickshop.domain.errors import AdapterError
from quickshop.ports.jobs import (
    Job,
    JobId,
    JobPublisher,
    JobQueue,
    JobSignal,
    JobView,
    QueueSize,
    ScheduleRepository,
)
from quickshop.ports.paging import Page


class MemoryJobQueue(JobQueue):
    """The jobs written by transactions of a `MemoryUnitOfWork` on the same store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def claim(self, now: datetime, *, limit: int, lease: timedelta) -> Sequence[JobId]:
        with self._store.change() as state:
            due = sorted(
                (job.available_at, job.id) for job in _waiting(state) if job.available_at <= now
            )
            claimed = sorted(job_id for _available_at, job_id in due[:limit])
            for job_id in claimed:
                state.jobs[job_id] = replace(state.jobs[job_id], available_at=now + lease)
        return claimed

    @override
    def unclaim(self, job_ids: Sequence[JobId], now: datetime) -> None:
        with self._store.change() as state:
            for job_id in job_ids:
                job = state.jobs.get(job_id)
                if job is not None and job.held_until is None:
                    state.jobs[job_id] = replace(job, available_at=now)

    @override
    def start(self, job_id: JobId, now: datetime, *, lease: timedelta) -> Job | None:
        with self._store.change() as state:
            job = state.jobs.get(job_id)
            if job is None or job.status is not JobStatus.WAITING:
                return None
            if job.held_until is not None and now < job.held_until:
                return None
            until = now + lease
            job = replace(job, attempts=job.attempts + 1, available_at=until, held_until=until)
            state.jobs[job_id] = job
        return Job(
            id=job.id,
            event_id=job.event_id,
            effect=job.effect,
            event=job.event,
            attempts=job.attempts,
        )

    @override
    def finish(self, job_id: JobId, now: datetime) -> None:
        """Leave a job dead that another worker has failed permanently in the meantime."""
        with self._store.change() as state:
            job = state.jobs.get(job_id)
            if job is not None and job.status is JobStatus.WAITING:
                state.jobs[job_id] = replace(job, status=JobStatus.DONE, done_at=now, error="")

    @override
    def fail(self, job_id: JobId, error: str, *, attempt: int, retry_at: datetime | None) -> None:
        """Leave a job done that another worker has finished in the meantime."""
        with self._store.change() as state:
            job = state.jobs.get(job_id)
            if job is None or job.status is not JobStatus.WAITING or job.attempts != attempt:
                return
            if retry_at is None:
                state.jobs[job_id] = replace(job, status=JobStatus.DEAD, error=error)
            else:
                state.jobs[job_id] = replace(
                    job, due_at=retry_at, available_at=retry_at, held_until=retry_at, error=error
                )

    @override
    def dead(self, *, limit: int, cursor: str | None = None) -> Page[JobView]:
        jobs = self._store.state.jobs.values()
        dead = (Row(0, job.id, job) for job in jobs if job.status is JobStatus.DEAD)
        page = page_of(dead, sort="oldest", limit=limit, cursor=cursor, descending=False)
        return Page([_view(job) for job in page.items], page.next_cursor)

    @override
    def replay(self, job_id: JobId, now: datetime) -> bool:
        with self._store.change() as state:
            job = state.jobs.get(job_id)
            if job is None or job.status is not JobStatus.DEAD:
                return False
            state.jobs[job_id] = replace(
                job,
                status=JobStatus.WAITING,
                attempts=0,
                due_at=now,
                available_at=now,
                held_until=None,
                error="",
            )
        return True

    @override
    def size(self, now: datetime, *, patience: timedelta) -> QueueSize:
        state = self._store.state
        waiting = list(_waiting(state))
        return QueueSize(
            waiting=len(waiting),
            overdue=sum(job.due_at < now - patience for job in waiting),
            dead=sum(job.status is JobStatus.DEAD for job in state.jobs.values()),
        )

    @override
    def purge_done(self, before: datetime) -> int:
        with self._store.change() as state:
            old = [
                job.id
                for job in state.jobs.values()
                if job.done_at is not None and job.done_at < before
            ]
            for job_id in old:
                del state.jobs[job_id]
        return len(old)


def _waiting(state: MemoryState) -> Iterator[JobRecord]:
    return (job for job in state.jobs.values() if job.status is JobStatus.WAITING)


def _view(job: JobRecord) -> JobView:
    return JobView(
        id=job.id,
        effect=job.effect,
        event=type(job.event).__name__,
        subject=job.event.subject,
        attempts=job.attempts,
        error=job.error,
        occurred_at=job.event.occurred_at,
    )


class MemoryJobSignal(JobSignal):
    """Wakes threads of this process that wait for jobs."""

    def __init__(self) -> None:
        self._written = Event()

    @override
    def wait(self, timeout_seconds: float) -> None:
        self._written.wait(timeout_seconds)
        self._written.clear()

    @override
    def wake(self) -> None:
        self._written.set()


class NoBroker(JobPublisher):
    """A placeholder for a message broker. Publishing fails and says how to set one."""

    @override
    def publish(self, job_ids: Sequence[JobId]) -> None:
        """Raise an error.

        Raises:
            AdapterError: always.
        """
        raise AdapterError(
            f"{len(job_ids)} jobs wait for a broker, but none is set: set QUICKSHOP_BROKER_URL,"
            " or run the worker that needs no broker"
        )

    @override
    def waiting(self) -> int:
        """Return 0."""
        return 0


class MemorySchedules(ScheduleRepository):
    """The time at which each periodic task was last claimed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def claim(self, name: str, now: datetime, *, interval: timedelta) -> bool:
        with self._store.change() as state:
            last = state.schedules.get(name)
            if last is not None and now < last + interval:
                return False
            state.schedules[name] = now
        return True
