"""Stock events, recorded once when a level crosses a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from quickshop.domain.catalog import VariantId
from quickshop.domain.events import DomainEvent
from quickshop.domain.inventory.levels import LocationId, StockLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class StockEvent(DomainEvent):
    """An event of the stock of one variant at one location."""

    sku: str
    variant_id: VariantId
    location_id: LocationId
    location: str
    """The name of the location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowStock(StockEvent):
    """The free units fell to the threshold; recorded once per fall."""

    free: int
    """Units neither allocated nor held; negative when back-orders exceed the stock."""
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfStock(StockEvent):
    """No more units can be bought at this location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackInStock(StockEvent):
    """Units can be bought at this location again."""


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A level before and after a movement."""

    before: StockLevel
    after: StockLevel

    def crosses(self, default_threshold: int | None) -> bool:
        """Return whether the change has any events."""
        return self._runs_low(default_threshold) or self._runs_out or self._comes_back

    def events(
        self, location: str, *, default_threshold: int | None, now: datetime
    ) -> Sequence[StockEvent]:
        """Return the events of the change; `location` is the name of the location."""
        found: list[StockEvent] = []

        def add(kind: type[StockEvent], **more: int) -> None:
            level = self.after
            found.append(
                kind(
                    sku=level.sku,
                    variant_id=level.variant_id,
                    location_id=level.location_id,
                    location=location,
                    occurred_at=now,
                    **more,
                )
            )

        if self._runs_low(default_threshold):
            threshold = self._threshold(default_threshold)
            add(LowStock, free=self.after.free, threshold=threshold or 0)
        if self._runs_out:
            add(OutOfStock)
        if self._comes_back:
            add(BackInStock)
        return found

    def _threshold(self, default: int | None) -> int | None:
        own = self.after.low_stock_threshold
        return default if own is None else own

    def _runs_low(self, default: int | None) -> bool:
        threshold = self._threshold(default)
        return threshold is not None and self.after.free <= threshold < self.before.free

    @property
    def _runs_out(self) -> bool:
        return self.after.available <= 0 < self.before.available

    @property
    def _comes_back(self) -> bool:
        return self.before.available <= 0 < self.after.available
