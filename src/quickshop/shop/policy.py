"""What a shop decides for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quickshop.application import schedule
from quickshop.domain.inventory import SourcingStrategy
from quickshop.domain.payments import CaptureMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a shop decides for itself. Settings hold the defaults of what can be set."""

    name: str
    currency: str
    """ISO 4217 code."""
    location: str
    """Where stock lies unless another place is named."""
    sourcing: SourcingStrategy
    """Which locations serve an order."""
    hold_lasts: timedelta
    """How long units are set aside for a cart."""
    hold_carts: bool
    """Whether putting units in a cart sets them aside; else only checking out does."""
    staff_email: str | None
    """Who is told that stock runs low."""
    payment_patience: timedelta
    """How long a gateway may be silent before it is asked again."""
    capture: CaptureMethod
    """Whether money is taken at once, or set aside until staff take it."""
    order_lifetime: timedelta
    """How long an order waits for its money before it expires."""
    job_lease: timedelta
    """How long a job may run, or stay unheard of, before it is handed out again."""
    job_retry: timedelta
    """Wait after the first failed try of a job; longer after each further one."""
    sweep_interval: timedelta
    cleanup_interval: timedelta = schedule.CLEANUP_INTERVAL
    keep_jobs: timedelta = timedelta(days=7)
    """How long a job that is done is kept, and a hold that ended."""
    keep_webhooks: timedelta = timedelta(days=30)
    """How long a message of a payment gateway is kept."""
    session_lasts: timedelta
    """How long somebody stays signed in on a device that they keep using."""
    storefront_url: str | None
    """Where mailed links lead; without it mails hold the bare secret."""
    keep_sessions: timedelta = timedelta(days=30)
    """How long a session that ended is kept: its address counts as a known one."""
    keep_imports: timedelta = timedelta(days=90)
    """How long it can be read what became of a file."""
    poll_seconds: float
    """How often the queue is looked at when nothing wakes the worker."""
    stuck_after: timedelta = timedelta(minutes=5)
    """How long a job may be due before it counts as stuck."""
