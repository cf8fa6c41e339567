"""What the shop needs from a payment gateway, and from whoever keeps the attempts."""

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
    """The payment attempts, as seen from inside one transaction."""

    def get(self, payment_id: PaymentId) -> Payment:
        """The attempt, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def find_by_key(self, gateway_key: str) -> Payment | None:
        """The attempt that a gateway knows by this key; not locked."""
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
    """An attempt to pay an order as staff see it. How it was paid stays with the gateway."""

    attempt: int
    status: PaymentStatus
    amount: Money
    captured: Money
    refunded: Money
    """What went back or is on its way."""
    refunds: tuple[RefundView, ...]
    method: str
    gateway_key: str
    """What the gateway knows this attempt by."""
    reference: str | None
    failure: str | None
    checks: int
    """How often the gateway was to be asked; counted anew when the attempt was called off."""
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
    """How far a charge has got at the gateway."""

    ACTION_REQUIRED = "action_required"
    """The shopper is to prove to their bank that it is them."""
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELED = "canceled"
    """Let go: it takes no money any more."""
    UNCONFIRMED = "unconfirmed"
    """The gateway knows of it, and nothing was asked of it yet, or it is still at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a gateway says of one attempt."""

    reference: str
    """Its name for the attempt."""
    state: ChargeState
    captured: Money
    """What moved; zero unless `state` is captured."""
    action: str = ""
    """What the shopper needs while an action is required: a URL or the gateway's secret."""


class PaymentGateway(Protocol):
    """Moves money. Called outside every transaction, never inside one.

    One `key` has one effect, however often and wherever a call is repeated; a repeated call gives
    the outcome of the first. A gateway that is also a `CheckedService` is tried by
    `quickshop doctor`.
    """

    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        """Take `amount` from `source`, or without `capture` set it aside.

        Raises:
            PaymentDeclinedError: refused, and no money moved; it will not under this key.
            PaymentUnknownError: no answer; ask again with the same key.
        """
        ...

    def capture(self, reference: str, amount: Money, *, key: str) -> Charge:
        """Take the whole or a part of what was set aside; the rest is let go.

        Raises:
            PaymentDeclinedError: it is not set aside any more, and no money moved.
            PaymentUnknownError: no answer; ask again with the same key.
        """
        ...

    def void(self, reference: str, *, key: str) -> Charge:
        """Let go of what was set aside or asked for. A charge that moved is told as captured.

        Raises:
            PaymentUnknownError: no answer; ask again with the same key.
        """
        ...

    def find(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge | None:
        """What came of the charge that was asked for in this way; None when there was none.

        Moves nothing. Some gateways find a charge only by what it was asked for with.

        Raises:
            PaymentDeclinedError: it was refused, and no money moved.
            PaymentUnknownError: no answer; ask again.
        """
        ...

    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        """Send `amount` of a captured payment back.

        Raises:
            PaymentDeclinedError: refused for good, and no money moved.
            PaymentUnknownError: no answer; ask again with the same key.
        """
        ...


class NoticeKind(StrEnum):
    """What a gateway tells without being asked."""

    ACTION_REQUIRED = "action_required"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELED = "canceled"
    OTHER = "other"
    """Nothing that the shop acts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotice:
    """One verified message of a gateway."""

    event_id: str
    """The gateway's id of the message: the same on every delivery."""
    kind: NoticeKind
    gateway_key: str | None
    """The key of the charge that it is about, if it is about one of ours."""
    reference: str
    amount: Money | None
    """What the charge is over."""
    captured: Money | None
    """What moved, when that is what it tells."""
    action: str = ""
    """What the shopper needs, when an action is required: a URL or the gateway's secret."""


class PaymentWebhooks(Protocol):
    """Reads what a gateway sends to the shop."""

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> PaymentNotice:
        """What the message says, if the gateway sent it just now.

        `headers` have lower-case names. The signature is over the raw `body`.

        Raises:
            WebhookRejectedError: forged, stale or unreadable.
        """
        ...
