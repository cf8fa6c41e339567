"""What is kept of the messages that claim to come from a payment gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol


class Verdict(StrEnum):
    """What came of a message."""

    APPLIED = "applied"
    IGNORED = "ignored"
    """It told nothing that matters, or nothing new."""
    DUPLICATE = "duplicate"
    """It was delivered before; what came of it then stands."""
    MISMATCH = "mismatch"
    """It speaks of another amount, currency or charge than the order's. Nothing was changed."""
    UNKNOWN_ORDER = "unknown_order"
    FORGED = "forged"
    STALE = "stale"
    UNREADABLE = "unreadable"


MAX_PROVIDER_LENGTH: Final = 50
"""Characters in the name of a payment gateway."""

REJECTED: Final = frozenset({Verdict.FORGED, Verdict.STALE, Verdict.UNREADABLE})
"""What is not believed, so that nothing that it says is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """One message, however often it was delivered."""

    provider: str
    event_id: str
    """The gateway's id of the message; of one that is not believed `rejected:` and its digest."""
    digest: str
    """SHA-256 of the body, in hexadecimal."""
    kind: str
    """What it tells; empty when it is not believed."""
    gateway_key: str | None
    verdict: Verdict
    received_at: datetime
    """When it came first."""
    deliveries: int = 1


class PaymentWebhookRepository(Protocol):
    """The messages, as seen from inside one transaction."""

    def record(self, record: WebhookRecord) -> bool:
        """Keep it; if this event id is known, count a delivery of it instead and answer False.

        Whoever records the same event meanwhile waits until this transaction ends.
        """
        ...

    def judge(self, provider: str, event_id: str, verdict: Verdict) -> None:
        """Change what came of a message that was recorded in this transaction."""
        ...

    def count_rejected(self, *, limit: int) -> int:
        """How many are kept that were not believed, counted up to `limit`."""
        ...

    def list(self, *, limit: int) -> Sequence[WebhookRecord]:
        """The newest first."""
        ...

    def forget_before(self, moment: datetime) -> int:
        """Delete what came first before `moment`; tell how many."""
        ...
