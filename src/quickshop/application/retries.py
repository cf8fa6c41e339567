"""Repeating a whole transaction that lost a race."""

from __future__ import annotations

from typing import Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from quickshop.domain.errors import ConflictError, ContentionError

retried: Final = retry(
    retry=retry_if_exception_type((ConflictError, ContentionError)),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.01, max=0.1),
    reraise=True,
)
"""Marks a use case that reads, decides and writes in one transaction: it is run up to 3 times."""
