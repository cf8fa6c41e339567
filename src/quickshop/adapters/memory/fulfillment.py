"""Fulfillments in memory."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from quickshop.adapters.memory.constraints import refused, require
from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.errors import ConflictError
from quickshop.domain.fulfillment import Fulfillment
from quickshop.domain.orders import OrderId
from quickshop.ports.fulfillment import FulfillmentRepository


class MemoryFulfillments(FulfillmentRepository):
    """The fulfillments of each order."""

    def __init__(self, session: MemorySession) -> None:
        self._state = session.state

    @override
    def add(self, fulfillment: Fulfillment) -> None:
        before = self.of_order(fulfillment.order_id)
        if any(parcel.number == fulfillment.number for parcel in before):
            raise ConflictError("order")
        self._require_sound(fulfillment)
        sent = sorted((*before, fulfillment), key=lambda parcel: parcel.number)
        self._state.fulfillments[fulfillment.order_id] = tuple(sent)

    def _require_sound(self, fulfillment: Fulfillment) -> None:
        order = self._state.orders.get(fulfillment.order_id)
        if order is None:
            raise refused("the order of a fulfillment must exist")
        ordered = {line.id: line.sku for line in order.lines}
        for line in fulfillment.lines:
            require(line.location_id in self._state.locations, "no such location")
            require(
                ordered.get(line.order_line_id) == line.sku,
                "a fulfillment must contain ordered items",
            )

    @override
    def of_order(self, order_id: OrderId) -> Sequence[Fulfillment]:
        return self._state.fulfillments.get(order_id, ())
