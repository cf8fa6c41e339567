"""The job queue, in the same database as the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from typing_extensions import override
from uuid_utils.compat import uuid7

from quickshop.adapters.sql.column_types import UtcDateTime
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.paging import page_of
from quickshop.adapters.sql.tables import jobs, schedules
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.ports.jobs import (
    MAX_FAILURE_LENGTH,
    Job,
    JobId,
    JobQueue,
    JobView,
    QueueSize,
    ScheduleRepository,
)
from quickshop.ports.paging import Cursor, Page, require_limit

Reactions = Mapping[type[DomainEvent], Sequence[str]]

_INSERT: Final = insert(jobs)
_CLAIM: Final = (
    update(jobs)
    .where(
        jobs.c.id.in_(
            select(jobs.c.id)
            .where(jobs.c.status == "waiting", jobs.c.available_at <= bindparam("now"))
            .order_by(jobs.c.available_at, jobs.c.id)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(available_at=bindparam("until"))
    .returning(jobs.c.id)
)
_START: Final = (
    update(jobs)
    .where(
        jobs.c.id == bindparam("job"),
        jobs.c.status == "waiting",
        jobs.c.held_until.is_(None) | (jobs.c.held_until <= bindparam("now")),
    )
    .values(
        attempts=jobs.c.attempts + 1,
        available_at=bindparam("until"),
        held_until=bindparam("until"),
    )
    .returning(jobs)
)
_DUE: Final = select(schedules.c.due_at).where(schedules.c.name == bindparam("task"))
_MOVE_ON: Final = (
    update(schedules)
    .where(schedules.c.name == bindparam("task"), schedules.c.due_at == bindparam("was"))
    .values(due_at=bindparam("next"))
)
_FINISH: Final = (
    update(jobs)
    .where(jobs.c.id == bindparam("job"), jobs.c.status == "waiting")
    .values(status="done", done_at=bindparam("at", type_=UtcDateTime()), error="")
)


_CODECS: Final[dict[type, TypeAdapter[Any]]] = {}


def codec(kind: type) -> TypeAdapter[Any]:
    """Return the cached adapter that reads and writes this dataclass as JSON."""
    if kind not in _CODECS:
        _CODECS[kind] = TypeAdapter(kind)
    return _CODECS[kind]


class EventLog:
    """Writes jobs for the events of saved aggregates in the same transaction."""

    def __init__(self, connection: BatchingConnection, reactions: Reactions) -> None:
        self._connection = connection
        self._reactions = reactions
        self.wrote_jobs = False
        self.written: list[tuple[Aggregate, Sequence[DomainEvent]]] = []
        """The saved aggregates, with their events."""

    def write(self, aggregate: Aggregate) -> Sequence[DomainEvent]:
        """Enqueue one job per event and effect, and return the events."""
        events = aggregate.collect_events()
        self.written.append((aggregate, events))
        self.enqueue(events)
        return events

    def enqueue(self, events: Sequence[DomainEvent]) -> None:
        """Enqueue one job per event and effect."""
        rows = [row for event in events for row in self._rows(event)]
        if rows:
            self._connection.later(_INSERT, rows)
            self.wrote_jobs = True

    def _rows(self, event: DomainEvent) -> list[dict[str, Any]]:
        kind = type(event)
        event_id = uuid7()
        return [
            {
                "id": uuid7(),
                "event_id": event_id,
                "effect": effect,
                "event_kind": kind.__name__,
                "event": codec(kind).dump_python(event, mode="json"),
                "subject": event.subject,
                "status": "waiting",
                "attempts": 0,
                "due_at": event.occurred_at,
                "available_at": event.occurred_at,
                "error": "",
                "occurred_at": event.occurred_at,
            }
            for effect in self._reactions.get(kind, ())
        ]


class SqlJobQueue(JobQueue):
    """Jobs in a table. Each call is one statement in a transaction of its own."""

    def __init__(self, engine: Engine, dialect: SqlDialect, reactions: Reactions) -> None:
        self._engine = dialect.autocommit(engine)
        self._kinds = {kind.__name__: kind for kind in reactions}

    def _run(self, statement: Any, values: dict[str, Any]) -> Sequence[Row[Any]]:
        with translated(), self._engine.connect() as connection:
            result = connection.execute(statement, values)
            return result.all() if result.returns_rows else [()] * result.rowcount  # type: ignore[list-item]

    @override
    def claim(self, now: datetime, *, limit: int, lease: timedelta) -> Sequence[JobId]:
        """Claim jobs. Concurrent calls return different jobs."""
        rows = self._run(_CLAIM, {"now": now, "most": limit, "until": now + lease})
        return sorted(JobId(row.id) for row in rows)

    @override
    def unclaim(self, job_ids: Sequence[JobId], now: datetime) -> None:
        unstarted = (jobs.c.id.in_(job_ids), jobs.c.held_until.is_(None))
        self._run(update(jobs).where(*unstarted).values(available_at=now), {})

    @override
    def start(self, job_id: JobId, now: datetime, *, lease: timedelta) -> Job | None:
        rows = self._run(_START, {"job": job_id, "now": now, "until": now + lease})
        if not rows:
            return None
        row = rows[0]
        try:
            event = codec(self._kinds[row.event_kind]).validate_python(row.event)
        except (KeyError, ValidationError) as error:
            # Another release wrote the event. A retry fails until this release is replaced.
            reason = f"unreadable event {row.event_kind}: {error}"[:MAX_FAILURE_LENGTH]
            self.fail(job_id, reason, attempt=row.attempts, retry_at=None)
            return None
        return Job(
            id=JobId(row.id),
            event_id=row.event_id,
            effect=row.effect,
            event=event,
            attempts=row.attempts,
        )

    @override
    def finish(self, job_id: JobId, now: datetime) -> None:
        self._run(_FINISH, {"job": job_id, "at": now})

    @override
    def fail(self, job_id: JobId, error: str, *, attempt: int, retry_at: datetime | None) -> None:
        changes: dict[str, Any] = {"error": error}
        changes |= (
            {"status": "dead"}
            if retry_at is None
            else {"due_at": retry_at, "available_at": retry_at, "held_until": retry_at}
        )
        current = (jobs.c.id == job_id, jobs.c.status == "waiting", jobs.c.attempts == attempt)
        self._run(update(jobs).where(*current).values(changes), {})

    @override
    def dead(self, *, limit: int, cursor: str | None = None) -> Page[JobView]:
        require_limit(limit)
        statement = select(jobs).where(jobs.c.status == "dead").order_by(jobs.c.id)
        if cursor is not None:
            statement = statement.where(jobs.c.id > Cursor.decode(cursor, sort="oldest").id)
        rows = self._run(statement.limit(limit + 1), {})
        views = [
            JobView(
                id=JobId(row.id),
                effect=row.effect,
                event=row.event_kind,
                subject=row.subject,
                attempts=row.attempts,
                error=row.error,
                occurred_at=row.occurred_at,
            )
            for row in rows
        ]
        return page_of(views, limit, sort="oldest")

    @override
    def replay(self, job_id: JobId, now: datetime) -> bool:
        statement = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.status == "dead")
            .values(
                status="waiting",
                attempts=0,
                due_at=now,
                available_at=now,
                held_until=None,
                error="",
            )
        )
        return bool(self._run(statement, {}))

    @override
    def size(self, now: datetime, *, patience: timedelta) -> QueueSize:
        waiting = jobs.c.status == "waiting"
        late = waiting & (jobs.c.due_at < now - patience)
        statement = select(
            _count(waiting).label("waiting"),
            _count(late).label("overdue"),
            _count(jobs.c.status == "dead").label("dead"),
        ).where(jobs.c.status.in_(("waiting", "dead")))
        row = self._run(statement, {})[0]
        return QueueSize(waiting=row.waiting, overdue=row.overdue, dead=row.dead)

    @override
    def purge_done(self, before: datetime) -> int:
        old = (jobs.c.status == "done", jobs.c.done_at < before)
        return len(self._run(delete(jobs).where(*old), {}))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


class SqlSchedules(ScheduleRepository):
    """Due times in a table, advanced by the first claim."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)
        self._dialect = dialect

    @override
    def claim(self, name: str, now: datetime, *, interval: timedelta) -> bool:
        """Claim by compare-and-set."""
        with translated(), self._engine.connect() as connection:
            due_at = connection.execute(_DUE, {"task": name}).scalar_one_or_none()
            if due_at is None:
                first = {"name": name, "due_at": now + interval}
                plain = BatchingConnection(connection)
                return self._dialect.insert_if_absent(plain, schedules.name, first)
            if now < due_at:
                return False
            moved = {"task": name, "was": due_at, "next": now + interval}
            return connection.execute(_MOVE_ON, moved).rowcount == 1
