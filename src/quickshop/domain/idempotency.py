"""Idempotency keys: their form and lifetime."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from quickshop.domain.values import require_text

MAX_KEY_LENGTH: Final = 255
"""Characters in an idempotency key."""
KEY_LIFETIME: Final = timedelta(hours=24)
"""How long a key and the response to its request are stored."""


def require_key(key: str) -> None:
    """Check an idempotency key.

    Raises:
        InvalidValueError: the key is blank, too long, or not printable.
    """
    require_text("idempotency_key", key, max_length=MAX_KEY_LENGTH)
