"""What a shop decides for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quickshop.application import jobs, schedule
from quickshop.domain.inventory import SourcingStrategy, by_priority
from quickshop.domain.payments import CaptureMethod


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
    sweep_interval: timedelta = schedule.SWEEP_INTERVAL
    cleanup_interval: timedelta = schedule.CLEANUP_INTERVAL
    keep_jobs: timedelta = timedelta(days=7)
    """How long a job that is done is kept, and a hold that ended."""
    keep_webhooks: timedelta = timedelta(days=30)
    """How long a message of a payment gateway is kept."""
    session_lasts: timedelta = timedelta(days=30)
    """How long somebody stays signed in on a device that they keep using."""
    storefront_url: str | None = None
    """Where mailed links lead; without it mails hold the bare secret."""
    keep_sessions: timedelta = timedelta(days=30)
    """How long a session that ended is kept: its address counts as a known one."""
    keep_imports: timedelta = timedelta(days=90)
    """How long it can be read what became of a file."""
    poll_seconds: float = 1.0
    """How often the queue is looked at when nothing wakes the worker."""
    stuck_after: timedelta = timedelta(minutes=5)
    """How long a job may be due before it counts as stuck."""
