"""The periodic work of a shop: what it is, how it is called, and how often it is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from quickshop.application.jobs import PeriodicTask

CLEANUP_INTERVAL: Final = timedelta(hours=1)
"""How often what is kept no longer is deleted."""


def build_schedule(
    *,
    ask_again_about_payments: Callable[[], object],
    expire_orders: Callable[[], object],
    release_expired_holds: Callable[[], object],
    purge_expired: Callable[[], object],
    sweep_interval: timedelta,
    cleanup_interval: timedelta,
) -> Sequence[PeriodicTask]:
    """The tasks, under the names that schedulers share.

    `sweep_interval` is how often unanswered payments, unpaid orders and expired holds are looked
    for, `cleanup_interval` how often what is kept no longer is deleted.
    """
    return (
        PeriodicTask("ask_again_about_payments", sweep_interval, ask_again_about_payments),
        PeriodicTask("expire_orders", sweep_interval, expire_orders),
        PeriodicTask("release_expired_holds", sweep_interval, release_expired_holds),
        PeriodicTask("purge_expired", cleanup_interval, purge_expired),
    )
