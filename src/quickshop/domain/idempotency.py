"""Idempotency keys: what a caller may send, and for how long it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from quickshop.domain.values import require_text

MAX_KEY_LENGTH: Final = 255
"""Characters in an idempotency key."""
KEY_LIFETIME: Final = timedelta(hours=24)
"""How long a key and the answer to its request are kept."""


def require_key(key: str) -> None:
    """Refuse a key that cannot be stored.

    Raises:
        InvalidValueError: blank, too long, or not printable.
    """
    require_text("idempotency_key", key, max_length=MAX_KEY_LENGTH)
