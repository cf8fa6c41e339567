"""What the shop needs from a payment gateway, and from whoever keeps the attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import Payment, PaymentId, PaymentSource, PaymentStatus


class PaymentRepository(Protocol):
    """The payment attempts, as seen from inside one transaction."""

    def get(self, payment_id: PaymentId) -> Payment:
        """The attempt, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def of_order(self, order_id: OrderId) -> Sequence[Payment]:
        """All attempts of an order, the first one first, locked until the transaction ends."""
        ...

    def due(self, now: datetime, *, limit: int) -> Sequence[Payment]:
        """Attempts whose `check_at` has come, locked; those locked by others are left out."""
        ...

    def add(self, payment: Payment) -> None:
        """Store a new attempt and its events.

        Raises:
            ConflictError: the order has an attempt of this number.
        """
        ...

    def save(self, payment: Payment) -> None:
        """Store the changes of an attempt got from here, and its events.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """An attempt to pay an order as staff see it. How it was paid stays with the gateway."""

    attempt: int
    status: PaymentStatus
    amount: Money
    captured: Money
    refunded: Money
    method: str
    gateway_key: str
    """What the gateway knows this attempt by."""
    reference: str | None
    failure: str | None
    checks: int
    """How often the gateway has been called."""
    created_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """The attempt as it stands."""
        currency = payment.amount.currency
        return cls(
            attempt=payment.attempt,
            status=payment.status,
            amount=payment.amount,
            captured=Money(payment.captured_minor, currency),
            refunded=Money(payment.refunded_minor, currency),
            method=payment.source.method,
            gateway_key=payment.gateway_key,
            reference=payment.reference,
            failure=payment.failure,
            checks=payment.checks,
            created_at=payment.created_at,
        )


class PaymentGateway(Protocol):
    """Moves money. Called outside every transaction, never inside one."""

    def capture(self, amount: Money, source: PaymentSource, *, key: str) -> str:
        """Take `amount` from `source` and return the gateway's reference.

        One `key` takes money at most once, however often and wherever it is repeated; a repeated
        call gives the first one's outcome.

        Raises:
            PaymentDeclinedError: refused, and no money moved; it will not under this key.
            PaymentUnknownError: no answer; ask again with the same key.
        """
        ...

    def find(self, key: str) -> str | None:
        """The reference of what was captured under `key`; None when nothing was. Moves nothing.

        Raises:
            PaymentUnknownError: no answer; ask again.
        """
        ...

    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        """Send `amount` of a captured payment back; one `key` does so at most once.

        Raises:
            PaymentUnknownError: no answer; ask again with the same key.
        """
        ...
