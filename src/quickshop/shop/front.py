"""The shop itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from types import TracebackType
from typing import Self

from quickshop.application.health import CheckInvariants, CheckServices
from quickshop.shop.accounts import Accounts, Staff
from quickshop.shop.cart import Carts
from quickshop.shop.catalog import Products
from quickshop.shop.customers import Customers
from quickshop.shop.imports import Imports
from quickshop.shop.inventory import Inventory
from quickshop.shop.jobs import Jobs
from quickshop.shop.orders import Orders
from quickshop.shop.payments import Payments
from quickshop.shop.policy import Policy


@dataclass(frozen=True, slots=True)
class Shop:
    """The object that HTTP, workers, the command line and plain Python call.

    Safe to share between threads. Use it as a context manager, or call `close`.
    """

    policy: Policy
    products: Products
    imports: Imports
    inventory: Inventory
    carts: Carts
    orders: Orders
    payments: Payments
    jobs: Jobs
    accounts: Accounts
    customers: Customers
    staff: Staff
    check: CheckInvariants
    check_services: CheckServices
    closing: Callable[[], None] = lambda: None

    def run_jobs(self) -> int:
        """Run the jobs that are due now (payments, emails, refunds) and return their number."""
        return self.jobs.run_due()

    def wake(self) -> None:
        """Wake the workers that wait in this process: they look for jobs, or see `stop`."""
        self.jobs.watch.signal.wake()

    def work(self, stop: Event) -> None:
        """Run jobs as they arrive, and the periodic tasks, until `stop` is set."""
        self.jobs.watch(lambda: self.jobs.run_due(limit=100, stop=stop), stop=stop)

    def relay(self, stop: Event) -> None:
        """Publish jobs to the broker as they arrive, and run the periodic tasks, until `stop`."""
        self.jobs.watch(self.jobs.relay, stop=stop)

    def closed_by(self, closing: Callable[[], None]) -> Self:
        """Return the same shop, whose `close` calls `closing`."""
        return replace(self, closing=closing)

    def close(self) -> None:
        """Stop the worker that was opened with the shop, and close every connection."""
        self.closing()

    def __enter__(self) -> Self:
        """Return the shop; it is open already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the shop."""
        self.close()
