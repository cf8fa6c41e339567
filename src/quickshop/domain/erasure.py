"""What events tell of somebody, which goes when they are to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from quickshop.domain.events import DomainEvent
from quickshop.domain.identity import EmailChanged
from quickshop.domain.orders import OrderCanceled, OrderNoted, OrderRefunded, OrderShipped

E = TypeVar("E", bound=DomainEvent)

ERASED: Final = "erased"
"""What stands where words about somebody stood."""

PERSONAL_FACTS: Final[Mapping[type[DomainEvent], str]] = {
    OrderCanceled: "reason",
    OrderRefunded: "reason",
    OrderNoted: "note",
    OrderShipped: "tracking_number",
    EmailChanged: "old_email",
}
"""The fact of each kind of event that people wrote, or that tells who they are.

The reasons of declined payments and of refunds that failed are codes of the gateway, and stay.
"""
_BY_NAME: Final = {kind.__name__: fact for kind, fact in PERSONAL_FACTS.items()}


def impersonal(event: E) -> E:
    """The event, as it may be kept of somebody who is forgotten."""
    fact = PERSONAL_FACTS.get(type(event))
    if fact is None or not getattr(event, fact):
        return event
    erased: dict[str, Any] = {fact: ERASED}
    return replace(event, **erased)


def impersonal_facts(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same of the facts of an event of this name, as they are stored."""
    told = dict(facts)
    fact = _BY_NAME.get(kind)
    if fact is not None and told.get(fact):
        told[fact] = ERASED
    return told
