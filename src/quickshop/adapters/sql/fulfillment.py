"""Fulfillments in tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.tables import fulfillment_lines, fulfillments, order_lines
from quickshop.domain.fulfillment import (
    Fulfillment,
    FulfillmentId,
    FulfillmentLine,
    Tracking,
)
from quickshop.domain.inventory import LocationId
from quickshop.domain.orders import OrderId, OrderLineId
from quickshop.ports.fulfillment import FulfillmentRepository

_OF_ORDERS: Final = (
    select(
        fulfillments,
        fulfillment_lines.c.order_line_id,
        fulfillment_lines.c.location_id,
        fulfillment_lines.c.quantity,
        order_lines.c.sku,
    )
    .select_from(fulfillments.join(fulfillment_lines).join(order_lines))
    .where(fulfillments.c.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(fulfillments.c.order_id, fulfillments.c.number, fulfillment_lines.c.position)
)
_INSERT: Final = insert(fulfillments)
_INSERT_LINES: Final = insert(fulfillment_lines)


class SqlFulfillments(FulfillmentRepository):
    """Fulfillments, which never change after they are written."""

    def __init__(self, connection: BatchingConnection) -> None:
        self._connection = connection

    @override
    def add(self, fulfillment: Fulfillment) -> None:
        self._connection.later(_INSERT, _row_of(fulfillment))
        self._connection.later(
            _INSERT_LINES,
            [
                {
                    "fulfillment_id": fulfillment.id,
                    "position": position,
                    "order_line_id": line.order_line_id,
                    "location_id": line.location_id,
                    "quantity": line.quantity,
                }
                for position, line in enumerate(fulfillment.lines)
            ],
        )

    @override
    def of_order(self, order_id: OrderId) -> Sequence[Fulfillment]:
        return fulfillments_of(self._connection, [order_id]).get(order_id, [])


def fulfillments_of(
    connection: BatchingConnection | Connection, order_ids: Sequence[OrderId]
) -> Mapping[OrderId, Sequence[Fulfillment]]:
    """Return the fulfillments by order, the oldest first, without orders that have none."""
    if not order_ids:
        return {}
    rows: defaultdict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_OF_ORDERS, {"orders": list(order_ids)}):
        rows[row.id].append(row)
    parcels: defaultdict[OrderId, list[Fulfillment]] = defaultdict(list)
    for lines in rows.values():
        parcel = _fulfillment_of(lines[0], lines)
        parcels[parcel.order_id].append(parcel)
    return parcels


def _fulfillment_of(row: Row[Any], lines: Iterable[Row[Any]]) -> Fulfillment:
    return Fulfillment(
        id=FulfillmentId(row.id),
        order_id=OrderId(row.order_id),
        number=row.number,
        lines=tuple(
            FulfillmentLine(
                order_line_id=OrderLineId(line.order_line_id),
                sku=line.sku,
                location_id=LocationId(line.location_id),
                quantity=line.quantity,
            )
            for line in lines
        ),
        tracking=Tracking(carrier=row.carrier, number=row.tracking_number, url=row.tracking_url),
        shipped_at=row.shipped_at,
    )


def _row_of(fulfillment: Fulfillment) -> dict[str, Any]:
    return {
        "id": fulfillment.id,
        "order_id": fulfillment.order_id,
        "number": fulfillment.number,
        "carrier": fulfillment.tracking.carrier,
        "tracking_number": fulfillment.tracking.number,
        "tracking_url": fulfillment.tracking.url,
        "shipped_at": fulfillment.shipped_at,
    }
