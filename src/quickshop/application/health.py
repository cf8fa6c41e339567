"""Checks of the shop's invariants and of the services that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from quickshop.application.redaction import redact
from quickshop.domain.errors import QuickShopError
from quickshop.ports.clock import Clock
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobQueue
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway
from quickshop.ports.services import CheckedService


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


@dataclass(frozen=True, slots=True)
class CheckServices:
    """Check the payment gateway and the notifier, outside every transaction."""

    gateway: PaymentGateway
    notifier: Notifier

    def __call__(self) -> Sequence[Finding]:
        """Return one finding per service. Moves no money, sends nothing, never raises.

        A service that is not a `CheckedService` passes, and is reported as not checked.
        """
        return [
            check_service("payment gateway", self.gateway),
            check_service("mail", self.notifier),
        ]


def check_service(check: str, service: object) -> Finding:
    """Check one external service. Never raises."""
    if not isinstance(service, CheckedService):
        kind = type(service).__name__
        return Finding(check, ok=True, detail=f"not checked: {kind} has no check_connection()")
    try:
        return Finding(check, ok=True, detail=str(service.check_connection()))
    except QuickShopError as error:
        reason = str(error) or error.code
    except Exception as error:  # noqa: BLE001 - the service may be an embedder's
        reason = f"the check failed: {type(error).__name__}: {error}"
    # The answer of a server may quote a secret.
    return Finding(check, ok=False, detail=redact(reason))


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
