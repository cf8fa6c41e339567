"""Use cases for staff to ship and complete orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.errors import InvalidValueError, OrderStateError
from quickshop.domain.fulfillment import (
    Fulfillment,
    FulfillmentId,
    FulfillmentLine,
    Tracking,
    still_to_ship,
    wanted_units,
)
from quickshop.domain.identity import Permission
from quickshop.domain.inventory import LocationId, ShippedUnits
from quickshop.domain.orders import Order, OrderId, OrderLineId
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.orders import OrderView
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@needs(Permission.ORDERS_WRITE)
@dataclass(frozen=True, slots=True)
class FulfillOrder:
    """Ship a paid order, in full or in part. The shopper is notified."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(
        self,
        order_id: OrderId,
        *,
        lines: Mapping[UUID | str, int] | None = None,
        location: str | None = None,
        carrier: str = "",
        tracking_number: str = "",
        tracking_url: str = "",
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[OrderView]:
        """Ship one fulfillment with all unshipped units, or with the quantities in `lines`.

        `lines` names order lines by id or SKU. With a `location`, only units allocated there
        ship; otherwise they ship from every location they are allocated at. Concurrent
        shipments, cancellations and refunds of an order run one after another, so that no unit
        ships twice.

        Raises:
            NotFoundError: no order has this id, or no location has this name.
            OrderStateError: the order is not paid, has shipped in full, or is refunded in full.
            InvalidValueError: more than the unshipped units, or invalid tracking.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        tracking = Tracking(carrier=carrier, number=tracking_number, url=tracking_url)
        wanted = sorted((str(name), quantity) for name, quantity in (lines or {}).items())
        asked = digest(repr((str(order_id), lines is None, wanted, location, tracking)))
        once = Once(f"{by}:fulfill_order", idempotency_key, asked)

        def ship(tx: Transaction, keep: Keep[OrderView]) -> None:
            keep(self._ship(tx, tx.orders.get(order_id), lines, location, tracking))

        return once.run(self.unit_of_work, OrderView, self.clock.now(), ship)

    def _ship(
        self,
        tx: Transaction,
        order: Order,
        lines: Mapping[UUID | str, int] | None,
        location: str | None,
        tracking: Tracking,
    ) -> OrderView:
        now = self.clock.now()
        fulfillments = tx.fulfillments.of_order(order.id)
        left = still_to_ship(order, fulfillments)
        _require_shippable(tx, order)
        place = None if location is None else tx.stock.location(location).id
        units = _units(tx, order, left, lines, place)
        fulfillment_id = FulfillmentId(self.identifiers.new())
        order.ship(
            fulfillment_id,
            whole=units == left,
            carrier=tracking.carrier,
            tracking_number=tracking.number,
            now=now,
        )
        tx.orders.save(order)
        # The writes after this are sent at the commit, so the stock stays locked briefly.
        quantities: Mapping[UUID, int] = {line_id: units[line_id] for line_id in units}
        shipped = tx.stock.ship(order.id, quantities, location_id=place, now=now)
        fulfillment = Fulfillment(
            id=fulfillment_id,
            order_id=order.id,
            number=len(fulfillments) + 1,
            lines=_packed(shipped),
            tracking=tracking,
            shipped_at=now,
        )
        tx.fulfillments.add(fulfillment)
        return OrderView.of(order, fulfillments=[*fulfillments, fulfillment])


def _require_shippable(tx: Transaction, order: Order) -> None:
    order.require_shippable()
    payments = tx.payments.of_order(order.id)
    captured = sum(payment.captured_minor for payment in payments)
    if captured and not any(payment.refundable.minor for payment in payments):
        raise OrderStateError(order.number, "fully refunded or being refunded", "shipped")


def _units(
    tx: Transaction,
    order: Order,
    left: Mapping[OrderLineId, int],
    lines: Mapping[UUID | str, int] | None,
    place: LocationId | None,
) -> dict[OrderLineId, int]:
    """Return the units of each line to ship now."""
    if lines is not None:
        return wanted_units(order, left, lines)
    if place is None:
        return dict(left)
    here: Counter[OrderLineId] = Counter()
    for allocation in tx.stock.allocations(order.id):
        if allocation.location_id == place and allocation.unshipped:
            here[OrderLineId(allocation.order_line_id)] += allocation.unshipped
    if not here:
        raise InvalidValueError("location", "must be one that this order still ships from")
    return dict(here)


def _packed(shipped: Sequence[ShippedUnits]) -> tuple[FulfillmentLine, ...]:
    return tuple(
        FulfillmentLine(
            order_line_id=OrderLineId(units.order_line_id),
            sku=units.sku,
            location_id=units.location_id,
            quantity=units.quantity,
        )
        for units in shipped
    )


@needs(Permission.ORDERS_WRITE)
@dataclass(frozen=True, slots=True)
class CompleteOrder:
    """Complete an order that has shipped in full."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, order_id: OrderId) -> OrderView:
        """Complete the order. Of concurrent calls, one succeeds.

        Raises:
            NotFoundError: no order has this id.
            OrderStateError: the order has not shipped in full, or is already closed.
        """
        with self.unit_of_work() as tx:
            order = tx.orders.get(order_id)
            order.complete(now=self.clock.now())
            tx.orders.save(order)
            return OrderView.of(order, fulfillments=tx.fulfillments.of_order(order_id))


@needs(Permission.ORDERS_WRITE)
@dataclass(frozen=True, slots=True)
class AddNote:
    """Add a staff note to the timeline of an order."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, order_id: OrderId, note: str) -> None:
        """Add the note. The order may have any status.

        Raises:
            NotFoundError: no order has this id.
            InvalidValueError: the note is blank, too long, or not printable.
        """
        with self.unit_of_work() as tx:
            order = tx.orders.get(order_id)
            order.add_note(note, now=self.clock.now())
            tx.orders.save(order)
