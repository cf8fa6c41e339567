"""Holds in memory: active holds, and the end times of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.cart import CartId
from quickshop.domain.errors import ConflictError
from quickshop.domain.inventory import Hold, HoldEnd, HoldOwner
from quickshop.ports.inventory import HoldRepository


class MemoryHolds(HoldRepository):
    """Holds on units for carts: at most one active hold per cart and level."""

    def __init__(self, session: MemorySession) -> None:
        self._state = session.state

    @override
    def of_cart(self, cart_id: UUID) -> Sequence[Hold]:
        return [hold for hold in self._live() if hold.cart_id == cart_id]

    @override
    def any_expired(self, now: datetime, *, sku: str) -> bool:
        return bool(self.expired(now, sku=sku, limit=1))

    @override
    def expired(
        self, now: datetime, *, sku: str | None = None, limit: int = 100
    ) -> Sequence[Hold]:
        found = [
            hold
            for hold in self._live()
            if hold.expires_at <= now and (sku is None or hold.sku == sku)
        ]
        return found[:limit]

    @override
    def add(self, holds: Sequence[Hold]) -> None:
        for hold in holds:
            require(CartId(hold.cart_id) in self._state.carts, "the cart of a hold must exist")
            levels = self._state.levels.get(hold.variant_id, {})
            require(hold.location_id in levels, "the stock level of a hold must exist")
            places = [(held.variant_id, held.location_id) for held in self.of_cart(hold.cart_id)]
            if (hold.variant_id, hold.location_id) in places:
                raise ConflictError("hold")
            self._state.holds[hold.id] = hold

    @override
    def renew(self, holds: Sequence[Hold], *, owner: HoldOwner, expires_at: datetime) -> None:
        for hold in holds:
            require(hold.id in self._state.holds, "a renewed hold must be active")
            self._state.holds[hold.id] = replace(hold, owner=owner, expires_at=expires_at)

    @override
    def end(self, holds: Sequence[Hold], how: HoldEnd, *, now: datetime) -> None:
        require(how in HoldEnd, "a hold must end in one of the known ways")
        for hold in holds:
            if self._state.holds.pop(hold.id, None) is None:
                raise ConflictError("hold")
            self._state.ended_holds[hold.id] = now

    @override
    def purge_ended(self, before: datetime) -> int:
        old = [hold_id for hold_id, ended in self._state.ended_holds.items() if ended < before]
        for hold_id in old:
            del self._state.ended_holds[hold_id]
        return len(old)

    def _live(self) -> Sequence[Hold]:
        """Return the active holds, ordered by id, with current SKUs."""
        return [
            replace(hold, sku=self._state.offers[hold.variant_id].sku)
            for _, hold in sorted(self._state.holds.items())
        ]
