"""The work behind the scenes, and how it is wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import holds, jobs, orders
from quickshop.application.identity.mails import MailOneTimeToken, Postbox, TellAccount
from quickshop.application.imports import GiveUpImport, ImportProducts, RunImport
from quickshop.application.maintenance import ForgetExpired
from quickshop.application.notifications import NotifyShopper, NotifyStaff
from quickshop.application.payments import (
    AskAgainAboutPayments,
    PaymentOutcomes,
    ProcessOrder,
    SettlePayments,
)
from quickshop.application.reactions import build_handlers, build_last_steps
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ImportReader
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobPublisher, JobQueue, JobSignal, ScheduleRepository
from quickshop.ports.notifications import Notifier
from quickshop.ports.orders import OrderReader
from quickshop.ports.payments import PaymentGateway
from quickshop.ports.unit_of_work import UnitOfWork
from quickshop.shop.policy import Policy


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
    size: jobs.GetQueueSize
    ask_again_about_payments: AskAgainAboutPayments
    expire_orders: orders.ExpireOrders


def build_jobs(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
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
    import_reader: ImportReader,
    load: ImportProducts,
) -> Jobs:
    """Connect them to the ports."""
    ask_again = AskAgainAboutPayments(unit_of_work, clock, policy.payment_patience)
    expire = orders.ExpireOrders(unit_of_work, outcomes)
    forget = ForgetExpired(
        unit_of_work,
        queue,
        clock,
        policy.keep_jobs,
        policy.keep_webhooks,
        policy.keep_sessions,
        policy.keep_imports,
    )
    postbox = Postbox(unit_of_work, clock, notifier, policy.name)
    run = jobs.RunJob(
        queue,
        build_handlers(
            process_order=ProcessOrder(unit_of_work, gateway, outcomes),
            settle_payments=SettlePayments(unit_of_work, gateway, outcomes),
            notify=NotifyShopper(unit_of_work, clock, order_reader, notifier, policy.name),
            notify_staff=NotifyStaff(
                unit_of_work, clock, stock_reader, notifier, policy.name, policy.staff_email
            ),
            mail_token=MailOneTimeToken(postbox, identifiers, policy.storefront_url),
            tell_account=TellAccount(postbox),
            run_import=RunImport(
                unit_of_work, clock, import_reader, load, turn=policy.job_lease / 2
            ),
        ),
        clock,
        policy.job_lease,
        policy.job_retry,
        build_last_steps(give_up_import=GiveUpImport(unit_of_work, clock)),
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
        size=jobs.GetQueueSize(queue, clock, policy.stuck_after),
        ask_again_about_payments=ask_again,
        expire_orders=expire,
    )
