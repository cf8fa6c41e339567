"""The policy of a shop, from its settings."""

from __future__ import annotations

from datetime import timedelta

from quickshop.domain.inventory import STRATEGIES
from quickshop.domain.payments import CaptureMethod
from quickshop.settings import Settings
from quickshop.shop import Policy


def policy_of(settings: Settings) -> Policy:
    """Return the policy of these settings."""
    return Policy(
        name=settings.shop_name,
        currency=settings.currency,
        location=settings.location,
        sourcing=STRATEGIES[settings.sourcing],
        hold_lasts=timedelta(seconds=settings.hold_seconds),
        hold_carts=settings.hold_carts,
        staff_email=settings.staff_email,
        payment_patience=timedelta(seconds=settings.payment_patience_seconds),
        capture=CaptureMethod(settings.capture),
        order_lifetime=timedelta(seconds=settings.order_lifetime_seconds),
        session_lasts=timedelta(days=settings.session_days),
        storefront_url=settings.storefront_url,
        job_lease=timedelta(seconds=settings.job_lease_seconds),
        job_retry=timedelta(seconds=settings.job_retry_seconds),
        sweep_interval=timedelta(seconds=settings.sweep_seconds),
        poll_seconds=settings.poll_seconds,
    )
