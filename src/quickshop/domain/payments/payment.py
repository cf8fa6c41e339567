"""One attempt to pay an order, and what the gateway said of it.

Whatever a gateway is to be asked is written down first. While an answer is missing `check_at` says
when to ask again, with the same key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.errors import (
    InvalidValueError,
    NotFoundError,
    PaymentStateError,
    RefundTooLargeError,
)
from quickshop.domain.events import Aggregate
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments.events import (
    PaymentAttempted,
    PaymentCaptureRequested,
    PaymentCheckDue,
    PaymentId,
    PaymentMoved,
    PaymentVoidRequested,
    RefundMoved,
    RefundRequested,
)
from quickshop.domain.payments.source import PaymentSource
from quickshop.domain.payments.status import (
    OPEN,
    TRANSITIONS,
    CaptureMethod,
    PaymentStatus,
    RefundStatus,
)
from quickshop.domain.values import require_reason

RefundId = NewType("RefundId", UUID)

_DONE: Final = {
    PaymentStatus.PROCESSING: "charged",
    PaymentStatus.CAPTURING: "captured",
    PaymentStatus.VOIDING: "voided",
}
"""What a status that is under way is called when it cannot be had."""
_AUTHORIZATION_CHECK: Final = timedelta(days=1)
"""How often an authorization is looked after: gateways let them lapse after days."""
_LAST_CHECK: Final = 10
"""Checks after which an attempt that was called off is let go: hours, by any sane patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Part of what was captured, on its way back or there."""

    id: RefundId
    number: int
    """Counts from 1 within the payment."""
    amount: Money
    reason: str
    created_at: datetime
    status: RefundStatus = RefundStatus.PENDING
    failure: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Payment(Aggregate):
    """One attempt to pay one order. Its gateway key makes repeating a call harmless."""

    id: PaymentId
    order_id: OrderId
    attempt: int
    """Counts from 1 within the order."""
    amount: Money
    source: PaymentSource
    created_at: datetime
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    status: PaymentStatus = PaymentStatus.PENDING
    reference: str | None = None
    """The gateway's name for this attempt, once it has one."""
    action: str | None = None
    """What the shopper needs to prove themselves: a URL or the gateway's secret for it."""
    failure: str | None = None
    capture_minor: int = 0
    """What is being taken of an authorization, or was."""
    captured_minor: int = 0
    refunds: tuple[Refund, ...] = ()
    """In the order of asking."""
    check_at: datetime | None = None
    """When to ask the gateway again; set while it owes an answer."""
    checks: int = 0
    """How often the gateway was to be asked: 0 means that it never heard of this attempt.

    Counted anew from 1 when the attempt is called off.
    """

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
        capture_method: CaptureMethod = CaptureMethod.AUTOMATIC,
    ) -> Payment:
        """Write an attempt down, before anyone calls the gateway."""
        payment = cls(
            id=id,
            order_id=order_id,
            attempt=attempt,
            amount=amount,
            source=source,
            created_at=now,
            capture_method=capture_method,
        )
        payment._record(PaymentAttempted(order_id=order_id, payment_id=id, occurred_at=now))
        return payment

    @property
    def gateway_key(self) -> str:
        """`order:attempt`: the same for every call about this attempt, and for no other."""
        return f"{self.order_id}:{self.attempt}"

    def refund_key(self, refund: Refund) -> str:
        """`order:attempt:refund:number`: the same for every call about this refund."""
        return f"{self.gateway_key}:refund:{refund.number}"

    @property
    def is_open(self) -> bool:
        """Whether it may still set money aside or take it, as far as anyone was told."""
        return self.status in OPEN

    @property
    def refunded_minor(self) -> int:
        """What went back or is on its way: all but the refunds that are known to have failed."""
        return sum(r.amount.minor for r in self.refunds if r.status is not RefundStatus.FAILED)

    @property
    def refundable(self) -> Money:
        """What may still be sent back."""
        return Money(self.captured_minor - self.refunded_minor, self.amount.currency)

    @property
    def pending_refunds(self) -> tuple[Refund, ...]:
        """Refunds that the gateway has not answered for."""
        return tuple(r for r in self.refunds if r.status is RefundStatus.PENDING)

    def begin(self, *, now: datetime, patience: timedelta) -> None:
        """Say that the gateway is about to be called; after `patience` without news, ask again.

        Raises:
            PaymentStateError: the outcome is known.
        """
        self._move(PaymentStatus.PROCESSING, now)
        self.checks = max(1, self.checks)
        self.check_at = self._next_check(now, patience)

    def mark_authorized(self, reference: str, *, now: datetime) -> None:
        """The whole amount is set aside; look every day whether it still is.

        Raises:
            PaymentStateError: the outcome was another.
        """
        self._move(PaymentStatus.AUTHORIZED, now)
        self.reference, self.action = reference, None
        self.check_at = now + _AUTHORIZATION_CHECK

    def mark_action_required(
        self, reference: str, action: str, *, now: datetime, patience: timedelta
    ) -> None:
        """The shopper is to prove themselves; look after `patience` whether they did.

        Raises:
            PaymentStateError: the outcome is known.
        """
        if self.status is not PaymentStatus.REQUIRES_ACTION:
            self._move(PaymentStatus.REQUIRES_ACTION, now)
        self.reference, self.action = reference, action
        self.check_at = self._next_check(now, patience)

    def mark_captured(
        self, reference: str, *, now: datetime, captured_minor: int | None = None
    ) -> None:
        """Money moved: the whole amount, unless a part of it is named.

        Raises:
            PaymentStateError: the outcome was another.
            InvalidValueError: more than the amount, or less than nothing.
        """
        moved = self.amount.minor if captured_minor is None else captured_minor
        if not 0 <= moved <= self.amount.minor:
            raise InvalidValueError("captured", "must be at most the amount")
        self._move(PaymentStatus.CAPTURED, now)
        self.reference, self.action, self.check_at = reference, None, None
        self.capture_minor = self.captured_minor = moved

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

    def request_capture(self, amount: Money, *, now: datetime, patience: timedelta) -> None:
        """Have the whole or a part of what was authorized taken; the rest is let go.

        Raises:
            PaymentStateError: nothing is authorized.
            InvalidValueError: nothing, more than was authorized, or another currency.
        """
        if amount.currency != self.amount.currency or not 0 < amount.minor <= self.amount.minor:
            raise InvalidValueError(
                "amount",
                f"must be from 1 to {self.amount.minor} minor units of {self.amount.currency}",
            )
        self._move(PaymentStatus.CAPTURING, now)
        self.capture_minor = amount.minor
        self.check_at = now + patience
        self._record(
            PaymentCaptureRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now)
        )

    def request_void(self, *, now: datetime, patience: timedelta) -> None:
        """Have what was authorized, or asked for, let go.

        Raises:
            PaymentStateError: money has moved, or nothing is to be let go.
        """
        self._move(PaymentStatus.VOIDING, now)
        self.check_at = now + patience
        self._record(
            PaymentVoidRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now)
        )

    def ask_again(self, *, now: datetime, patience: timedelta) -> None:
        """Have the gateway asked again, and put the next check off, longer each time.

        One that was called off is asked about a few times more: a request that was on its way may
        still arrive.
        """
        self.checks += 1
        given_up = self.status is PaymentStatus.CANCELED and self.checks > _LAST_CHECK
        self.check_at = None if given_up else self._next_check(now, patience)
        if self.status is PaymentStatus.AUTHORIZED:
            self.check_at = now + _AUTHORIZATION_CHECK
        self._record(PaymentCheckDue(order_id=self.order_id, payment_id=self.id, occurred_at=now))

    def cancel(self, *, now: datetime) -> None:
        """Call it off: no money moved, as far as anyone can tell.

        Raises:
            PaymentStateError: money has moved, or it was declined.
        """
        self._move(PaymentStatus.CANCELED, now)
        self.action = None
        # However often it was asked about before: what is on its way now may arrive from now on.
        self.checks = min(self.checks, 1)

    def request_refund(
        self,
        id: RefundId,
        amount: Money,
        *,
        reason: str,
        now: datetime,
        patience: timedelta,
    ) -> Refund:
        """Have the whole or a part of what was captured sent back.

        Raises:
            PaymentStateError: nothing was captured.
            RefundTooLargeError: it is more than is left, what is on its way counted as gone.
            InvalidValueError: nothing, another currency, or the reason is too long.
        """
        if self.status is not PaymentStatus.CAPTURED:
            raise PaymentStateError(self.status, "refunded")
        if amount.currency != self.amount.currency or amount.minor < 1:
            raise InvalidValueError(
                "amount", f"must be at least 1 minor unit of {self.amount.currency}"
            )
        if amount > self.refundable:
            raise RefundTooLargeError(amount.minor, refundable_minor=self.refundable.minor)
        refund = Refund(
            id=id,
            number=len(self.refunds) + 1,
            amount=amount,
            reason=require_reason(reason),
            created_at=now,
        )
        self.refunds += (refund,)
        self.check_at = now + patience
        self._record(RefundRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now))
        return refund

    def finish_refund(self, id: RefundId, *, now: datetime) -> None:
        """A refund arrived; when nothing captured is left the payment is refunded.

        Raises:
            NotFoundError: there is no such refund waiting.
        """
        self._move_refund(id, RefundStatus.SUCCEEDED, None, now)
        succeeded = sum(r.amount.minor for r in self.refunds if r.status is RefundStatus.SUCCEEDED)
        if succeeded == self.captured_minor:
            self._move(PaymentStatus.REFUNDED, now)

    def fail_refund(self, id: RefundId, failure: str, *, now: datetime) -> None:
        """The gateway refused a refund; its amount may be refunded anew.

        Raises:
            NotFoundError: there is no such refund waiting.
        """
        self._move_refund(id, RefundStatus.FAILED, failure, now)

    def _move_refund(
        self, id: RefundId, status: RefundStatus, failure: str | None, now: datetime
    ) -> None:
        refund = next((r for r in self.pending_refunds if r.id == id), None)
        if refund is None:
            raise NotFoundError("refund that is waiting")
        moved = replace(refund, status=status, failure=failure)
        self.refunds = tuple(moved if r.id == id else r for r in self.refunds)
        if not self.pending_refunds:
            self.check_at = None
        self._record(
            RefundMoved(
                order_id=self.order_id,
                payment_id=self.id,
                number=refund.number,
                status=status,
                occurred_at=now,
            )
        )

    def _next_check(self, now: datetime, patience: timedelta) -> datetime:
        """After `patience`, then twice as long each time, up to 64 times as long."""
        doublings = min(max(0, self.checks - 1), 6)
        return now + patience * (1 << doublings)

    def _move(self, status: PaymentStatus, now: datetime) -> None:
        if status not in TRANSITIONS[self.status]:
            raise PaymentStateError(self.status, _DONE.get(status, status))
        self.status = status
        self._record(
            PaymentMoved(
                order_id=self.order_id, payment_id=self.id, status=status, occurred_at=now
            )
        )
