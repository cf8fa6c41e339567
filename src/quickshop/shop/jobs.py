"""The background jobs, and how they are wired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quickshop.application import holds, jobs, orders
from quickshop.application.identity.mails import MailOneTimeToken, NotifyAccount, Postbox
from quickshop.application.imports import FailImport, ImportProducts, RunImport
from quickshop.application.maintenance import PurgeExpired
from quickshop.application.notifications import NotifyShopper, NotifyStaff
from quickshop.application.payments import (
    AskAgainAboutPayments,
    PaymentOutcomes,
    ProcessOrder,
    SettlePayments,
)
from quickshop.application.reactions import build_handlers, build_last_steps
from quickshop.application.schedule import build_schedule
from quickshop.ports.readers import Readers
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core, Outside, Queueing


@dataclass(frozen=True, slots=True)
class Jobs:
    """Background jobs and periodic tasks."""

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
    core: Core,
    readers: Readers,
    outside: Outside,
    queueing: Queueing,
    outcomes: PaymentOutcomes,
    release: holds.ReleaseExpiredHolds,
    load: ImportProducts,
) -> Jobs:
    """Connect the use cases to the ports."""
    unit_of_work, clock, queue = core.unit_of_work, core.clock, queueing.queue
    ask_again = AskAgainAboutPayments(unit_of_work, clock, policy.payment_patience)
    expire = orders.ExpireOrders(unit_of_work, clock, outcomes)
    purge = PurgeExpired(
        unit_of_work,
        queue,
        clock,
        policy.keep_jobs,
        policy.keep_webhooks,
        policy.keep_sessions,
        policy.keep_imports,
    )
    handlers = _handlers(policy, core, readers, outside, outcomes, load)
    last_steps = build_last_steps(fail_import=FailImport(unit_of_work, clock))
    run = jobs.RunJob(queue, handlers, clock, policy.job_lease, policy.job_retry, last_steps)
    periodic = jobs.RunPeriodicTasks(
        queueing.schedules,
        build_schedule(
            ask_again_about_payments=ask_again,
            expire_orders=expire,
            release_expired_holds=release,
            purge_expired=purge,
            sweep_interval=policy.sweep_interval,
            cleanup_interval=policy.cleanup_interval,
        ),
        clock,
    )
    return Jobs(
        run=run,
        run_due=jobs.RunDueJobs(queue, run, clock),
        relay=jobs.RelayJobs(queue, queueing.publisher, clock, policy.job_lease),
        periodic=periodic,
        watch=jobs.WatchQueue(queueing.signal, periodic, policy.poll_seconds),
        dead=jobs.ListDeadJobs(queue),
        replay=jobs.ReplayJob(queue, clock),
        size=jobs.GetQueueSize(queue, clock, policy.stuck_after),
        ask_again_about_payments=ask_again,
        expire_orders=expire,
    )


def _handlers(
    policy: Policy,
    core: Core,
    readers: Readers,
    outside: Outside,
    outcomes: PaymentOutcomes,
    load: ImportProducts,
) -> Mapping[str, jobs.Handler]:
    unit_of_work, clock = core.unit_of_work, core.clock
    gateway, notifier = outside.gateway, outside.notifier
    postbox = Postbox(unit_of_work, clock, notifier, policy.name)
    return build_handlers(
        process_order=ProcessOrder(unit_of_work, gateway, clock, outcomes),
        settle_payments=SettlePayments(unit_of_work, gateway, clock, outcomes),
        notify=NotifyShopper(unit_of_work, clock, readers.orders, notifier, policy.name),
        notify_staff=NotifyStaff(
            unit_of_work, clock, readers.stock, notifier, policy.name, policy.staff_email
        ),
        mail_token=MailOneTimeToken(clock, postbox, core.identifiers, policy.storefront_url),
        notify_account=NotifyAccount(postbox),
        run_import=RunImport(
            unit_of_work, clock, readers.imports, load, turn=policy.job_lease / 2
        ),
    )
