"""Use cases for webhooks of payment gateways."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quickshop.application.payments.outcomes import PaymentOutcomes, lock
from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import NotFoundError, WebhookRejectedError
from quickshop.domain.money import Money
from quickshop.domain.orders import Order
from quickshop.domain.payments import CaptureMethod, Payment, PaymentStatus
from quickshop.ports.clock import Clock
from quickshop.ports.payment_webhooks import Verdict, WebhookRecord
from quickshop.ports.payments import (
    Charge,
    ChargeState,
    NoticeKind,
    PaymentNotice,
    PaymentWebhooks,
)
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

logger: Final = logging.getLogger("quickshop.payments")

_STATES: Final[Mapping[NoticeKind, ChargeState]] = {
    NoticeKind.ACTION_REQUIRED: ChargeState.ACTION_REQUIRED,
    NoticeKind.AUTHORIZED: ChargeState.AUTHORIZED,
    NoticeKind.CAPTURED: ChargeState.CAPTURED,
}
_VOIDABLE: Final = frozenset({PaymentStatus.AUTHORIZED, PaymentStatus.VOIDING})
_TO_ASK_ABOUT: Final = frozenset({PaymentStatus.REQUIRES_ACTION, PaymentStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class ReceivePaymentWebhook:
    """Record a gateway's webhook, and apply it to the payment and its order.

    Every message is recorded once, in the transaction that applies it. Rejected messages are
    recorded up to `rejected_kept` at a time. Further ones are only logged, so that a flood of
    forgeries does not fill the disk.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes
    providers: Mapping[str, PaymentWebhooks]
    rejected_kept: int = 1_000

    def __call__(self, provider: str, body: bytes, headers: Mapping[str, str]) -> Verdict:
        """Receive a message. Safe to repeat, and in any order. `headers` have lower-case names.

        A decline or a cancellation that the shop did not request is verified with the gateway,
        because at some gateways the shopper can still reverse it.

        Raises:
            NotFoundError: the provider is unknown or has no webhooks.
            WebhookRejectedError: the message is forged, stale or unreadable; nothing was changed.
        """
        webhooks = self.providers.get(provider)
        if webhooks is None:
            raise NotFoundError("payment provider")
        now = self.clock.now()
        digest = hashlib.sha256(body).hexdigest()
        try:
            notice = webhooks.verify(body, headers, now=now)
        except WebhookRejectedError as error:
            self._reject(provider, digest, Verdict(error.verdict), now)
            raise
        return self._receive(provider, digest, notice, now)

    @retried
    def _reject(self, provider: str, digest: str, verdict: Verdict, now: datetime) -> None:
        logger.warning("rejected a webhook from %s: %s", provider, verdict)
        with self.unit_of_work() as tx:
            if tx.payment_webhooks.count_rejected(limit=self.rejected_kept) < self.rejected_kept:
                tx.payment_webhooks.record(
                    WebhookRecord(
                        provider=provider,
                        event_id=f"rejected:{digest}",
                        digest=digest,
                        kind="",
                        gateway_key=None,
                        verdict=verdict,
                        received_at=now,
                    )
                )

    @retried
    def _receive(
        self, provider: str, digest: str, notice: PaymentNotice, now: datetime
    ) -> Verdict:
        record = WebhookRecord(
            provider=provider,
            event_id=notice.event_id,
            digest=digest,
            kind=notice.kind,
            gateway_key=notice.gateway_key,
            verdict=Verdict.IGNORED,
            received_at=now,
        )
        with self.unit_of_work() as tx:
            if not tx.payment_webhooks.record(record):
                return Verdict.DUPLICATE
            verdict = self._apply(tx, notice)
            if verdict is not record.verdict:
                tx.payment_webhooks.judge(provider, notice.event_id, verdict)
        return verdict

    def _apply(self, tx: Transaction, notice: PaymentNotice) -> Verdict:
        if notice.gateway_key is None or notice.kind is NoticeKind.OTHER:
            return Verdict.IGNORED
        found = tx.payments.find_by_key(notice.gateway_key)
        if found is None:
            logger.warning("webhook %s refers to an unknown order", notice.event_id)
            return Verdict.UNKNOWN_ORDER
        order, payment = lock(tx, found)
        if not _matches(notice, payment):
            logger.error(
                "webhook %s does not match the payment of order %s", notice.event_id, order.number
            )
            return Verdict.MISMATCH
        if payment.status is PaymentStatus.PENDING:
            # The gateway was not called yet; its answer to that call will say the same.
            return Verdict.IGNORED
        before = payment.version
        self._record(tx, order, payment, notice)
        return Verdict.IGNORED if payment.version == before else Verdict.APPLIED

    def _record(
        self, tx: Transaction, order: Order, payment: Payment, notice: PaymentNotice
    ) -> None:
        state = _STATES.get(notice.kind)
        is_canceled = notice.kind is NoticeKind.CANCELED
        if state is not None:
            charge = Charge(
                reference=notice.reference,
                state=state,
                captured=notice.captured or Money.zero(payment.amount.currency),
                action=notice.action,
            )
            self.outcomes.on_charge(tx, order, payment, charge)
        elif is_canceled and payment.status in _VOIDABLE:
            self.outcomes.on_canceled(tx, order, payment)
        elif payment.status in _TO_ASK_ABOUT:
            payment.ask_again(now=self.clock.now(), patience=self.outcomes.patience)
            tx.payments.save(payment)


def _matches(notice: PaymentNotice, payment: Payment) -> bool:
    if payment.reference not in {None, notice.reference} or notice.amount != payment.amount:
        return False
    if notice.kind is not NoticeKind.CAPTURED:
        return True
    captured = notice.captured
    if captured is None or captured.currency != payment.amount.currency:
        return False
    if payment.capture_method is CaptureMethod.AUTOMATIC:
        return captured == payment.amount
    return 0 < captured.minor <= payment.amount.minor


@dataclass(frozen=True, slots=True)
class ListPaymentWebhooks:
    """List the received webhooks for staff, including rejected ones."""

    unit_of_work: UnitOfWork

    def __call__(self, *, limit: int = 100) -> Sequence[WebhookRecord]:
        """Return the records, newest first."""
        with self.unit_of_work() as tx:
            return tx.payment_webhooks.list(limit=limit)
