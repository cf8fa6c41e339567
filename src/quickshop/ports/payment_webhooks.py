"""The port that stores webhook messages of payment gateways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol


class Verdict(StrEnum):
    """The result of a message."""

    APPLIED = "applied"
    IGNORED = "ignored"
    """The message has no relevant or new content."""
    DUPLICATE = "duplicate"
    """The message was delivered before; its first result stands."""
    MISMATCH = "mismatch"
    """The amount, currency or charge differs from the order's. Nothing was changed."""
    UNKNOWN_ORDER = "unknown_order"
    FORGED = "forged"
    STALE = "stale"
    UNREADABLE = "unreadable"


MAX_PROVIDER_LENGTH: Final = 50
"""Characters in the name of a payment gateway."""

REJECTED: Final = frozenset({Verdict.FORGED, Verdict.STALE, Verdict.UNREADABLE})
"""Verdicts of messages that are not trusted. Their content is not stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """One message, with the number of its deliveries."""

    provider: str
    event_id: str
    """The gateway's id of the message; for an untrusted message `rejected:` and its digest."""
    digest: str
    """SHA-256 of the body, in hexadecimal."""
    kind: str
    """The type of the message; empty if it is not trusted."""
    gateway_key: str | None
    verdict: Verdict
    received_at: datetime
    """When it was first received."""
    deliveries: int = 1


class PaymentWebhookRepository(Protocol):
    """The webhook messages in one transaction."""

    def record(self, record: WebhookRecord) -> bool:
        """Store the message; if its event id is known, count a delivery instead and return False.

        Another transaction that records the same event waits until this transaction ends.
        """
        ...

    def judge(self, provider: str, event_id: str, verdict: Verdict) -> None:
        """Change the verdict of a message that was recorded in this transaction."""
        ...

    def count_rejected(self, *, limit: int) -> int:
        """Return the number of stored untrusted messages, counted up to `limit`."""
        ...

    def list(self, *, limit: int) -> Sequence[WebhookRecord]:
        """Return the messages, newest first."""
        ...

    def purge_before(self, moment: datetime) -> int:
        """Delete messages first received before `moment`; return how many."""
        ...
