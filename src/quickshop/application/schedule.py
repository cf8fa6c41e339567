"""The periodic work of a shop: what it is, how it is called, and how often it is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from quickshop.application.jobs import PeriodicTask

SWEEP_INTERVAL: Final = timedelta(seconds=15)
"""How often unanswered payments, unpaid orders and expired holds are looked for."""
CLEANUP_INTERVAL: Final = timedelta(hours=1)
"""How often what is kept no longer is deleted."""


def build_schedule(
    *,
    ask_again_about_payments: Callable[[], object],
    expire_orders: Callable[[], object],
    release_expired_holds: Callable[[], object],
    purge_expired: Callable[[], object],
    sweep_interval: timedelta = SWEEP_INTERVAL,
    cleanup_interval: timedelta = CLEANUP_INTERVAL,
) -> Sequence[PeriodicTask]:
    """The tasks, under the names that schedulers share."""
    return (
        PeriodicTask("ask_again_about_payments", sweep_interval, ask_again_about_payments),
        PeriodicTask("expire_orders", sweep_interval, expire_orders),
        PeriodicTask("release_expired_holds", sweep_interval, release_expired_holds),
        PeriodicTask("purge_expired", cleanup_interval, purge_expired),
    )
