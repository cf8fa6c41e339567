"""State shared by the repositories of one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from quickshop.adapters.memory.state import JobRecord, MemoryState
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import ConflictError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.ports.jobs import JobId

K = TypeVar("K")
A = TypeVar("A", bound=Aggregate)


class MemorySession:
    """Hands out and stores copies, so that changes to an aggregate need a save."""

    def __init__(
        self,
        state: MemoryState,
        reactions: Mapping[type[DomainEvent], Sequence[str]],
        new_id: Callable[[], UUID],
        *,
        low_stock_threshold: int | None = None,
    ) -> None:
        self.state = state
        self.low_stock_threshold = low_stock_threshold
        self.wrote_jobs = False
        self.written: list[tuple[Aggregate, Sequence[DomainEvent]]] = []
        """The saved aggregates, with their events."""
        self._reactions = reactions
        self._new_id = new_id
        self._tracker = Tracker()

    def hand_out(self, aggregate: A) -> A:
        """Return a copy, which must be saved after a change."""
        copy = replace(aggregate)
        self._tracker.watch(copy)
        return copy

    def require_version(self, table: Mapping[K, A], key: K, aggregate: A, kind: str) -> None:
        """Check that the stored aggregate has not changed since `aggregate` was read.

        Raises:
            ConflictError: another transaction saved it, or it was never added.
        """
        stored = table.get(key)
        if stored is None or stored.version != aggregate.version:
            raise ConflictError(kind)

    def keep(self, table: dict[K, A], key: K, aggregate: A) -> Sequence[DomainEvent]:
        """Store a copy, enqueue jobs for its events, and return the events."""
        events = aggregate.collect_events()
        aggregate.version += 1
        table[key] = replace(aggregate)
        self._tracker.watch(aggregate)
        self.written.append((aggregate, events))
        self.enqueue(events)
        return events

    def enqueue(self, events: Sequence[DomainEvent]) -> None:
        """Enqueue one job per event and effect."""
        for event in events:
            self._write_jobs(event)

    def require_all_saved(self) -> None:
        """Check before a commit that every changed aggregate was saved.

        Raises:
            AssertionError: an aggregate was changed after it was read or saved.
        """
        self._tracker.require_all_saved()

    def _write_jobs(self, event: DomainEvent) -> None:
        event_id = self._new_id()
        for effect in self._reactions.get(type(event), ()):
            job = JobRecord(
                id=JobId(self._new_id()),
                event_id=event_id,
                effect=effect,
                event=event,
                due_at=event.occurred_at,
                available_at=event.occurred_at,
            )
            self.state.jobs[job.id] = job
            self.wrote_jobs = True
