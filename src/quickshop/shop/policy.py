"""The policy of a shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quickshop.application import schedule
from quickshop.domain.inventory import SourcingStrategy
from quickshop.domain.payments import CaptureMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The choices of a shop. Settings hold the defaults of those that can be set."""

    name: str
    currency: str
    """ISO 4217 code."""
    location: str
    """Default stock location."""
    sourcing: SourcingStrategy
    """Strategy that selects the locations that ship an order."""
    hold_lasts: timedelta
    """How long units are held for a cart."""
    hold_carts: bool
    """Whether adding units to a cart holds them; otherwise only checkout does."""
    staff_email: str | None
    """Recipient of low-stock emails."""
    payment_patience: timedelta
    """How long to wait for a gateway's answer before asking again."""
    capture: CaptureMethod
    """Whether payments are captured at once, or only authorized until staff capture them."""
    order_lifetime: timedelta
    """How long an order waits for payment before it expires."""
    job_lease: timedelta
    """How long a job may run without a result before another worker gets it."""
    job_retry: timedelta
    """Wait after the first failed attempt of a job; longer after each further one."""
    sweep_interval: timedelta
    cleanup_interval: timedelta = schedule.CLEANUP_INTERVAL
    keep_jobs: timedelta = timedelta(days=7)
    """How long finished jobs and ended holds are kept."""
    keep_webhooks: timedelta = timedelta(days=30)
    """How long webhooks of payment gateways are kept."""
    session_lasts: timedelta
    """How long a user stays signed in on a device that they keep using."""
    storefront_url: str | None
    """Base URL of emailed links; without it, emails contain the bare secret."""
    keep_sessions: timedelta = timedelta(days=30)
    """How long an ended session is kept: its address counts as known."""
    keep_imports: timedelta = timedelta(days=90)
    """How long the report of an import is kept."""
    poll_seconds: float
    """Interval at which an idle worker checks the queue, in seconds."""
    stuck_after: timedelta = timedelta(minutes=5)
    """How long a job may be due before it counts as stuck."""
