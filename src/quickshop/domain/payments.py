"""Payments: one per attempt to pay an order, and what the gateway said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.customers import require_text
from quickshop.domain.errors import InvalidValueError, PaymentStateError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId

PaymentId = NewType("PaymentId", UUID)


class PaymentStatus(StrEnum):
    """What is known of an attempt."""

    PENDING = "pending"
    """The gateway has not been called."""
    PROCESSING = "processing"
    """A call is or was under way."""
    UNKNOWN = "unknown"
    """A call got no answer: the money may have moved or not."""
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELED = "canceled"
    """Called off before any money moved."""
    REFUNDED = "refunded"


_LAST_CHECK: Final = 10
"""Checks after which an attempt that was called off is let go: hours, by any sane patience."""

_ASKED: Final = frozenset({PaymentStatus.CAPTURED, PaymentStatus.DECLINED, PaymentStatus.UNKNOWN})

TRANSITIONS: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.PROCESSING, PaymentStatus.CANCELED}),
    PaymentStatus.PROCESSING: _ASKED | {PaymentStatus.PROCESSING, PaymentStatus.CANCELED},
    PaymentStatus.UNKNOWN: _ASKED | {PaymentStatus.PROCESSING, PaymentStatus.CANCELED},
    PaymentStatus.CAPTURED: frozenset({PaymentStatus.REFUNDED}),
    PaymentStatus.DECLINED: frozenset(),
    # A call that everyone had given up on may still come back with the money.
    PaymentStatus.CANCELED: frozenset({PaymentStatus.CAPTURED}),
    PaymentStatus.REFUNDED: frozenset(),
}
"""Which status may follow which; every other pair is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent(DomainEvent):
    """Something about one attempt."""

    order_id: OrderId
    payment_id: PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAttempted(PaymentEvent):
    """An attempt was written down, before the gateway hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMoved(PaymentEvent):
    """More is known of an attempt."""

    status: PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCheckDue(PaymentEvent):
    """An attempt has been without an answer for long enough to ask the gateway again."""


@dataclass(frozen=True, slots=True)
class PaymentSource:
    """How the shopper pays: a method (`card`) and the gateway's token for it, never a number."""

    token: str
    method: str = "card"

    def __post_init__(self) -> None:
        """Refuse what no gateway issued.

        Raises:
            InvalidValueError: blank, too long, or not printable.
        """
        require_text("payment.token", self.token, max_length=255)
        require_text("payment.method", self.method, max_length=50)


@dataclass(slots=True, eq=False, kw_only=True)
class Payment(Aggregate):
    """One attempt to pay one order. Its gateway key makes repeating the call harmless."""

    id: PaymentId
    order_id: OrderId
    attempt: int
    """Counts from 1 within the order."""
    amount: Money
    source: PaymentSource
    created_at: datetime
    status: PaymentStatus = PaymentStatus.PENDING
    reference: str | None = None
    """The gateway's name for the captured payment."""
    failure: str | None = None
    captured_minor: int = 0
    refunded_minor: int = 0
    check_at: datetime | None = None
    """When to ask the gateway again; set while no answer is known."""
    checks: int = 0
    """How often the gateway was to be asked: 0 means that it never heard of this attempt."""

    def __post_init__(self) -> None:
        """Re-check the amounts, also of a stored payment.

        Raises:
            InvalidValueError: more captured than the amount, or more refunded than captured.
        """
        if not 0 <= self.captured_minor <= self.amount.minor:
            raise InvalidValueError("captured", "must be at most the amount")
        if not 0 <= self.refunded_minor <= self.captured_minor:
            raise InvalidValueError("refunded", "must be at most what was captured")

    @classmethod
    def attempt_for(
        cls,
        *,
        id: PaymentId,
        order_id: OrderId,
        attempt: int,
        amount: Money,
        source: PaymentSource,
        now: datetime,
    ) -> Payment:
        """Write an attempt down, before anyone calls the gateway."""
        payment = cls(
            id=id,
            order_id=order_id,
            attempt=attempt,
            amount=amount,
            source=source,
            created_at=now,
        )
        payment._record(PaymentAttempted(order_id=order_id, payment_id=id, occurred_at=now))
        return payment

    @property
    def gateway_key(self) -> str:
        """`order:attempt`: the same for every call about this attempt, and for no other."""
        return f"{self.order_id}:{self.attempt}"

    @property
    def is_open(self) -> bool:
        """Whether it may still take money."""
        return self.status in {
            PaymentStatus.PENDING,
            PaymentStatus.PROCESSING,
            PaymentStatus.UNKNOWN,
        }

    def begin(self, *, now: datetime, patience: timedelta) -> None:
        """Say that the gateway is about to be called; after `patience` without news, ask again.

        Raises:
            PaymentStateError: the outcome is known.
        """
        self._move(PaymentStatus.PROCESSING, now)
        self.checks = max(1, self.checks)
        self.check_at = self._next_check(now, patience)

    def mark_captured(self, reference: str, *, now: datetime) -> None:
        """The whole amount moved.

        Raises:
            PaymentStateError: the outcome was another.
        """
        self._move(PaymentStatus.CAPTURED, now)
        self.reference = reference
        self.captured_minor = self.amount.minor
        self.check_at = None

    def mark_declined(self, reason: str, *, now: datetime) -> None:
        """The gateway refused, and no money moved.

        Raises:
            PaymentStateError: the outcome was another.
        """
        self._move(PaymentStatus.DECLINED, now)
        self.failure = reason
        self.check_at = None

    def mark_unknown(self, *, now: datetime, patience: timedelta) -> None:
        """The gateway gave no answer; ask again with the same key after `patience`.

        Raises:
            PaymentStateError: the outcome is known.
        """
        self._move(PaymentStatus.UNKNOWN, now)
        self.check_at = self._next_check(now, patience)

    def ask_again(self, *, now: datetime, patience: timedelta) -> None:
        """Have the gateway asked again, and put the next check off, longer each time.

        One that was called off is asked about a few times more: a request that was on its way may
        still arrive.
        """
        self.checks += 1
        given_up = self.status is PaymentStatus.CANCELED and self.checks > _LAST_CHECK
        self.check_at = None if given_up else self._next_check(now, patience)
        self._record(PaymentCheckDue(order_id=self.order_id, payment_id=self.id, occurred_at=now))

    def cancel(self, *, now: datetime) -> None:
        """Call it off: no money moved, as far as anyone can tell.

        Raises:
            PaymentStateError: money has moved, or it was declined.
        """
        self._move(PaymentStatus.CANCELED, now)

    def mark_refunded(self, *, now: datetime) -> None:
        """All that was captured went back.

        Raises:
            PaymentStateError: nothing was captured.
        """
        self._move(PaymentStatus.REFUNDED, now)
        self.refunded_minor = self.captured_minor

    def _next_check(self, now: datetime, patience: timedelta) -> datetime:
        """After `patience`, then twice as long each time, up to 64 times as long."""
        doublings = min(max(0, self.checks - 1), 6)
        return now + patience * (1 << doublings)

    def _move(self, status: PaymentStatus, now: datetime) -> None:
        if status not in TRANSITIONS[self.status]:
            raise PaymentStateError(self.status, status)
        self.status = status
        self._record(
            PaymentMoved(
                order_id=self.order_id, payment_id=self.id, status=status, occurred_at=now
            )
        )
