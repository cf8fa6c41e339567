"""What a movement of stock may mean to people: told once, when a line is crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from quickshop.domain.catalog import VariantId
from quickshop.domain.events import DomainEvent
from quickshop.domain.inventory.levels import LocationId, StockLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class StockEvent(DomainEvent):
    """Something about the stock of one variant at one location."""

    sku: str
    variant_id: VariantId
    location_id: LocationId
    location: str
    """Its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowStock(StockEvent):
    """So few units are free that staff should order more. Told once on the way down."""

    free: int
    """Units that nobody was promised; below 0 what is owed to back-orders."""
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfStock(StockEvent):
    """The last unit that could be bought here is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackInStock(StockEvent):
    """Units can be bought here again."""


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A level before and after something happened to it."""

    before: StockLevel
    after: StockLevel

    def crosses(self, default_threshold: int | None) -> bool:
        """Whether there is anything to tell."""
        return self._runs_low(default_threshold) or self._runs_out or self._comes_back

    def events(
        self, location: str, *, default_threshold: int | None, now: datetime
    ) -> Sequence[StockEvent]:
        """What there is to tell; `location` is the name of the place."""
        told: list[StockEvent] = []

        def tell(kind: type[StockEvent], **more: int) -> None:
            level = self.after
            told.append(
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
            tell(LowStock, free=self.after.free, threshold=threshold or 0)
        if self._runs_out:
            tell(OutOfStock)
        if self._comes_back:
            tell(BackInStock)
        return told

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
