"""The periodic tasks of a shop and their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from quickshop.application.jobs import PeriodicTask

CLEANUP_INTERVAL: Final = timedelta(hours=1)
"""The interval between deletions of expired data."""


def build_schedule(
    *,
    ask_again_about_payments: Callable[[], object],
    expire_orders: Callable[[], object],
    release_expired_holds: Callable[[], object],
    purge_expired: Callable[[], object],
    sweep_interval: timedelta,
    cleanup_interval: timedelta,
) -> Sequence[PeriodicTask]:
    """Return the tasks, under the names that all processes share.

    Unanswered payments, unpaid orders and expired holds are due every `sweep_interval`, expired
    data every `cleanup_interval`.
    """
    return (
        PeriodicTask("ask_again_about_payments", sweep_interval, ask_again_about_payments),
        PeriodicTask("expire_orders", sweep_interval, expire_orders),
        PeriodicTask("release_expired_holds", sweep_interval, release_expired_holds),
        PeriodicTask("purge_expired", cleanup_interval, purge_expired),
    )
