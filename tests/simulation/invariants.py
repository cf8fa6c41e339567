"""What must hold after every commit. Shares no rule with the shop: each is spelled out here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from quickshop.adapters.memory.state import MemoryState
from quickshop.domain.fulfillment import Fulfillment
from quickshop.domain.inventory import Allocation, StockLevel
from quickshop.domain.orders import Order
from quickshop.domain.payments import Payment
from tests.simulation.scheduler import Violation

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
        if after.holds != before.holds:
            _check_holds(after)
        moved = after.allocations != before.allocations
        if after.levels != before.levels or len(after.ledger) != len(before.ledger):
            self._check_levels(after)
            _check_notices(before, after)
            moved = True
        if after.orders != before.orders:
            for order_id, order in after.orders.items():
                _check_order(before.orders.get(order_id), order)
            _require(_carts_are_distinct(after), "a cart became two orders")
            moved = True
        if moved:
            _check_allocations(after)
        if after.payments != before.payments:
            for payment_id, payment in after.payments.items():
                _check_payment(before.payments.get(payment_id), payment)

    def _add_up_ledger(self, before: MemoryState, after: MemoryState) -> None:
        told = len(before.ledger)
        _require(after.ledger[:told] == before.ledger, "the ledger was changed, not added to")
        for movement in after.ledger[told:]:
            sums = self._sums[movement.variant_id, movement.location_id]
            sums[0] += movement.on_hand
            sums[1] += movement.allocated
            sums[2] += movement.held

    def _check_levels(self, state: MemoryState) -> None:
        for level in levels_of(state):
            counters = [level.on_hand, level.allocated, level.held]
            sums = self._sums[level.variant_id, level.location_id]
            _require(counters == sums, f"{level.sku}: counters {counters}, ledger {sums}")
            left = level.on_hand - level.allocated - level.held
            _require(left >= -level.backorder_limit, f"{level.sku} is oversold: {left} left")
            _require(min(counters[1:]) >= 0, f"{level.sku}: less than nothing is promised")


def levels_of(state: MemoryState) -> list[StockLevel]:
    """Every stock level."""
    return [shelf.level for shelves in state.levels.values() for shelf in shelves.values()]


def _check_holds(state: MemoryState) -> None:
    """What is held is held for somebody, once; what has ended has ended for good."""
    held: defaultdict[Place, int] = defaultdict(int)
    owners = set()
    for hold in state.holds.values():
        held[hold.variant_id, hold.location_id] += hold.quantity
        owners.add((hold.cart_id, hold.variant_id, hold.location_id))
    for level in levels_of(state):
        carts = held[level.variant_id, level.location_id]
        _require(level.held == carts, f"{level.sku}: {level.held} held, {carts} for carts")
    _require(len(owners) == len(state.holds), "a cart holds the same level twice")
    _require(not state.holds.keys() & state.ended_holds.keys(), "a hold came back")


def _check_notices(before: MemoryState, after: MemoryState) -> None:
    """Staff are told of a level once each time that it runs low."""
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
    told = sorted(
        _name(job.event)
        for job_id, job in after.jobs.items()
        if job.effect == "mail_low_stock" and job_id not in before.jobs
    )
    _require(crossed == told, f"levels that ran low: {crossed}, told: {told}")


def _name(thing: Any) -> str:
    return f"{thing.sku} in place {thing.location_id.int & 0xFF}"


def _place(thing: Any) -> Place:
    return thing.variant_id, thing.location_id


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)


def _carts_are_distinct(state: MemoryState) -> bool:
    return len({order.cart_id for order in state.orders.values()}) == len(state.orders)


def _check_order(before: Order | None, order: Order) -> None:
    if before is order:
        return
    due = sum(line.unit_price.minor * line.quantity for line in order.lines)
    _require(order.subtotal.minor == due, f"order {order.number}: the lines make {due}")
    due += order.shipping.minor + order.tax.minor - order.discount.minor
    _require(order.total.minor == due, f"order {order.number}: its parts make {due}")
    if before is None:
        _require(order.status == "pending", f"order {order.number} began as {order.status}")
        return
    same = before.total == order.total and before.lines == order.lines
    _require(same, f"order {order.number} was recomputed")
    if before.status != order.status:
        allowed = order.status in ORDER_MOVES[before.status].split()
        _require(allowed, f"order {order.number} went from {before.status} to {order.status}")


def _check_payment(before: Payment | None, payment: Payment) -> None:
    if before is payment:
        return
    what = f"payment {payment.gateway_key}"
    _require(payment.captured_minor <= payment.amount.minor, f"{what}: too much captured")
    _require(payment.refunded_minor <= payment.captured_minor, f"{what}: too much refunded")
    if before is None:
        _require(payment.status == "pending", f"{what} began as {payment.status}")
    elif before.status != payment.status:
        allowed = payment.status in PAYMENT_MOVES[before.status].split()
        _require(allowed, f"{what} went from {before.status} to {payment.status}")


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
            level.allocated == orders,
            f"{level.sku}: {level.allocated} allocated, {orders} promised to orders",
        )


def _check_promise(order: Order, allocations: Sequence[Allocation]) -> None:
    """A live order has all that was ordered; one that shipped has nothing more on the shelf."""
    ordered = {line.id: line.quantity for line in order.lines}
    promised = _by_line(allocations, "quantity")
    unshipped = sum(allocation.unshipped for allocation in allocations)
    what = f"order {order.number}, {order.status},"
    if order.status in HOLDS_STOCK:
        _require(promised == ordered, f"{what} has not what it was promised")
    elif order.status in SHIPPED:
        _require(promised == ordered, f"{what} has not shipped")
    if order.status not in HOLDS_STOCK:
        _require(not unshipped, f"{what} still holds stock")


def _check_parcels(
    order: Order, allocations: Sequence[Allocation], parcels: Sequence[Fulfillment]
) -> None:
    """What left the shelf is what is in the parcels, and no more than was ordered."""
    packed = _by_line([line for parcel in parcels for line in parcel.lines], "quantity")
    for line in order.lines:
        _require(packed[line.id] <= line.quantity, f"order {order.number} shipped twice")
    if order.status in HOLDS_STOCK or order.status in SHIPPED:
        left = _by_line(allocations, "shipped")
        _require(+left == packed, f"order {order.number}: parcels differ from the stock")


def _by_line(things: Iterable[Any], counter: str) -> Counter[Any]:
    units: Counter[Any] = Counter()
    for thing in things:
        units[thing.order_line_id] += getattr(thing, counter)
    return units
