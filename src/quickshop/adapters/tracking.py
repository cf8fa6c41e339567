"""Catching the change that nobody saved."""

from __future__ import annotations

from quickshop.domain.events import Aggregate


class Tracker:
    """Remembers what one transaction handed out, to catch a change that nobody saved."""

    def __init__(self) -> None:
        self._handed_out: list[Aggregate] = []

    def watch(self, aggregate: Aggregate) -> None:
        """Mind this aggregate until the transaction ends."""
        self._handed_out.append(aggregate)

    def require_all_saved(self) -> None:
        """Call before committing.

        Raises:
            AssertionError: an aggregate was changed after it was read or saved.
        """
        for aggregate in self._handed_out:
            if aggregate.has_unsaved_events:
                raise AssertionError(f"changed but not saved: {type(aggregate).__name__}")
