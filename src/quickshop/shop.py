"""The library's front door: every use case, by context, in typed calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event
from types import TracebackType
from typing import Self

from quickshop.application import (
    cart,
    catalog,
    checkout,
    fulfillment,
    holds,
    inventory,
    jobs,
    orders,
)
from quickshop.application.health import CheckInvariants
from quickshop.application.imports import ImportProducts
from quickshop.application.maintenance import ForgetExpired
from quickshop.application.notifications import NotifyShopper, NotifyStaff
from quickshop.application.payments import (
    AskAgainAboutPayments,
    CapturePayment,
    ListPayments,
    ListPaymentWebhooks,
    PaymentOutcomes,
    ProcessOrder,
    ReceivePaymentWebhook,
    RefundOrder,
    SettlePayments,
    VoidPayment,
)
from quickshop.application.reactions import build_handlers
from quickshop.domain.inventory import SourcingStrategy, by_priority
from quickshop.domain.payments import CaptureMethod
from quickshop.ports.cache import ProductCache
from quickshop.ports.cart import CartReader
from quickshop.ports.catalog import ProductReader
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ProductFeedReader
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobPublisher, JobQueue, JobSignal, ScheduleRepository
from quickshop.ports.notifications import Notifier
from quickshop.ports.orders import OrderReader
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a shop decides for itself. Currency is an ISO 4217 code."""

    name: str = "QuickShop"
    currency: str = "USD"
    location: str = "main"
    """Where stock lies unless another place is named."""
    sourcing: SourcingStrategy = by_priority
    """Which locations serve an order."""
    hold_lasts: timedelta = timedelta(minutes=10)
    """How long units are set aside for a cart."""
    hold_carts: bool = False
    """Whether putting units in a cart sets them aside; else only checking out does."""
    staff_email: str | None = None
    """Who is told that stock runs low."""
    payment_patience: timedelta = timedelta(seconds=60)
    """How long a gateway may be silent before it is asked again."""
    capture: CaptureMethod = CaptureMethod.AUTOMATIC
    """Whether money is taken at once, or set aside until staff take it."""
    order_lifetime: timedelta = timedelta(hours=1)
    """How long an order waits for its money before it expires."""
    job_lease: timedelta = timedelta(seconds=60)
    """How long a job may run, or stay unheard of, before it is handed out again."""
    job_retry: timedelta = jobs.FIRST_RETRY
    """Wait after the first failed try of a job; longer after each further one."""
    sweep_interval: timedelta = timedelta(seconds=15)
    cleanup_interval: timedelta = timedelta(hours=1)
    keep_jobs: timedelta = timedelta(days=7)
    """How long a job that is done is kept, and a hold that ended."""
    keep_webhooks: timedelta = timedelta(days=30)
    """How long a message of a payment gateway is kept."""
    poll_seconds: float = 1.0
    """How often the queue is looked at when nothing wakes the worker."""
    stuck_after: timedelta = timedelta(minutes=5)
    """How long a job may be due before it counts as stuck."""


@dataclass(frozen=True, slots=True)
class Products:
    """The catalog."""

    create: catalog.CreateProduct
    change_price: catalog.ChangePrice
    get: catalog.GetProduct
    page: catalog.GetProductPage
    list: catalog.ListProducts
    categories: catalog.ListCategories
    import_file: ImportProducts


@dataclass(frozen=True, slots=True)
class Inventory:
    """The stock."""

    receive: inventory.ReceiveStock
    adjust: inventory.AdjustStock
    count: inventory.CountStock
    configure: inventory.ConfigureStock
    release_expired_holds: holds.ReleaseExpiredHolds
    list: inventory.ListStock
    reconcile: inventory.ReconcileStock


@dataclass(frozen=True, slots=True)
class Carts:
    """What shoppers mean to buy. A cart opens only with its token."""

    create: cart.CreateCart
    get: cart.GetCart
    add_line: cart.AddCartLine
    change_line: cart.ChangeCartLine
    remove_line: cart.RemoveCartLine
    hold: holds.HoldCart
    release: holds.ReleaseCart


@dataclass(frozen=True, slots=True)
class Orders:
    """What shoppers bought. Calls that take a token are the shopper's, the others staff's."""

    place: checkout.PlaceOrder
    pay_again: checkout.PayOrderAgain
    open: orders.OpenOrder
    list_own: orders.ListOwnOrders
    cancel_own: orders.CancelOwnOrder
    get: orders.GetOrder
    find: orders.FindOrder
    list: orders.ListOrders
    timeline: orders.GetTimeline
    cancel: orders.CancelOrder
    payments: ListPayments
    capture: CapturePayment
    void: VoidPayment
    refund: RefundOrder
    fulfill: fulfillment.FulfillOrder
    complete: fulfillment.CompleteOrder
    add_note: fulfillment.AddNote


@dataclass(frozen=True, slots=True)
class Payments:
    """What payment gateways tell."""

    receive_webhook: ReceivePaymentWebhook
    webhooks: ListPaymentWebhooks


@dataclass(frozen=True, slots=True)
class Jobs:
    """The work behind the scenes."""

    run: jobs.RunJob
    run_due: jobs.RunDueJobs
    relay: jobs.RelayJobs
    periodic: jobs.RunPeriodicTasks
    watch: jobs.WatchQueue
    dead: jobs.ListDeadJobs
    replay: jobs.ReplayJob
    ask_again_about_payments: AskAgainAboutPayments
    expire_orders: orders.ExpireOrders


@dataclass(frozen=True, slots=True)
class Shop:
    """What HTTP, workers, the command line and plain Python all call.

    Safe to share between threads. Use it as a context manager, or call `close`.
    """

    policy: Policy
    products: Products
    inventory: Inventory
    carts: Carts
    orders: Orders
    payments: Payments
    jobs: Jobs
    check: CheckInvariants
    closing: Callable[[], None] = lambda: None

    def run_jobs(self) -> int:
        """Do the work that is due now (payments, mails, refunds) and tell how much there was."""
        return self.jobs.run_due()

    def wake(self) -> None:
        """Have whoever waits for work in this process look again, or notice that it shall stop."""
        self.jobs.watch.signal.wake()

    def work(self, stop: Event) -> None:
        """Do work as it comes in, and the periodic tasks, until `stop` is set."""
        self.jobs.watch(lambda: self.jobs.run_due(limit=100, stop=stop), stop=stop)

    def relay(self, stop: Event) -> None:
        """Hand work to the broker as it comes in, and do the periodic tasks, until `stop`."""
        self.jobs.watch(self.jobs.relay, stop=stop)

    def closed_by(self, closing: Callable[[], None]) -> Self:
        """The same shop, whose `close` calls `closing`."""
        return replace(self, closing=closing)

    def close(self) -> None:
        """Stop the worker that was opened with the shop, and let go of every connection."""
        self.closing()

    def __enter__(self) -> Self:
        """Nothing more to open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the shop."""
        self.close()


def build_shop(
    *,
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    product_reader: ProductReader,
    product_cache: ProductCache,
    cart_reader: CartReader,
    order_reader: OrderReader,
    stock_reader: StockReader,
    product_feed: ProductFeedReader,
    sanitizer: HtmlSanitizer,
    payment_gateway: PaymentGateway,
    payment_webhooks: Mapping[str, PaymentWebhooks],
    notifier: Notifier,
    job_queue: JobQueue,
    job_publisher: JobPublisher,
    job_signal: JobSignal,
    schedules: ScheduleRepository,
) -> Shop:
    """Connect use cases to ports. Plain calls, so mypy checks every connection."""
    outcomes = PaymentOutcomes(clock, identifiers, policy.payment_patience, policy.order_lifetime)
    release = holds.ReleaseExpiredHolds(unit_of_work, clock)
    return Shop(
        policy=policy,
        products=_build_products(
            policy,
            unit_of_work,
            clock,
            identifiers,
            product_reader,
            product_cache,
            product_feed,
            sanitizer,
        ),
        inventory=_build_inventory(
            policy, unit_of_work, clock, identifiers, stock_reader, release
        ),
        carts=_build_carts(policy, unit_of_work, clock, identifiers, cart_reader, release),
        orders=_build_orders(
            policy, unit_of_work, clock, identifiers, outcomes, order_reader, release
        ),
        payments=Payments(
            receive_webhook=ReceivePaymentWebhook(unit_of_work, outcomes, payment_webhooks),
            webhooks=ListPaymentWebhooks(unit_of_work),
        ),
        jobs=_build_jobs(
            policy,
            unit_of_work,
            clock,
            outcomes,
            order_reader,
            stock_reader,
            payment_gateway,
            notifier,
            job_queue,
            job_publisher,
            job_signal,
            schedules,
            release,
        ),
        check=CheckInvariants(stock_reader, job_queue, clock, policy.stuck_after),
    )


def _build_products(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    reader: ProductReader,
    cache: ProductCache,
    feed: ProductFeedReader,
    sanitizer: HtmlSanitizer,
) -> Products:
    return Products(
        create=catalog.CreateProduct(unit_of_work, clock, identifiers, sanitizer),
        change_price=catalog.ChangePrice(unit_of_work, clock, cache),
        get=catalog.GetProduct(reader),
        page=catalog.GetProductPage(reader, cache),
        list=catalog.ListProducts(reader),
        categories=catalog.ListCategories(reader),
        import_file=ImportProducts(
            unit_of_work, clock, identifiers, feed, sanitizer, cache, policy.location
        ),
    )


def _build_inventory(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    reader: StockReader,
    release: holds.ReleaseExpiredHolds,
) -> Inventory:
    return Inventory(
        receive=inventory.ReceiveStock(unit_of_work, clock, identifiers, policy.location),
        adjust=inventory.AdjustStock(unit_of_work, clock, policy.location, release),
        count=inventory.CountStock(unit_of_work, clock, policy.location, release),
        configure=inventory.ConfigureStock(unit_of_work, clock, policy.location),
        release_expired_holds=release,
        list=inventory.ListStock(reader),
        reconcile=inventory.ReconcileStock(unit_of_work, reader),
    )


def _build_carts(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    reader: CartReader,
    release: holds.ReleaseExpiredHolds,
) -> Carts:
    holding = holds.Holding(identifiers, policy.sourcing, policy.hold_lasts)
    stock = cart.CartStock(holding, release, policy.hold_carts)
    return Carts(
        create=cart.CreateCart(unit_of_work, clock, identifiers, policy.currency),
        get=cart.GetCart(reader),
        add_line=cart.AddCartLine(unit_of_work, clock, identifiers, stock),
        change_line=cart.ChangeCartLine(unit_of_work, clock, stock),
        remove_line=cart.RemoveCartLine(unit_of_work, clock, stock),
        hold=holds.HoldCart(unit_of_work, clock, holding, release),
        release=holds.ReleaseCart(unit_of_work, clock),
    )


def _build_orders(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    outcomes: PaymentOutcomes,
    order_reader: OrderReader,
    release: holds.ReleaseExpiredHolds,
) -> Orders:
    terms = checkout.PaymentTerms(policy.capture, policy.order_lifetime)
    return Orders(
        place=checkout.PlaceOrder(
            unit_of_work, clock, identifiers, terms, policy.sourcing, release
        ),
        pay_again=checkout.PayOrderAgain(
            unit_of_work, clock, identifiers, terms, policy.sourcing, release
        ),
        open=orders.OpenOrder(order_reader),
        list_own=orders.ListOwnOrders(order_reader),
        cancel_own=orders.CancelOwnOrder(unit_of_work, outcomes),
        get=orders.GetOrder(order_reader),
        find=orders.FindOrder(order_reader),
        list=orders.ListOrders(order_reader),
        timeline=orders.GetTimeline(order_reader),
        cancel=orders.CancelOrder(unit_of_work, outcomes),
        payments=ListPayments(unit_of_work),
        capture=CapturePayment(unit_of_work, outcomes),
        void=VoidPayment(unit_of_work, outcomes),
        refund=RefundOrder(unit_of_work, outcomes),
        fulfill=fulfillment.FulfillOrder(unit_of_work, clock, identifiers),
        complete=fulfillment.CompleteOrder(unit_of_work, clock),
        add_note=fulfillment.AddNote(unit_of_work, clock),
    )


def _build_jobs(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    outcomes: PaymentOutcomes,
    order_reader: OrderReader,
    stock_reader: StockReader,
    gateway: PaymentGateway,
    notifier: Notifier,
    queue: JobQueue,
    publisher: JobPublisher,
    signal: JobSignal,
    schedules: ScheduleRepository,
    release: holds.ReleaseExpiredHolds,
) -> Jobs:
    ask_again = AskAgainAboutPayments(unit_of_work, clock, policy.payment_patience)
    expire = orders.ExpireOrders(unit_of_work, outcomes)
    forget = ForgetExpired(unit_of_work, queue, clock, policy.keep_jobs, policy.keep_webhooks)
    run = jobs.RunJob(
        queue,
        build_handlers(
            process_order=ProcessOrder(unit_of_work, gateway, outcomes),
            settle_payments=SettlePayments(unit_of_work, gateway, outcomes),
            notify=NotifyShopper(unit_of_work, clock, order_reader, notifier, policy.name),
            notify_staff=NotifyStaff(
                unit_of_work, clock, stock_reader, notifier, policy.name, policy.staff_email
            ),
        ),
        clock,
        policy.job_lease,
        policy.job_retry,
    )
    periodic = jobs.RunPeriodicTasks(
        schedules,
        (
            jobs.PeriodicTask("ask_again_about_payments", policy.sweep_interval, ask_again),
            jobs.PeriodicTask("expire_orders", policy.sweep_interval, expire),
            jobs.PeriodicTask("release_expired_holds", policy.sweep_interval, release),
            jobs.PeriodicTask("forget_expired", policy.cleanup_interval, forget),
        ),
        clock,
    )
    return Jobs(
        run=run,
        run_due=jobs.RunDueJobs(queue, run, clock),
        relay=jobs.RelayJobs(queue, publisher, clock, policy.job_lease),
        periodic=periodic,
        watch=jobs.WatchQueue(signal, periodic, policy.poll_seconds),
        dead=jobs.ListDeadJobs(queue),
        replay=jobs.ReplayJob(queue, clock),
        ask_again_about_payments=ask_again,
        expire_orders=expire,
    )
