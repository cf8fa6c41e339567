"""Webhook messages of payment gateways in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from quickshop.adapters.memory.session import MemorySession
from quickshop.ports.payment_webhooks import (
    REJECTED,
    PaymentWebhookRepository,
    Verdict,
    WebhookRecord,
)


class MemoryPaymentWebhooks(PaymentWebhookRepository):
    """The webhook messages of the last weeks."""

    def __init__(self, session: MemorySession) -> None:
        self._records = session.state.webhooks

    @override
    def record(self, record: WebhookRecord) -> bool:
        key = (record.provider, record.event_id)
        known = self._records.get(key)
        if known is not None:
            self._records[key] = replace(known, deliveries=known.deliveries + 1)
            return False
        self._records[key] = record
        return True

    @override
    def judge(self, provider: str, event_id: str, verdict: Verdict) -> None:
        key = (provider, event_id)
        self._records[key] = replace(self._records[key], verdict=verdict)

    @override
    def count_rejected(self, *, limit: int) -> int:
        rejected = sum(record.verdict in REJECTED for record in self._records.values())
        return min(rejected, limit)

    @override
    def list(self, *, limit: int) -> Sequence[WebhookRecord]:
        newest = sorted(
            self._records.values(), key=lambda r: (r.received_at, r.event_id), reverse=True
        )
        return newest[:limit]

    @override
    def purge_before(self, moment: datetime) -> int:
        old = [key for key, record in self._records.items() if record.received_at < moment]
        for key in old:
            del self._records[key]
        return len(old)
