"""Checks of the shop's invariants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from quickshop.ports.clock import Clock
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobQueue


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    check: str
    ok: bool
    detail: str
    warnings: tuple[str, ...] = ()
    """Problems that would matter in another mode."""


@dataclass(frozen=True, slots=True)
class CheckInvariants:
    """Check the stored data against the shop's invariants."""

    stock: StockReader
    queue: JobQueue
    clock: Clock
    patience: timedelta

    def __call__(self) -> Sequence[Finding]:
        """Return one finding per invariant. Read only.

        Raises:
            TransientError: the database cannot be reached.
        """
        return [self._ledger(), self._orders(), *self._jobs()]

    def _ledger(self) -> Finding:
        wrong = self.stock.discrepancies()
        detail = "; ".join(map(str, wrong[:5])) or "every counter equals its ledger"
        return Finding("stock ledger", not wrong, detail)

    def _orders(self) -> Finding:
        short = self.stock.orders_without_stock()
        detail = ", ".join(short[:10]) or "every live order has its stock"
        return Finding("orders have their stock", not short, detail)

    def _jobs(self) -> Sequence[Finding]:
        size = self.queue.size(self.clock.now(), patience=self.patience)
        return [
            Finding(
                "nothing stuck",
                not size.overdue,
                f"{_jobs(size.waiting)} waiting, {size.overdue} overdue"
                if size.overdue
                else f"{_jobs(size.waiting)} waiting, none overdue",
            ),
            Finding(
                "no dead letters",
                not size.dead,
                f"{_jobs(size.dead)} failed permanently: see `quickshop jobs list`"
                if size.dead
                else "no job failed permanently",
            ),
        ]


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
