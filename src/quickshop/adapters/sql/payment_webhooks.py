"""Webhook messages of payment gateways in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, select, update
from typing_extensions import override

from quickshop.adapters.sql.column_types import UtcDateTime
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.tables import IS_REJECTED
from quickshop.adapters.sql.tables import payment_webhooks as webhooks
from quickshop.ports.payment_webhooks import PaymentWebhookRepository, Verdict, WebhookRecord

_THIS: Final = (
    webhooks.c.provider == bindparam("of_provider"),
    webhooks.c.event_id == bindparam("of_event"),
)
_COUNT_DELIVERY: Final = (
    update(webhooks).where(*_THIS).values(deliveries=webhooks.c.deliveries + 1)
)
_JUDGE: Final = update(webhooks).where(*_THIS).values(verdict=bindparam("new_verdict"))
_REJECTED: Final = (
    select(webhooks.c.event_id).where(IS_REJECTED).limit(bindparam("most")).subquery()
)
_COUNT_REJECTED: Final = select(func.count()).select_from(_REJECTED)
_NEWEST: Final = (
    select(webhooks)
    .order_by(webhooks.c.received_at.desc(), webhooks.c.event_id.desc())
    .limit(bindparam("most"))
)
_FORGET: Final = delete(webhooks).where(
    webhooks.c.received_at < bindparam("moment", type_=UtcDateTime())
)


class SqlPaymentWebhooks(PaymentWebhookRepository):
    """Webhook messages, one row each. The primary key makes repeated messages harmless."""

    def __init__(self, connection: BatchingConnection, dialect: SqlDialect) -> None:
        self._connection = connection
        self._dialect = dialect

    @override
    def record(self, record: WebhookRecord) -> bool:
        row = asdict(record)
        if self._dialect.insert_if_absent(self._connection, webhooks.name, row):
            return True
        this = {"of_provider": record.provider, "of_event": record.event_id}
        self._connection.execute(_COUNT_DELIVERY, this)
        return False

    @override
    def judge(self, provider: str, event_id: str, verdict: Verdict) -> None:
        this = {"of_provider": provider, "of_event": event_id}
        self._connection.later(_JUDGE, this | {"new_verdict": verdict})

    @override
    def count_rejected(self, *, limit: int) -> int:
        found: int = self._connection.execute(_COUNT_REJECTED, {"most": limit}).scalar_one()
        return found

    @override
    def list(self, *, limit: int) -> Sequence[WebhookRecord]:
        rows = self._connection.execute(_NEWEST, {"most": limit})
        return [
            WebhookRecord(**{**row._mapping, "verdict": Verdict(row.verdict)})  # noqa: SLF001
            for row in rows
        ]

    @override
    def purge_before(self, moment: datetime) -> int:
        return self._connection.execute(_FORGET, {"moment": moment}).rowcount
