"""One attempt to pay an order, and the gateway's answers.

Every request to a gateway is stored before it is sent. While the answer is missing, `check_at` is
the time to ask again, with the same key.
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
"""The action named in the error when a status in progress cannot be reached."""
_AUTHORIZATION_CHECK: Final = timedelta(days=1)
"""The interval between checks of an authorization, which gateways let lapse after days."""
_LAST_CHECK: Final = 10
"""Checks of a canceled attempt before it is closed; they take hours with any sane patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund of all or part of the captured amount, sent or requested."""

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
    """One attempt to pay one order. Its gateway key makes calls safe to repeat."""

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
    """The gateway's id of this attempt; None until the gateway has answered."""
    action: str | None = None
    """A URL or a gateway secret with which the shopper authenticates the payment."""
    failure: str | None = None
    capture_minor: int = 0
    """The captured part of the authorization, or the part being captured, in minor units."""
    captured_minor: int = 0
    refunds: tuple[Refund, ...] = ()
    """In the order in which they were requested."""
    check_at: datetime | None = None
    """When to ask the gateway again; None when no answer is missing."""
    checks: int = 0
    """How often the gateway was asked; 0 means that it does not know this attempt.

    Restarts at 1 when the attempt is canceled.
    """

    def __post_init__(self) -> None:
        """Check the amounts again, also of a stored payment.

        Raises:
            InvalidValueError: the captured amount is more than the amount, or the refunded amount
                is more than the captured amount.
        """
        if not 0 <= self.captured_minor <= self.amount.minor:
            raise InvalidValueError("captured", "must be at most the amount")
        if not 0 <= self.refunded_minor <= self.captured_minor:
            raise InvalidValueError("refunded", "must be at most the captured amount")

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
        """Create an attempt. Store it before the gateway is called."""
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
        """The idempotency key of every gateway call about this attempt: `order:attempt`."""
        return f"{self.order_id}:{self.attempt}"

    def refund_key(self, refund: Refund) -> str:
        """Return the key of all gateway calls about this refund: `order:attempt:refund:number`."""
        return f"{self.gateway_key}:refund:{refund.number}"

    @property
    def is_open(self) -> bool:
        """Whether it may still authorize or capture money, by the answers so far."""
        return self.status in OPEN

    @property
    def refunded_minor(self) -> int:
        """The sum of the refunds that have not failed, in minor units; pending ones count."""
        return sum(r.amount.minor for r in self.refunds if r.status is not RefundStatus.FAILED)

    @property
    def refundable(self) -> Money:
        """The amount that can still be refunded."""
        return Money(self.captured_minor - self.refunded_minor, self.amount.currency)

    @property
    def pending_refunds(self) -> tuple[Refund, ...]:
        """Refunds without an answer of the gateway."""
        return tuple(r for r in self.refunds if r.status is RefundStatus.PENDING)

    def begin(self, *, now: datetime, patience: timedelta) -> None:
        """Record that the gateway is about to be called; without an answer, ask after `patience`.

        Raises:
            PaymentStateError: the outcome is known.
        """
        self._move(PaymentStatus.PROCESSING, now)
        self.checks = max(1, self.checks)
        self.check_at = self._next_check(now, patience)

    def mark_authorized(self, reference: str, *, now: datetime) -> None:
        """Record that the whole amount is authorized; check daily that it still is.

        Raises:
            PaymentStateError: another outcome is known.
        """
        self._move(PaymentStatus.AUTHORIZED, now)
        self.reference, self.action = reference, None
        self.check_at = now + _AUTHORIZATION_CHECK

    def mark_action_required(
        self, reference: str, action: str, *, now: datetime, patience: timedelta
    ) -> None:
        """Record that the shopper must authenticate the payment; check after `patience`.

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
        """Record a capture of the whole amount, or of `captured_minor`.

        Raises:
            PaymentStateError: another outcome is known.
            InvalidValueError: `captured_minor` is negative or more than the amount.
        """
        moved = self.amount.minor if captured_minor is None else captured_minor
        if not 0 <= moved <= self.amount.minor:
            raise InvalidValueError("captured", "must be at most the amount")
        self._move(PaymentStatus.CAPTURED, now)
        self.reference, self.action, self.check_at = reference, None, None
        self.capture_minor = self.captured_minor = moved

    def mark_declined(self, reason: str, *, now: datetime) -> None:
        """Record that the gateway declined and no money moved.

        Raises:
            PaymentStateError: another outcome is known.
        """
        self._move(PaymentStatus.DECLINED, now)
        self.failure = reason
        self.check_at = None

    def mark_unknown(self, *, now: datetime, patience: timedelta) -> None:
        """Record that the gateway did not answer; ask again with the same key after `patience`.

        Raises:
            PaymentStateError: the outcome is known.
        """
        self._move(PaymentStatus.UNKNOWN, now)
        self.check_at = self._next_check(now, patience)

    def request_capture(self, amount: Money, *, now: datetime, patience: timedelta) -> None:
        """Request the capture of all or part of the authorized amount; the rest is released.

        Raises:
            PaymentStateError: nothing is authorized.
            InvalidValueError: the amount is 0, more than the authorized amount, or in another
                currency.
        """
        if amount.currency != self.amount.currency or not 0 < amount.minor <= self.amount.minor:
            raise InvalidValueError("amount", f"must be more than 0 and at most {self.amount}")
        self._move(PaymentStatus.CAPTURING, now)
        self.capture_minor = amount.minor
        self.check_at = now + patience
        self._record(
            PaymentCaptureRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now)
        )

    def request_void(self, *, now: datetime, patience: timedelta) -> None:
        """Request that the authorization, or the request for one, is voided.

        Raises:
            PaymentStateError: money has moved, or there is nothing to void.
        """
        self._move(PaymentStatus.VOIDING, now)
        self.check_at = now + patience
        self._record(
            PaymentVoidRequested(order_id=self.order_id, payment_id=self.id, occurred_at=now)
        )

    def ask_again(self, *, now: datetime, patience: timedelta) -> None:
        """Request another check, and postpone the next one, longer each time.

        A canceled attempt is checked a few more times: a request sent before may still arrive.
        """
        self.checks += 1
        closed = self.status is PaymentStatus.CANCELED and self.checks > _LAST_CHECK
        self.check_at = None if closed else self._next_check(now, patience)
        if self.status is PaymentStatus.AUTHORIZED:
            self.check_at = now + _AUTHORIZATION_CHECK
        self._record(PaymentCheckDue(order_id=self.order_id, payment_id=self.id, occurred_at=now))

    def cancel(self, *, now: datetime) -> None:
        """Cancel the attempt: as far as is known, no money moved.

        Raises:
            PaymentStateError: money has moved, or the attempt was declined.
        """
        self._move(PaymentStatus.CANCELED, now)
        self.action = None
        # A request sent just now may still arrive: allow all the checks again.
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
        """Request a refund of all or part of the captured amount.

        Raises:
            PaymentStateError: nothing was captured.
            RefundTooLargeError: the amount is more than can still be refunded; pending refunds
                count as refunded.
            InvalidValueError: the amount is 0 or in another currency, or the reason is too long.
        """
        if self.status is not PaymentStatus.CAPTURED:
            raise PaymentStateError(self.status, "refunded")
        if amount.currency != self.amount.currency or amount.minor < 1:
            raise InvalidValueError("amount", f"must be more than 0, in {self.amount.currency}")
        if amount > self.refundable:
            left = self.refundable
            raise RefundTooLargeError(str(amount), str(left), refundable_minor=left.minor)
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
        """Record that a refund succeeded. Of the whole captured amount, it ends the payment.

        Raises:
            NotFoundError: no pending refund has this id.
        """
        self._move_refund(id, RefundStatus.SUCCEEDED, None, now)
        succeeded = sum(r.amount.minor for r in self.refunds if r.status is RefundStatus.SUCCEEDED)
        if succeeded == self.captured_minor:
            self._move(PaymentStatus.REFUNDED, now)

    def fail_refund(self, id: RefundId, failure: str, *, now: datetime) -> None:
        """Record that the gateway refused a refund; its amount can be refunded again.

        Raises:
            NotFoundError: no pending refund has this id.
        """
        self._move_refund(id, RefundStatus.FAILED, failure, now)

    def _move_refund(
        self, id: RefundId, status: RefundStatus, failure: str | None, now: datetime
    ) -> None:
        refund = next((r for r in self.pending_refunds if r.id == id), None)
        if refund is None:
            raise NotFoundError("pending refund")
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
        """Return the time after `patience`, doubled per check, up to 64 times as long."""
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
