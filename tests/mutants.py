"""Bugs to plant, each of which the evidence must catch: who proves that a test can fail?

A mutant is a patch at run time; nothing in the product knows of it. Each names the evidence that
must catch it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any, Final, Literal

from quickshop.adapters.memory.holds import MemoryHolds
from quickshop.adapters.memory.inventory import MemoryStock
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.application import checkout, notifications
from quickshop.application import payments as paying
from quickshop.application.holds import ReleaseExpiredHolds
from quickshop.application.idempotency import Once
from quickshop.application.jobs import JobOutcome, RelayJobs, RunJob
from quickshop.application.payments import outcomes, settle, webhooks
from quickshop.domain.errors import (
    PaymentDeclinedError,
    PaymentUnknownError,
    RefundTooLargeError,
)
from quickshop.domain.events import Aggregate
from quickshop.domain.inventory import COUNTERS, HoldEnd, LevelChange, StockLevel
from quickshop.domain.orders import Order, OrderStatus
from quickshop.domain.payments import Payment, PaymentStatus, Refund, RefundRequested

Evidence = Literal["simulation"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug."""

    name: str
    bug: str
    """What is wrong with it, in one sentence."""
    patches: Callable[[], Iterator[tuple[object, str, object]]]
    """What to replace: owner, attribute, replacement."""
    evidence: Evidence = "simulation"

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have the bug for as long as the block runs."""
        with ExitStack() as stack:
            for owner, attribute, replacement in self.patches():
                original = vars(owner)[attribute]
                stack.callback(setattr, owner, attribute, original)
                setattr(owner, attribute, replacement)
            yield


_found: list[Mutant] = []


def _mutant(
    bug: str,
) -> Callable[[Callable[[], Iterator[tuple[object, str, object]]]], Mutant]:
    def register(patches: Callable[[], Iterator[tuple[object, str, object]]]) -> Mutant:
        mutant = Mutant(patches.__name__.replace("_", "-"), bug, patches)
        _found.append(mutant)
        return mutant

    return register


@_mutant("stock is planned on what an earlier transaction read, and taken without a check")
def check_outside_transaction() -> Iterator[tuple[object, str, object]]:
    prepare, plan = vars(checkout.PlaceOrder)["_prepare"], checkout.plan
    seen: dict[Any, Any] = {}

    def prepare_late(self: Any, request: Any, *args: Any) -> Any:
        with self.unit_of_work() as tx:
            cart = tx.carts.get(request.cart_id, token_digest=request.token_digest)
            variants = {line.offer.variant_id for line in cart.lines}
            seen[request.cart_id] = tx.stock.levels(variants)
        return prepare(self, request, *args)

    def plan_by_hearsay(tx: Any, order: Any, *how: Any) -> Any:
        if order.cart_id not in seen:
            return plan(tx, order, *how)
        hearsay = type("Hearsay", (), {"levels": lambda _self, _ids: seen[order.cart_id]})
        then = type("Then", (), {"stock": hearsay()})
        return plan(then(), order, *how)

    def moved_unchecked(self: Any, movements: Any) -> LevelChange:
        level = self._find(movements[0]).level
        changes = {n: sum(getattr(m, n) for m in movements) for n in COUNTERS}
        return LevelChange(
            level, replace(level, **{n: getattr(level, n) + by for n, by in changes.items()})
        )

    yield checkout.PlaceOrder, "_prepare", prepare_late
    yield checkout, "plan", plan_by_hearsay
    yield MemoryStock, "_moved", moved_unchecked
    yield StockLevel, "__post_init__", lambda _self: None


@_mutant("every call of the gateway has a key of its own")
def new_gateway_key_per_call() -> Iterator[tuple[object, str, object]]:
    calls = count(1)
    key = property(lambda self: f"{self.order_id}:{self.attempt}-{next(calls)}")
    yield Payment, "gateway_key", key


@_mutant("an order's status moves whatever it is, and nobody compares versions")
def cancel_without_compare_and_set() -> Iterator[tuple[object, str, object]]:
    def move(self: Order, status: OrderStatus, _action: str) -> None:
        self.status = status

    yield Order, "_move", move
    yield MemorySession, "require_version", lambda *_args: None


@_mutant("a job is done before it runs")
def done_before_it_ran() -> Iterator[tuple[object, str, object]]:
    def run(self: RunJob, job_id: Any) -> JobOutcome:
        job = self.queue.start(job_id, self.clock.now(), lease=self.lease)
        if job is None:
            return JobOutcome.SKIPPED
        self.queue.finish(job_id, self.clock.now())
        try:
            self.handlers[job.effect](job)
        except Exception as error:  # noqa: BLE001
            return self._fail(job, error)
        return JobOutcome.DONE

    yield RunJob, "__call__", run


@_mutant("the relay sends a job once, and never again")
def relay_sends_once() -> Iterator[tuple[object, str, object]]:
    def relay(self: RelayJobs) -> int:
        forever = timedelta(days=365)
        job_ids = self.queue.claim(self.clock.now(), limit=self.batch, lease=forever)
        if job_ids:
            self.publisher.publish(job_ids)
        return len(job_ids)

    yield RelayJobs, "__call__", relay


@_mutant("stock that was given back is not forgotten, so it can be given back again")
def released_twice() -> Iterator[tuple[object, str, object]]:
    def release(self: Any, order_id: Any, *, now: Any) -> int:
        allocations = self._state.allocations.get(order_id, ())
        self.record([allocation.released(now) for allocation in allocations])
        return sum(allocation.quantity for allocation in allocations)

    yield MemoryStock, "release", release


@_mutant("two may release the same expired hold, both having read it before")
def expired_hold_released_twice() -> Iterator[tuple[object, str, object]]:
    def release(self: ReleaseExpiredHolds, sku: str | None) -> int:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            holds = tx.holds.expired(now, sku=sku, limit=self.batch)
        with self.unit_of_work() as tx:
            tx.holds.end(holds, HoldEnd.RELEASED, now=now)
            tx.stock.record([hold.released(now) for hold in holds])
        return len(holds)

    def end(self: Any, holds: Any, _how: HoldEnd, *, now: Any) -> None:
        for hold in holds:
            self._state.holds.pop(hold.id, None)
            self._state.ended_holds[hold.id] = now

    yield ReleaseExpiredHolds, "_release", release
    yield MemoryHolds, "end", end


@_mutant("staff are told of a low level with every unit that leaves")
def low_stock_told_again() -> Iterator[tuple[object, str, object]]:
    def runs_low(self: LevelChange, default: int | None) -> bool:
        threshold = self._threshold(default)
        return threshold is not None and self.after.free <= threshold

    yield LevelChange, "_runs_low", runs_low


@_mutant("money that arrives after the cancellation is kept")
def late_payment_ignored() -> Iterator[tuple[object, str, object]]:
    def captured(
        self: Any, tx: Any, order: Any, payment: Any, reference: str, amount: Any
    ) -> None:
        if payment.status in {PaymentStatus.CAPTURED, PaymentStatus.REFUNDED}:
            return
        now = self.clock.now()
        payment.mark_captured(reference, captured_minor=amount.minor, now=now)
        if order.status is OrderStatus.PENDING:
            order.mark_paid(now=now)
        tx.orders.save(order)
        tx.payments.save(payment)

    yield paying.PaymentOutcomes, "captured", captured


@_mutant("no answer from the gateway counts as a decline")
def unknown_taken_for_declined() -> Iterator[tuple[object, str, object]]:
    charge = vars(paying.ProcessOrder)["_charge"]

    def charge_or_decline(self: Any, payment: Payment) -> Any:
        try:
            return charge(self, payment)
        except PaymentUnknownError as error:
            raise PaymentDeclinedError("no answer") from error

    yield paying.ProcessOrder, "_charge", charge_or_decline


@_mutant("a payment that was called off is never asked about again")
def called_off_payment_forgotten() -> Iterator[tuple[object, str, object]]:
    yield settle, "_may_have_moved", lambda payment: payment.is_open


@_mutant("the idempotency key is claimed and answered in transactions of its own")
def key_outside_transaction() -> Iterator[tuple[object, str, object]]:
    prepare = vars(checkout.PlaceOrder)["_prepare"]

    def prepare_around(self: Any, request: Any, token: Any, once: Once) -> Any:
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, checkout.OrderView, self.clock.now()):
                return checkout.PlacedOrder(earlier, checkout.order_token(token, earlier.id))
        placed = prepare(self, request, token, replace(once, key=None))
        with self.unit_of_work() as tx:
            once.keep(tx, placed.order)
        return placed

    yield checkout.PlaceOrder, "_prepare", prepare_around


@_mutant("jobs are written after the commit of what they follow from")
def outbox_after_commit() -> Iterator[tuple[object, str, object]]:
    open_transaction = MemoryUnitOfWork.__call__
    write = vars(MemorySession)["_write_jobs"]
    waiting: list[Any] = []

    @contextmanager
    def commit_then_write(self: Any) -> Iterator[Any]:
        with open_transaction(self) as tx:
            waiting.clear()
            yield tx
            events = list(waiting)
        if events:
            with open_transaction(self) as tx:
                for event in events:
                    write(vars(tx.orders)["_session"], event)

    yield MemoryUnitOfWork, "__call__", commit_then_write
    yield MemorySession, "_write_jobs", lambda _self, event: waiting.append(event)


@_mutant("a refund is sent under a new key with each try")
def new_refund_key_per_try() -> Iterator[tuple[object, str, object]]:
    tries = count(1)
    key = lambda self, _refund: f"{self.gateway_key}:refund:{next(tries)}"  # noqa: E731
    yield Payment, "refund_key", key


@_mutant("a refund is compared with what is left before the payment is locked")
def refund_checked_before_lock() -> Iterator[tuple[object, str, object]]:
    refund = vars(paying.RefundOrder)["__call__"]

    def refund_by_hearsay(self: Any, order_id: Any, *, amount: Any = None, **more: Any) -> Any:
        with self.unit_of_work() as tx:
            payments = tx.payments.of_order(order_id)
        left = max((payment.refundable for payment in payments), key=lambda money: money.minor)
        if amount is not None and amount > left:
            raise RefundTooLargeError(amount.minor, refundable_minor=left.minor)
        return refund(self, order_id, amount=amount or left, **more)

    def request(
        self: Payment, id: Any, amount: Any, *, reason: str, now: Any, patience: Any
    ) -> Any:
        number = len(self.refunds) + 1
        asked = Refund(id=id, number=number, amount=amount, reason=reason, created_at=now)
        self.refunds += (asked,)
        self.check_at = now + patience
        event = RefundRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now)
        vars(Aggregate)["_record"](self, event)
        return asked

    yield paying.RefundOrder, "__call__", refund_by_hearsay
    yield Payment, "request_refund", request
    yield Payment, "__post_init__", lambda _self: None


@_mutant("the gateway is called while the payment is locked")
def gateway_called_in_transaction() -> Iterator[tuple[object, str, object]]:
    def refund(self: Any, payment: Payment, asked: Any) -> None:
        with self.unit_of_work() as tx:
            order, locked = outcomes.lock(tx, payment)
            self.gateway.refund(locked.reference, asked.amount, key=locked.refund_key(asked))
            self.outcomes.on_refunded(tx, order, locked, asked)

    yield paying.SettlePayments, "_refund", refund


@_mutant("the amount that a webhook speaks of is not compared with the payment's")
def webhook_amount_not_compared() -> Iterator[tuple[object, str, object]]:
    yield webhooks, "_matches", lambda _notice, _payment: True


@_mutant("nobody writes down that a mail went out")
def mail_not_written_down() -> Iterator[tuple[object, str, object]]:
    yield notifications, "mark_sent", lambda *_facts: None


MUTANTS: Final[Mapping[str, Mutant]] = {mutant.name: mutant for mutant in _found}
"""By name."""
