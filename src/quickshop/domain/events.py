"""Domain events, and the aggregates that record them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """An event that other parts of the shop may react to. `occurred_at` is in UTC."""

    occurred_at: datetime

    @property
    def facts(self) -> dict[str, str]:
        """The fields as text, without `occurred_at`; the id of the subject comes first."""
        return {
            field.name: str(getattr(self, field.name))
            for field in fields(self)
            if field.name != "occurred_at"
        }

    @property
    def subject(self) -> str:
        """The id of the object that the event is about."""
        return next(iter(self.facts.values()), "")


@dataclass(slots=True, eq=False, kw_only=True)
class Aggregate:
    """A group of objects that is stored and changed as one."""

    version: int = 0
    """How often it has been saved; 0 means never."""
    _events: list[DomainEvent] = field(default_factory=list, init=False, repr=False)

    def _record(self, event: DomainEvent) -> None:
        self._events.append(event)

    @property
    def has_unsaved_events(self) -> bool:
        """Whether it has changed since it was read or saved."""
        return bool(self._events)

    def collect_events(self) -> list[DomainEvent]:
        """Return and clear the events recorded since the last call, oldest first."""
        events, self._events = self._events, []
        return events
