"""One run: a small shop, its actors, and the broken promise, if any."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Final
from uuid import UUID

import tenacity.nap

from quickshop.adapters.memory.caches import NoCartCache, NoProductCache, NoSessionCache
from quickshop.adapters.memory.jobs import MemorySchedules
from quickshop.adapters.memory.readers import memory_readers
from quickshop.adapters.memory.state import JobStatus, MemoryState
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.passwords import MIN_COST, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.application.jobs import MAX_ATTEMPTS
from quickshop.application.reactions import REACTIONS
from quickshop.domain.catalog import (
    Product,
    ProductContent,
    ProductId,
    Variant,
    VariantContent,
    VariantId,
)
from quickshop.domain.inventory import (
    Location,
    LocationId,
    by_priority,
    fewest_parcels,
)
from quickshop.domain.money import Money
from quickshop.domain.orders import UNPAID, LatePaymentCaptured, Order
from quickshop.domain.payments import CaptureMethod, PaymentStatus
from quickshop.shop import (
    Caches,
    Core,
    Outside,
    Queueing,
    Security,
    Shop,
    build_shop,
)
from tests.simulation import actors
from tests.simulation.faults import Faults
from tests.simulation.gateway import SimulatedGateway
from tests.simulation.invariants import Watch
from tests.simulation.journal import Journal, check_end
from tests.simulation.mailbox import Mailbox
from tests.simulation.ports import (
    Broker,
    CountedIdentifiers,
    Stepped,
    SteppedClock,
    SteppedQueue,
    SteppedStore,
    SteppedUnitOfWork,
    WokenSignal,
)
from tests.simulation.scheduler import START, Scheduler
from tests.simulation.violations import Kind, Violation, unexpected
from tests.twins import DEFAULT_POLICY

SKUS: Final = ("SKU-A", "SKU-B", "SKU-C", "SKU-D")
PLACES: Final = ("main", "annex")
PATIENCE: Final = timedelta(days=1)
"""The time within which all work is done after the faults end."""


class World:
    """The shop of one seed, and everything around it."""

    def __init__(self, seed: int) -> None:
        self.scheduler = Scheduler(seed)
        self.scheduler.taking_turns = False
        self.random = self.scheduler.random
        self.faults = Faults(self.scheduler)
        self.store = SteppedStore(self.scheduler, self.faults, self._on_commit)
        self._watch = Watch()
        self.scheduler.disturb = lambda actor: self.faults.at_step(
            actor, lambda: self.store.is_open
        )
        self.gateway = SimulatedGateway(self.scheduler, self.faults, self.store)
        self.mailbox = Mailbox(self.scheduler, self.faults, self.store)
        self.broker = Broker(self.scheduler, self.faults)
        self.queue = SteppedQueue(self.store, self.scheduler, MAX_ATTEMPTS)
        self.journal = Journal()
        self.is_closing = False
        self.skus = SKUS[: self.random.choice((1, 2, 2, 3, 4))]
        self.places = PLACES[: self.random.choice((1, 2))]
        self.capture = self.random.choice(
            (CaptureMethod.AUTOMATIC, CaptureMethod.AUTOMATIC, CaptureMethod.MANUAL)
        )
        self.shop = self._open()
        self.gateway.receive = self.shop.payments.receive_webhook
        self._guests = 0

    def _open(self) -> Shop:
        step, identifiers = self.scheduler.step, CountedIdentifiers()
        readers, signal = memory_readers(self.store), WokenSignal(self.scheduler)
        self.store.state = _catalog().draft()
        unit_of_work = SteppedUnitOfWork(
            self.scheduler, REACTIONS, signal.wake, store=self.store, new_id=identifiers.new
        )
        return build_shop(
            policy=replace(
                DEFAULT_POLICY,
                capture=self.capture,
                hold_lasts=timedelta(seconds=self.random.choice((20, 60, 600))),
                hold_carts=self.random.random() < 0.2,
                sourcing=self.random.choice((by_priority, fewest_parcels)),
                staff_email="staff@example.com",
            ),
            core=Core(
                unit_of_work=unit_of_work,
                clock=SteppedClock(self.scheduler),
                identifiers=identifiers,
            ),
            readers=replace(
                readers,
                carts=_stepped(readers.carts, "read carts", step),
                orders=_stepped(readers.orders, "read orders", step),
                stock=_stepped(readers.stock, "read stock", step),
            ),
            caches=Caches(
                products=NoProductCache(),
                carts=NoCartCache(),
                sessions=NoSessionCache(),
            ),
            security=Security(
                passwords=BcryptPasswords(cost=MIN_COST),
                tokens=JwtAccessTokens(fresh_keys()),
            ),
            outside=Outside(
                product_feed=_no_feed,
                sanitizer=str,
                gateway=self.gateway,
                webhooks={"gateway": self.gateway},
                notifier=self.mailbox,
            ),
            queueing=Queueing(
                queue=_stepped(self.queue, "queue", step),
                publisher=_stepped(self.broker, "broker", step),
                signal=signal,
                schedules=_stepped(MemorySchedules(self.store), "schedules", step),
            ),
        )

    def _on_commit(self, before: MemoryState, after: MemoryState) -> None:
        self._watch(before, after)
        if before.notifications != after.notifications:
            self.scheduler.current.mailed = False  # it is written down, so it goes out no more

    def _stock_up(self) -> None:
        for sku in self.skus:
            for place in self.places:
                units = self.random.choice((1, 2, 4, 8))
                limit = self.random.choice((None, None, None, 2))
                key = f"opening with {sku} in {place}"
                done = self.shop.inventory.receive(
                    sku, units, location=place, backorder_limit=limit, idempotency_key=key
                )
                self.journal.shelf[key] = done.value
                threshold = self.random.choice((None, 0, 2))
                self.shop.inventory.configure(sku, location=place, low_stock_threshold=threshold)

    def run(self) -> None:
        """Run the day, then the remaining work.

        Raises:
            Violation: a promise was broken.
        """
        self._stock_up()
        self.scheduler.taking_turns = True
        self.faults.begin()
        for number in range(self.random.choice((3, 4, 5, 6))):
            name = f"buyer {number + 1}"
            self.visit(name, actors.Buyer(self, name))
        for visitor, likely in (
            (actors.canceling_staff, 0.6),
            (actors.refunder, 0.6),
            (actors.fulfiller, 0.6),
            (actors.cashier, 0.9 if self.capture is CaptureMethod.MANUAL else 0.1),
            (actors.hold_taker, 0.6),
            (actors.stock_editor, 0.5),
            (actors.price_editor, 0.3),
        ):
            if self.random.random() < likely:
                self.visit(visitor.__name__.replace("_", " "), lambda who=visitor: who(self))
        self._hire()
        self.scheduler.run()
        self._drain()
        check_end(self)

    def visit(self, name: str, day: Callable[[], object]) -> None:
        """Start an actor; after the last one has ended, all faults end and so does the day."""

        def stay() -> None:
            day()
            self._guests -= 1
            if not self._guests:
                self.faults.heal()
                self.is_closing = True
                self.scheduler.wake_idle()

        self._guests += 1
        self.scheduler.spawn(name, stay)

    def _hire(self) -> None:
        with_broker = self.random.random() < 0.4
        staff = [actors.relay, actors.consumer, actors.consumer] if with_broker else []
        staff += [actors.worker] * self.random.choice((0, 1) if with_broker else (1, 2, 3))
        staff += [actors.sweeper] * self.random.choice((1, 1, 2))
        for number, work in enumerate(staff):
            self.scheduler.spawn(f"{work.__name__} {number}", lambda work=work: work(self))

    def _drain(self) -> None:
        """Let time pass until nothing is left to be done."""
        end = self.scheduler.now + PATIENCE
        while self.scheduler.now < end:
            self.shop.jobs.periodic()
            self.shop.run_jobs()
            due = self._next_due()
            if due is None:
                return
            self.scheduler.now = max(self.scheduler.now + timedelta(seconds=15), due)
        raise Violation(Kind.UNFINISHED, f"something is still due after {PATIENCE}")

    def earliest_job(self) -> datetime | None:
        """When the next job may be handed out."""
        jobs = self.store.state.jobs.values()
        return min((j.available_at for j in jobs if j.status is JobStatus.WAITING), default=None)

    def _next_due(self) -> datetime | None:
        state = self.store.state
        authorized = PaymentStatus.AUTHORIZED  # Those are looked after for as long as they wait.
        dues = [p.check_at for p in state.payments.values() if p.status is not authorized]
        dues += [o.expires_at for o in state.orders.values() if self.is_waited_for(o)]
        dues += [hold.expires_at for hold in state.holds.values()]
        return min((due for due in (*dues, self.earliest_job()) if due), default=None)

    def is_waited_for(self, order: Order) -> bool:
        """Whether something will happen to an unpaid order by itself."""
        payments = self.store.state.payments.values()
        mine = (p.status for p in payments if p.order_id == order.id)
        return order.status in UNPAID and PaymentStatus.AUTHORIZED not in mine


def _stepped(port, name, step):  # noqa: ANN001, ANN202 - as good as the port it stands for
    return Stepped(port, name, step)


def _no_feed(path: object, *, currency: str) -> None:
    raise Violation(Kind.SELF_CHECK, f"this shop reads no files: {path}, {currency}")


@cache
def _catalog() -> MemoryState:
    """What every shop begins with. Built once: it is copied, and what is in it never changed."""
    identifiers = CountedIdentifiers()
    work = MemoryUnitOfWork({}, new_id=identifiers.new)
    with work() as tx:
        for number, sku in enumerate(SKUS):
            content = VariantContent(sku=sku, price=Money(1999, "EUR"))
            variant = Variant(VariantId(UUID(int=(1 << 64) + number)), content)
            product = Product(
                id=ProductId(UUID(int=(2 << 64) + number)),
                content=ProductContent(title=sku, handle=sku.lower()),
                variants=(variant,),
            )
            tx.products.add(Product.create(product, now=START))
        for number, place in enumerate(PLACES):
            location = LocationId(UUID(int=(3 << 64) + number))
            tx.stock.get_or_create_location(Location(id=location, name=place, priority=number))
    return work.store.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of one run."""

    seed: int
    steps: int
    faults: Counter[str]
    outcomes: Counter[str]
    """The number of orders by their final status, and of late payments."""
    trace: list[tuple[str, str]]
    violation: Violation | None

    def lines(self) -> list[str]:
        """The trace, numbered."""
        return [
            f"{number:5}  {who:24} {what.replace(_LONG_ID, '#')}"
            for number, (who, what) in enumerate(self.trace, start=1)
        ]


_LONG_ID: Final = "00000000-0000-0000-0000-00000000"


def simulate(seed: int) -> Verdict:
    """Run one seed to its end or to the first broken promise."""
    world, violation = World(seed), None
    with _virtual_sleep(world.scheduler):
        try:
            world.run()
        except Violation as broken:
            violation = broken
        except Exception as error:  # noqa: BLE001 - no actor may end like this
            violation = unexpected(error, Kind.DOMAIN_REFUSED)
    return Verdict(
        seed=seed,
        steps=len(world.scheduler.trace),
        faults=world.faults.counts,
        outcomes=_outcomes(world.store.state),
        trace=world.scheduler.trace,
        violation=violation and _shortened(violation),
    )


def _shortened(violation: Violation) -> Violation:
    return Violation(violation.kind, violation.detail.replace(_LONG_ID, "#"))


def _outcomes(state: MemoryState) -> Counter[str]:
    outcomes = Counter(str(order.status) for order in state.orders.values())
    outcomes["money came late"] = sum(
        isinstance(event, LatePaymentCaptured)
        for timeline in state.timelines.values()
        for event in timeline
    )
    return outcomes


@contextmanager
def _virtual_sleep(scheduler: Scheduler) -> Iterator[None]:
    """Let a story that lost a race wait in virtual time before it is repeated.

    A run is too short to be worth interrupting for garbage.
    """
    gc.disable()
    real = tenacity.nap.time
    tenacity.nap.time = SimpleNamespace(sleep=lambda _seconds: scheduler.step("once more"))
    try:
        yield
    finally:
        tenacity.nap.time = real
        gc.enable()
