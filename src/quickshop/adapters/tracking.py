"""Detection of changes that were not saved."""

from __future__ import annotations

from quickshop.domain.events import Aggregate


class Tracker:
    """The aggregates that one transaction returned, to detect changes that were not saved."""

    def __init__(self) -> None:
        self._returned: list[Aggregate] = []

    def watch(self, aggregate: Aggregate) -> None:
        """Watch this aggregate until the transaction ends."""
        self._returned.append(aggregate)

    def require_all_saved(self) -> None:
        """Check that no watched aggregate has unsaved changes; call it before the commit.

        Raises:
            AssertionError: an aggregate was changed after it was last read or saved.
        """
        for aggregate in self._returned:
            if aggregate.has_unsaved_events:
                raise AssertionError(f"changed but not saved: {type(aggregate).__name__}")
