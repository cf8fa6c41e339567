"""Personal data in events, which is erased with the customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from quickshop.domain.events import DomainEvent
from quickshop.domain.identity import EmailChanged
from quickshop.domain.orders import OrderCanceled, OrderNoted, OrderRefunded, OrderShipped

E = TypeVar("E", bound=DomainEvent)

ERASED: Final = "erased"
"""The text that replaces erased personal data."""

PERSONAL_FACTS: Final[Mapping[type[DomainEvent], str]] = {
    OrderCanceled: "reason",
    OrderRefunded: "reason",
    OrderNoted: "note",
    OrderShipped: "tracking_number",
    EmailChanged: "old_email",
}
"""The field of each event type that is free text of a person, or identifies one.

The reasons of declined payments and of failed refunds are gateway codes, and stay.
"""
_BY_NAME: Final = {kind.__name__: fact for kind, fact in PERSONAL_FACTS.items()}


def impersonal(event: E) -> E:
    """Return the event without personal data."""
    fact = PERSONAL_FACTS.get(type(event))
    if fact is None or not getattr(event, fact):
        return event
    erased: dict[str, Any] = {fact: ERASED}
    return replace(event, **erased)


def impersonal_facts(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored facts of an event of this type without personal data."""
    kept = dict(facts)
    fact = _BY_NAME.get(kind)
    if fact is not None and kept.get(fact):
        kept[fact] = ERASED
    return kept
