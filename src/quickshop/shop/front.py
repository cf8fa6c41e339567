"""The shop itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from types import TracebackType
from typing import Self

from quickshop.application.health import CheckInvariants
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
    """What HTTP, workers, the command line and plain Python all call.

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
    closing: Callable[[], None] = lambda: None

    def run_jobs(self) -> int:
        """Do the work that is due now (payments, mails, refunds) and tell how much there was."""
        return self.jobs.run_due()

    def wake(self) -> None:
        """Have whoever waits for work in this process look again, or notice that it shall stop."""
        self.jobs.watch.signal.wake()

    def work(self, stop: Event) -> None:
        """Do work as it comes in, and the periodic tasks, until `stop` is set."""
        self.jobs.watch(lambda: self.jobs.run_due(limit=100, stop=stop), stop=stop)

    def relay(self, stop: Event) -> None:
        """Hand work to the broker as it comes in, and do the periodic tasks, until `stop`."""
        self.jobs.watch(self.jobs.relay, stop=stop)

    def closed_by(self, closing: Callable[[], None]) -> Self:
        """The same shop, whose `close` calls `closing`."""
        return replace(self, closing=closing)

    def close(self) -> None:
        """Stop the worker that was opened with the shop, and let go of every connection."""
        self.closing()

    def __enter__(self) -> Self:
        """Nothing more to open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the shop."""
        self.close()
