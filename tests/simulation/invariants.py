"""The invariants after each commit. They share no code with the rules of the shop."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from quickshop.adapters.memory.state import MemoryState
from quickshop.domain.fulfillment import Fulfillment
from quickshop.domain.inventory import Allocation, StockLevel
from quickshop.domain.orders import Order
from quickshop.domain.payments import Payment
from tests.simulation.violations import Kind, Violation

ORDER_MOVES: Final = {
    "pending": "paid payment_failed canceled expired",
    "payment_failed": "pending canceled expired",
    "paid": "partially_fulfilled fulfilled canceled refunded",
    "partially_fulfilled": "fulfilled refunded",
    "fulfilled": "completed refunded",
    "completed": "refunded",
    "canceled": "",
    "expired": "",
    "refunded": "",
}
_OUTCOMES: Final = "requires_action unknown authorized captured declined voiding canceled"
PAYMENT_MOVES: Final = {
    "pending": "processing canceled",
    "processing": _OUTCOMES,
    "unknown": f"processing {_OUTCOMES}",
    "requires_action": _OUTCOMES,
    "authorized": "capturing captured voiding canceled",
    "capturing": "captured declined",
    "voiding": "canceled captured",
    "captured": "refunded",
    # A request that was on its way arrives after all.
    "declined": "authorized captured voiding",
    "canceled": "authorized captured voiding",
    "refunded": "",
}
SHIPPED: Final = frozenset({"fulfilled", "completed"})
HOLDS_STOCK: Final = frozenset({"pending", "paid", "partially_fulfilled"})

Place = tuple[Any, Any]
"""A variant and a location."""


class Watch:
    """Compares each state that is committed with the one before."""

    def __init__(self) -> None:
        self._sums: defaultdict[Place, list[int]] = defaultdict(lambda: [0, 0, 0])

    def __call__(self, before: MemoryState, after: MemoryState) -> None:
        """Look at what changed.

        Raises:
            Violation: a promise was broken.
        """
        self._add_up_ledger(before, after)
        counted = after.levels != before.levels or len(after.ledger) != len(before.ledger)
        if counted or after.holds != before.holds:
            _check_holds(after)
        moved = after.allocations != before.allocations
        if counted:
            self._check_levels(after)
            _check_notices(before, after)
            moved = True
        if after.orders != before.orders:
            for order_id, order in after.orders.items():
                _check_order(before.orders.get(order_id), order)
            _require(Kind.TWO_ORDERS, _carts_are_distinct(after), "a cart became two orders")
            moved = True
        if moved:
            _check_allocations(after)
        if after.payments != before.payments:
            for payment_id, payment in after.payments.items():
                _check_payment(before.payments.get(payment_id), payment)

    def _add_up_ledger(self, before: MemoryState, after: MemoryState) -> None:
        known = len(before.ledger)
        same = after.ledger[:known] == before.ledger
        _require(Kind.LEDGER, same, "the ledger was changed, not added to")
        for movement in after.ledger[known:]:
            sums = self._sums[movement.variant_id, movement.location_id]
            sums[0] += movement.on_hand
            sums[1] += movement.allocated
            sums[2] += movement.held

    def _check_levels(self, state: MemoryState) -> None:
        for level in levels_of(state):
            counters = [level.on_hand, level.allocated, level.held]
            sums = self._sums[level.variant_id, level.location_id]
            _require(
                Kind.LEDGER, counters == sums, f"{level.sku}: counters {counters}, ledger {sums}"
            )
            left = level.on_hand - level.allocated - level.held
            sold = f"{level.sku}: {left} left"
            _require(Kind.OVERSOLD, left >= -level.backorder_limit, sold)
            promised = f"{level.sku}: allocated and held are {counters[1:]}"
            _require(Kind.NEGATIVE_COUNTER, min(counters[1:]) >= 0, promised)


def levels_of(state: MemoryState) -> list[StockLevel]:
    """Every stock level."""
    return [shelf.level for shelves in state.levels.values() for shelf in shelves.values()]


def _check_holds(state: MemoryState) -> None:
    """The held units of levels equal the holds of carts, one per level; ended holds stay ended."""
    held: defaultdict[Place, int] = defaultdict(int)
    owners = set()
    for hold in state.holds.values():
        held[hold.variant_id, hold.location_id] += hold.quantity
        owners.add((hold.cart_id, hold.variant_id, hold.location_id))
    for level in levels_of(state):
        carts = held[level.variant_id, level.location_id]
        held_by = f"{level.sku}: {level.held} held, {carts} for carts"
        _require(Kind.HOLDS, level.held == carts, held_by)
    once = len(owners) == len(state.holds)
    _require(Kind.HOLD_REPEATED, once, "a cart holds the same level twice")
    ended = state.holds.keys() & state.ended_holds.keys()
    _require(Kind.HOLD_REPEATED, not ended, "a hold came back")


def _check_notices(before: MemoryState, after: MemoryState) -> None:
    """Staff are notified of a level once each time that it runs low."""
    free = {
        _place(level): level.on_hand - level.allocated - level.held for level in levels_of(before)
    }
    crossed = sorted(
        _name(level)
        for level in levels_of(after)
        if level.low_stock_threshold is not None
        and level.on_hand - level.allocated - level.held
        <= level.low_stock_threshold
        < free.get(_place(level), 0)
    )
    notified = sorted(
        _name(job.event)
        for job_id, job in after.jobs.items()
        if job.effect == "mail_low_stock" and job_id not in before.jobs
    )
    notices = f"levels that ran low: {crossed}, staff are notified of: {notified}"
    _require(Kind.LOW_STOCK_NOTICES, crossed == notified, notices)


def _name(thing: Any) -> str:
    return f"{thing.sku} in place {thing.location_id.int & 0xFF}"


def _place(thing: Any) -> Place:
    return thing.variant_id, thing.location_id


def _require(kind: Kind, holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(kind, otherwise)


def _carts_are_distinct(state: MemoryState) -> bool:
    return len({order.cart_id for order in state.orders.values()}) == len(state.orders)


def _check_order(before: Order | None, order: Order) -> None:
    if before is order:
        return
    due = sum(line.unit_price.minor * line.quantity for line in order.lines)
    what = f"order {order.number}"
    _require(Kind.ORDER_TOTAL, order.subtotal.minor == due, f"{what}: the lines make {due}")
    due += order.shipping.minor + order.tax.minor - order.discount.minor
    _require(Kind.ORDER_TOTAL, order.total.minor == due, f"{what}: its parts make {due}")
    if before is None:
        began = f"{what} began as {order.status}"
        _require(Kind.ORDER_STATUS, order.status == "pending", began)
        return
    same = before.total == order.total and before.lines == order.lines
    _require(Kind.ORDER_TOTAL, same, f"{what} was recomputed")
    if before.status != order.status:
        allowed = order.status in ORDER_MOVES[before.status].split()
        went = f"{what} went from {before.status} to {order.status}"
        _require(Kind.ORDER_STATUS, allowed, went)


def _check_payment(before: Payment | None, payment: Payment) -> None:
    if before is payment:
        return
    what = f"payment {payment.gateway_key}"
    captured, refunded = payment.captured_minor, payment.refunded_minor
    most = payment.amount.minor
    _require(Kind.CAPTURED_TOO_MUCH, captured <= most, f"{what}: {captured} of {most}")
    _require(Kind.REFUNDED_TOO_MUCH, refunded <= captured, f"{what}: {refunded} of {captured}")
    if before is None:
        began = f"{what} began as {payment.status}"
        _require(Kind.PAYMENT_STATUS, payment.status == "pending", began)
    elif before.status != payment.status:
        allowed = payment.status in PAYMENT_MOVES[before.status].split()
        went = f"{what} went from {before.status} to {payment.status}"
        _require(Kind.PAYMENT_STATUS, allowed, went)


def _check_allocations(state: MemoryState) -> None:
    promised: defaultdict[Place, int] = defaultdict(int)
    for order_id, order in state.orders.items():
        allocations = state.allocations.get(order_id, ())
        for allocation in allocations:
            promised[allocation.variant_id, allocation.location_id] += allocation.unshipped
        _check_promise(order, allocations)
        _check_parcels(order, allocations, state.fulfillments.get(order_id, ()))
    for level in levels_of(state):
        orders = promised[level.variant_id, level.location_id]
        _require(
            Kind.ALLOCATIONS,
            level.allocated == orders,
            f"{level.sku}: {level.allocated} allocated, {orders} promised to orders",
        )


def _check_promise(order: Order, allocations: Sequence[Allocation]) -> None:
    """A live order has all its units; a shipped order has no more units in stock."""
    ordered = {line.id: line.quantity for line in order.lines}
    promised = _by_line(allocations, "quantity")
    unshipped = sum(allocation.unshipped for allocation in allocations)
    what = f"order {order.number}, {order.status},"
    if order.status in HOLDS_STOCK:
        _require(Kind.STOCK_MISSING, promised == ordered, f"{what} lacks units")
    elif order.status in SHIPPED:
        _require(Kind.STOCK_MISSING, promised == ordered, f"{what} has not shipped")
    if order.status not in HOLDS_STOCK:
        _require(Kind.STOCK_NOT_RELEASED, not unshipped, f"{what} still has units")


def _check_parcels(
    order: Order, allocations: Sequence[Allocation], parcels: Sequence[Fulfillment]
) -> None:
    """The units that left the stock are those in fulfillments, and not more than ordered."""
    packed = _by_line([line for parcel in parcels for line in parcel.lines], "quantity")
    for line in order.lines:
        once = packed[line.id] <= line.quantity
        _require(Kind.SHIPPED_TWICE, once, f"order {order.number}: {packed[line.id]} units")
    if order.status in HOLDS_STOCK or order.status in SHIPPED:
        left = _by_line(allocations, "shipped")
        parcels_differ = f"order {order.number}: parcels differ from the stock"
        _require(Kind.FULFILLMENTS, +left == packed, parcels_differ)


def _by_line(things: Iterable[Any], counter: str) -> Counter[Any]:
    units: Counter[Any] = Counter()
    for thing in things:
        units[thing.order_line_id] += getattr(thing, counter)
    return units
