"""Planted bugs: each must break the rule that it names, or the simulation proves nothing.

A mutant patches the product at run time; the product does not know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any, Final

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
from quickshop.domain.inventory import COUNTERS, HoldEnd, LevelChange, StockLevel
from quickshop.domain.orders import Order, OrderStatus
from quickshop.domain.payments import Payment, PaymentStatus, Refund, RefundRequested
from tests.simulation.violations import Kind

Patch = tuple[object, str, object]
"""Owner, attribute, replacement."""


class NothingToPatchError(Exception):
    """The product no longer has what a mutant replaces."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug."""

    name: str
    bug: str
    """What is wrong, in one sentence."""
    caught_by: Kind
    """The rule that a run with it must break."""
    patches: Callable[[], Iterator[Patch]]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have the bug for as long as the block runs.

        Raises:
            NothingToPatchError: the product has no such attribute.
        """
        with ExitStack() as stack:
            for owner, attribute, replacement in self.patches():
                stack.callback(setattr, owner, attribute, _original(owner, attribute))
                setattr(owner, attribute, replacement)
            yield


def _original(owner: object, attribute: str) -> Any:
    try:
        return vars(owner)[attribute]
    except KeyError:
        name = getattr(owner, "__name__", owner)
        raise NothingToPatchError(f"{name} has no {attribute!r} of its own") from None


_found: list[Mutant] = []


def _mutant(bug: str, *, caught_by: Kind) -> Callable[[Callable[[], Iterator[Patch]]], Mutant]:
    def register(patches: Callable[[], Iterator[Patch]]) -> Mutant:
        mutant = Mutant(patches.__name__.replace("_", "-"), bug, caught_by, patches)
        _found.append(mutant)
        return mutant

    return register


@_mutant(
    "stock is planned from an earlier transaction and taken without a check",
    caught_by=Kind.OVERSOLD,
)
def check_outside_transaction() -> Iterator[Patch]:
    prepare, plan = _original(checkout.PlaceOrder, "_prepare"), _original(checkout, "plan")
    seen: dict[Any, Any] = {}

    def prepare_late(self: Any, request: Any, shopper: Any, once: Once) -> Any:
        with self.unit_of_work() as tx:
            cart = checkout.get_cart(tx, request.cart_id, shopper)
            variants = {line.offer.variant_id for line in cart.lines}
            seen[request.cart_id] = tx.stock.levels(variants)
        return prepare(self, request, shopper, once)

    def plan_from_earlier(tx: Any, order: Any, *how: Any) -> Any:
        if order.cart_id not in seen:
            return plan(tx, order, *how)
        stock = SimpleNamespace(levels=lambda _ids: seen[order.cart_id])
        return plan(SimpleNamespace(stock=stock), order, *how)

    def moved_unchecked(self: Any, movements: Any) -> LevelChange:
        level = self._find(movements[0]).level
        changes = {n: sum(getattr(m, n) for m in movements) for n in COUNTERS}
        return LevelChange(
            level, replace(level, **{n: getattr(level, n) + by for n, by in changes.items()})
        )

    yield checkout.PlaceOrder, "_prepare", prepare_late
    yield checkout, "plan", plan_from_earlier
    yield MemoryStock, "_moved", moved_unchecked
    yield StockLevel, "__post_init__", lambda _self: None


@_mutant("each call of the gateway has a new key", caught_by=Kind.CHARGED_TWICE)
def new_gateway_key_per_call() -> Iterator[Patch]:
    calls = count(1)
    key = property(lambda self: f"{self.order_id}:{self.attempt}-{next(calls)}")
    yield Payment, "gateway_key", key


@_mutant(
    "an order takes any status from any other, and versions are not compared",
    caught_by=Kind.ORDER_STATUS,
)
def cancel_without_compare_and_set() -> Iterator[Patch]:
    def move(self: Order, status: OrderStatus, _action: str) -> None:
        self.status = status

    yield Order, "_move", move
    yield MemorySession, "require_version", lambda *_args: None


@_mutant("a job is marked done before it runs", caught_by=Kind.MAIL_COUNT)
def done_before_it_ran() -> Iterator[Patch]:
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


@_mutant("the relay sends each job only once", caught_by=Kind.UNFINISHED)
def relay_sends_once() -> Iterator[Patch]:
    def relay(self: RelayJobs) -> int:
        forever = timedelta(days=365)
        job_ids = self.queue.claim(self.clock.now(), limit=self.batch, lease=forever)
        if job_ids:
            self.publisher.publish(job_ids)
        return len(job_ids)

    yield RelayJobs, "__call__", relay


@_mutant(
    "an order keeps its stock after releasing it, so it can release it again",
    caught_by=Kind.STOCK_NOT_RELEASED,
)
def released_twice() -> Iterator[Patch]:
    def release(self: Any, order_id: Any, *, now: Any) -> int:
        allocations = self._state.allocations.get(order_id, ())
        self.record([allocation.released(now) for allocation in allocations])
        return sum(allocation.quantity for allocation in allocations)

    yield MemoryStock, "release", release


@_mutant("two processes that read the same expired hold both release it", caught_by=Kind.HOLDS)
def expired_hold_released_twice() -> Iterator[Patch]:
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
    yield StockLevel, "__post_init__", lambda _self: None


@_mutant(
    "staff are notified of a low level with every unit that leaves",
    caught_by=Kind.LOW_STOCK_NOTICES,
)
def low_stock_notified_again() -> Iterator[Patch]:
    def runs_low(self: LevelChange, default: int | None) -> bool:
        threshold = self._threshold(default)
        return threshold is not None and self.after.free <= threshold

    yield LevelChange, "_runs_low", runs_low


@_mutant("money that arrives after the cancellation is kept", caught_by=Kind.MONEY_KEPT)
def late_payment_ignored() -> Iterator[Patch]:
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

    yield paying.PaymentOutcomes, "on_captured", captured


@_mutant("a gateway that does not answer counts as a decline", caught_by=Kind.GATEWAY_DIFFERS)
def unknown_treated_as_declined() -> Iterator[Patch]:
    charge = _original(paying.ProcessOrder, "_charge")

    def charge_or_decline(self: Any, payment: Payment) -> Any:
        try:
            return charge(self, payment)
        except PaymentUnknownError as error:
            raise PaymentDeclinedError("no answer") from error

    yield paying.ProcessOrder, "_charge", charge_or_decline


@_mutant("the gateway is not asked again about a canceled payment", caught_by=Kind.GATEWAY_DIFFERS)
def canceled_payment_forgotten() -> Iterator[Patch]:
    yield settle, "_may_have_moved", lambda payment: payment.is_open


@_mutant(
    "an idempotency key is claimed and answered outside the order's transaction",
    caught_by=Kind.NO_ANSWER,
)
def key_outside_transaction() -> Iterator[Patch]:
    prepare = _original(checkout.PlaceOrder, "_prepare")

    def prepare_between(self: Any, request: Any, shopper: Any, once: Once) -> Any:
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, checkout.OrderView, self.clock.now()):
                token = checkout.order_token(shopper.token, earlier.id)
                return checkout.PlacedOrder(earlier, token, replayed=True)
        placed = prepare(self, request, shopper, replace(once, key=None))
        with self.unit_of_work() as tx:
            once.keep(tx, placed.order)
        return placed

    yield checkout.PlaceOrder, "_prepare", prepare_between


@_mutant("jobs are written after the commit of their event", caught_by=Kind.WRONG_MAILS)
def outbox_after_commit() -> Iterator[Patch]:
    open_transaction = _original(MemoryUnitOfWork, "__call__")
    write = _original(MemorySession, "_write_jobs")
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


@_mutant("each try of a refund has a new key", caught_by=Kind.REFUNDED_TOO_MUCH)
def new_refund_key_per_try() -> Iterator[Patch]:
    tries = count(1)
    key = lambda self, _refund: f"{self.gateway_key}:refund:{next(tries)}"  # noqa: E731
    yield Payment, "refund_key", key


@_mutant(
    "a refund is compared with the refundable amount before the payment is locked",
    caught_by=Kind.REFUNDED_TOO_MUCH,
)
def refund_checked_before_lock() -> Iterator[Patch]:
    refund = _original(paying.RefundOrder, "__call__")

    def refund_by_earlier(self: Any, order_id: Any, *, amount: Any = None, **more: Any) -> Any:
        with self.unit_of_work() as tx:
            payments = tx.payments.of_order(order_id)
        left = max((payment.refundable for payment in payments), key=lambda money: money.minor)
        if amount is not None and amount > left:
            raise RefundTooLargeError(str(amount), str(left), refundable_minor=left.minor)
        return refund(self, order_id, amount=amount or left, **more)

    def request(
        self: Payment, id: Any, amount: Any, *, reason: str, now: Any, patience: Any
    ) -> Any:
        number = len(self.refunds) + 1
        asked = Refund(id=id, number=number, amount=amount, reason=reason, created_at=now)
        self.refunds += (asked,)
        self.check_at = now + patience
        event = RefundRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now)
        self._record(event)
        return asked

    yield paying.RefundOrder, "__call__", refund_by_earlier
    yield Payment, "request_refund", request
    yield Payment, "__post_init__", lambda _self: None


@_mutant("the gateway is called while the payment is locked", caught_by=Kind.CALLED_IN_TRANSACTION)
def gateway_called_in_transaction() -> Iterator[Patch]:
    def refund(self: Any, payment: Payment, asked: Any) -> None:
        with self.unit_of_work() as tx:
            order, locked = outcomes.lock(tx, payment)
            self.gateway.refund(locked.reference, asked.amount, key=locked.refund_key(asked))
            self.outcomes.on_refunded(tx, order, locked, asked)

    yield paying.SettlePayments, "_refund", refund


@_mutant(
    "the amount in a webhook is not compared with the payment's", caught_by=Kind.REFUNDED_TOO_MUCH
)
def webhook_amount_not_compared() -> Iterator[Patch]:
    yield webhooks, "_matches", lambda _notice, _payment: True


@_mutant("a mail is not recorded as sent", caught_by=Kind.MAIL_COUNT)
def mail_not_recorded() -> Iterator[Patch]:
    yield notifications, "mark_sent", lambda *_facts: None


MUTANTS: Final[Mapping[str, Mutant]] = {mutant.name: mutant for mutant in _found}
"""By name."""
