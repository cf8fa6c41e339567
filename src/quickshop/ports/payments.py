"""Ports of payment gateways, and of the storage of payment attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import (
    Payment,
    PaymentId,
    PaymentSource,
    PaymentStatus,
    RefundStatus,
)


class PaymentRepository(Protocol):
    """The payment attempts in one transaction."""

    def get(self, payment_id: PaymentId) -> Payment:
        """Return the attempt, locked until the transaction ends.

        Raises:
            NotFoundError: no attempt has this id.
        """
        ...

    def find_by_key(self, gateway_key: str) -> Payment | None:
        """Return the attempt with this gateway key, if any; it is not locked."""
        ...

    def of_order(self, order_id: OrderId) -> Sequence[Payment]:
        """Return all attempts of an order, oldest first, locked until the transaction ends."""
        ...

    def due(self, now: datetime, *, limit: int) -> Sequence[Payment]:
        """Return attempts past their `check_at`, locked; those that others locked are left out."""
        ...

    def add(self, payment: Payment) -> None:
        """Store a new attempt and its events.

        Raises:
            ConflictError: the order already has an attempt with this number.
        """
        ...

    def save(self, payment: Payment) -> None:
        """Store the changes of an attempt read in this transaction, and its events.

        Raises:
            ConflictError: another transaction saved the attempt since it was read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund as staff see it."""

    number: int
    amount: Money
    status: RefundStatus
    reason: str
    failure: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """An attempt to pay an order as staff see it, without the payment token."""

    attempt: int
    status: PaymentStatus
    amount: Money
    captured: Money
    refunded: Money
    """The sum of refunds, including pending ones."""
    refunds: tuple[RefundView, ...]
    method: str
    gateway_key: str
    """The idempotency key of this attempt at the gateway."""
    reference: str | None
    failure: str | None
    checks: int
    """How often the gateway was asked; restarts when the attempt is canceled."""
    created_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """Return the current state of the attempt."""
        currency = payment.amount.currency
        return cls(
            attempt=payment.attempt,
            status=payment.status,
            amount=payment.amount,
            captured=Money(payment.captured_minor, currency),
            refunded=Money(payment.refunded_minor, currency),
            refunds=tuple(
                RefundView(
                    number=refund.number,
                    amount=refund.amount,
                    status=refund.status,
                    reason=refund.reason,
                    failure=refund.failure,
                    created_at=refund.created_at,
                )
                for refund in payment.refunds
            ),
            method=payment.source.method,
            gateway_key=payment.gateway_key,
            reference=payment.reference,
            failure=payment.failure,
            checks=payment.checks,
            created_at=payment.created_at,
        )


class ChargeState(StrEnum):
    """The state of a charge at the gateway."""

    ACTION_REQUIRED = "action_required"
    """The shopper must authenticate the payment with their bank."""
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELED = "canceled"
    """Canceled: the charge can no longer move money."""
    UNCONFIRMED = "unconfirmed"
    """The gateway knows the charge, but was not asked to execute it, or has not finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A gateway's answer about one attempt."""

    reference: str
    """The gateway's id of the attempt."""
    state: ChargeState
    captured: Money
    """The captured amount; 0 unless `state` is captured."""
    action: str = ""
    """A URL or a gateway secret with which the shopper completes a required action."""


class PaymentGateway(Protocol):
    """Moves money. It is never called inside a transaction.

    One `key` has one effect, however often and from wherever a call is repeated. A repeated call
    returns the outcome of the first. `quickshop doctor` checks a gateway that is also a
    `CheckedService`.
    """

    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        """Charge `amount` to `source`, or authorize it only if `capture` is false.

        Raises:
            PaymentDeclinedError: the gateway declined. No money moved, or will move with this key.
            PaymentUnknownError: the gateway did not answer; ask again with the same key.
        """
        ...

    def capture(self, reference: str, amount: Money, *, key: str) -> Charge:
        """Capture all or part of the authorized amount; the rest is released.

        Raises:
            PaymentDeclinedError: the authorization has ended, and no money moved.
            PaymentUnknownError: the gateway did not answer; ask again with the same key.
        """
        ...

    def void(self, reference: str, *, key: str) -> Charge:
        """Void an authorization, or the request for one.

        A charge that has moved money is returned as captured.

        Raises:
            PaymentUnknownError: the gateway did not answer; ask again with the same key.
        """
        ...

    def find(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge | None:
        """Return the result of the charge with these arguments; None if there is no such charge.

        It moves no money. Some gateways find a charge only by all its original arguments.

        Raises:
            PaymentDeclinedError: the charge was declined, and no money moved.
            PaymentUnknownError: the gateway did not answer; ask again.
        """
        ...

    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        """Refund `amount` of a captured payment.

        Raises:
            PaymentDeclinedError: the gateway refused permanently, and no money moved.
            PaymentUnknownError: the gateway did not answer; ask again with the same key.
        """
        ...


class NoticeKind(StrEnum):
    """The type of a message that a gateway sends to the shop."""

    ACTION_REQUIRED = "action_required"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELED = "canceled"
    OTHER = "other"
    """A message that the shop does not act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotice:
    """One verified message of a gateway."""

    event_id: str
    """The gateway's id of the message: the same on every delivery."""
    kind: NoticeKind
    gateway_key: str | None
    """The key of the charge; None if the message is not about a charge of this shop."""
    reference: str
    amount: Money | None
    """The amount of the charge."""
    captured: Money | None
    """The captured amount, if the message is about a capture."""
    action: str = ""
    """A URL or a gateway secret with which the shopper completes a required action."""


class PaymentWebhooks(Protocol):
    """Verifies messages that a gateway sends to the shop."""

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> PaymentNotice:
        """Return the notice in a message that the gateway signed and sent recently.

        `headers` have lower-case names. The signature covers the raw `body`.

        Raises:
            WebhookRejectedError: the message is forged, stale or unreadable.
        """
        ...
