"""What happened, in the past tense, and the aggregates that say so."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A fact that other parts of the shop may react to. `occurred_at` is UTC."""

    occurred_at: datetime

    @property
    def facts(self) -> dict[str, str]:
        """What it says besides when, in words; what it is about comes first."""
        return {
            field.name: str(getattr(self, field.name))
            for field in fields(self)
            if field.name != "occurred_at"
        }

    @property
    def subject(self) -> str:
        """Id of what it is about."""
        return next(iter(self.facts.values()), "")


@dataclass(slots=True, eq=False, kw_only=True)
class Aggregate:
    """A cluster of objects that is stored and changed as one."""

    version: int = 0
    """How often it has been saved; 0 means never."""
    _events: list[DomainEvent] = field(default_factory=list, init=False, repr=False)

    def _record(self, event: DomainEvent) -> None:
        self._events.append(event)

    @property
    def has_unsaved_events(self) -> bool:
        """Whether it was changed since it was read or saved."""
        return bool(self._events)

    def collect_events(self) -> list[DomainEvent]:
        """Hand over the events recorded since the last call, oldest first."""
        events, self._events = self._events, []
        return events
