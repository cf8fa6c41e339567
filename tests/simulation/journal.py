"""The answers that clients got, and the check that they are true in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from quickshop.adapters.memory.state import JobStatus, MemoryState
from quickshop.application.inventory import StockChange
from quickshop.domain.events import DomainEvent
from quickshop.domain.fulfillment import FulfillmentId
from quickshop.domain.orders import Order, OrderId
from quickshop.ports.orders import OrderView
from tests.simulation.violations import Kind, Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

MAILED: Final = {
    "OrderPaid": "order_confirmation",
    "OrderPaymentFailed": "payment_failed",
    "OrderCanceled": "order_canceled",
    "OrderExpired": "order_canceled",
    "OrderShipped": "order_shipped",
    "OrderRefunded": "order_refunded",
    "LowStock": "low_stock",
}
"""Which mail belongs to which event."""

PAID: Final = frozenset({"paid", "partially_fulfilled", "fulfilled", "completed"})
"""Orders whose money the shop keeps."""


@dataclass(slots=True)
class Journal:
    """The answers that clients got."""

    orders: dict[OrderId, OrderView] = field(default_factory=dict)
    """Orders that a client got an answer about."""
    canceled: set[OrderId] = field(default_factory=set)
    """Orders that were answered as canceled."""
    refunds: dict[str, tuple[OrderId, int]] = field(default_factory=dict)
    """What is to go back for which order, by idempotency key."""
    parcels: dict[str, FulfillmentId] = field(default_factory=dict)
    """Which parcel left, by idempotency key."""
    shelf: dict[str, StockChange] = field(default_factory=dict)
    """What staff changed, by idempotency key."""
    answers: dict[str, OrderId] = field(default_factory=dict)
    """Which order an idempotency key stands for."""

    def told(self, key: str, order: OrderView) -> None:
        """Write down an answer to a request with a key."""
        self.orders[order.id] = order
        if self.answers.setdefault(key, order.id) != order.id:
            raise Violation(Kind.TWO_ANSWERS, key)


def check_end(world: World) -> None:
    """Look at everything, once nothing more is to happen.

    Raises:
        Violation: something was lost, is stuck, or happened more or less often than it should.
    """
    state = world.store.state
    _check_clients(world.journal, state)
    _check_jobs(state)
    _check_shelf(world, state)
    for order in state.orders.values():
        _check_order(world, order)
        _check_money(world, order)
    for payment in state.payments.values():
        if payment.is_open:
            raise Violation(Kind.STUCK, f"payment {payment.gateway_key} is {payment.status}")
    _check_mails(world, state)
    if wrong := [finding.detail for finding in world.shop.check() if not finding.ok]:
        raise Violation(Kind.SELF_CHECK, f"{wrong}")


def _check_clients(journal: Journal, state: MemoryState) -> None:
    for order_id, view in journal.orders.items():
        order = state.orders.get(order_id)
        if order is None or order.total != view.total:
            raise Violation(Kind.ACKNOWLEDGED_LOST, f"order {view.number} is missing or another")
    sent = {parcel.id for parcels in state.fulfillments.values() for parcel in parcels}
    answered = list(journal.parcels.values())
    if len(set(answered)) < len(answered) or not sent.issuperset(answered):
        raise Violation(Kind.ACKNOWLEDGED_LOST, "a parcel never left, or under two keys")
    for order_id in journal.canceled:
        order = state.orders[order_id]
        if order.status != "canceled":
            raise Violation(Kind.ACKNOWLEDGED_LOST, f"order {order.number} is {order.status}")


def _check_shelf(world: World, state: MemoryState) -> None:
    """The ledger has each change that staff got an answer about once, and no other."""
    answered, ledger = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for change in world.journal.shelf.values():
        answered[change.sku, change.location] += change.quantity
    for movement in state.ledger:
        if movement.kind in {"received", "adjusted"}:
            place = state.locations[movement.location_id].name
            ledger[movement.sku, place] += movement.on_hand
    if answered != ledger:
        raise Violation(Kind.STOCK_CHANGES, f"staff made {answered}, the ledger has {ledger}")
    if late := [h.sku for h in state.holds.values() if h.expires_at <= world.scheduler.now]:
        raise Violation(Kind.HELD_TOO_LONG, f"{late}")


def _check_jobs(state: MemoryState) -> None:
    for job in state.jobs.values():
        if job.status is not JobStatus.DONE:
            detail = f"{job.effect} of {job.event.subject}: {job.status}, {job.error}"
            raise Violation(Kind.JOB_FAILED, detail)


def _check_order(world: World, order: Order) -> None:
    held = [a for a in world.gateway.of_order(str(order.id)) if a.state == "authorized"]
    if order.status == "pending":
        if not held or world.is_waited_for(order):
            raise Violation(Kind.STUCK, f"order {order.number} is pending")
    elif held:
        raise Violation(Kind.MONEY_SET_ASIDE, f"order {order.number} is {order.status}")


def _check_money(world: World, order: Order) -> None:
    """The gateway's own book: a live order's money once, of any other none."""
    accounts = world.gateway.of_order(str(order.id))
    taken, kept = [a.captured for a in accounts if a.captured], sum(a.kept for a in accounts)
    payments = [p for p in world.store.state.payments.values() if p.order_id == order.id]
    recorded = sum(p.captured_minor - p.refunded_minor for p in payments)
    if kept != recorded:
        detail = f"order {order.number}: the gateway keeps {kept}, the shop says {recorded}"
        raise Violation(Kind.GATEWAY_DIFFERS, detail)
    refused = any(key.startswith(str(order.id)) for key in world.gateway.refused_refunds)
    if order.status in PAID and (len(taken) != 1 or kept != taken[0] - _given_back(world, order)):
        detail = f"order {order.number} is {order.status}, was charged {taken}, {kept} is kept"
        raise Violation(Kind.WRONG_CHARGE, detail)
    if order.status not in PAID and kept and not refused:
        detail = f"order {order.number} is {order.status}, the gateway keeps {kept}"
        raise Violation(Kind.MONEY_KEPT, detail)


def _given_back(world: World, order: Order) -> int:
    """What the shop said that it sends back, less what the gateway refused."""
    state, refused = world.store.state, 0
    for payment in state.payments.values():
        if payment.order_id == order.id:
            refused += sum(r.amount.minor for r in payment.refunds if r.status == "failed")
    asked = (minor for of, minor in world.journal.refunds.values() if of == order.id)
    return sum(asked) - refused


def _check_mails(world: World, state: MemoryState) -> None:
    """One email per notified event; more only after a crash or a lost answer."""
    mails = [job for job in state.jobs.values() if job.effect.startswith("mail_")]
    expected = {f"{job.event_id}.{_mail(job.event)}": job.event_id for job in mails}
    for order_id, timeline in state.timelines.items():
        kinds = sorted(filter(None, map(_mail, timeline)))
        jobs = sorted(_mail(j.event) for j in mails if j.event.subject == str(order_id))
        if kinds != jobs:
            detail = f"order {order_id} is to have {kinds}, and has {jobs}"
            raise Violation(Kind.WRONG_MAILS, detail)
    excused = world.queue.overlapping | world.faults.mailed_but_untold
    for key, event_id in expected.items():
        sent = world.mailbox.counts[key]
        if sent < 1 or (sent > 1 and event_id not in excused):
            raise Violation(Kind.MAIL_COUNT, f"{key} went out {sent} times")
    if extra := world.mailbox.counts.keys() - expected.keys():
        raise Violation(Kind.WRONG_MAILS, f"not asked for: {sorted(extra)}")


def _mail(event: DomainEvent) -> str:
    """The kind of mail that belongs to an event; nothing when there is none."""
    return MAILED.get(type(event).__name__, "")
