"""Repeating a whole transaction that lost a race."""

from __future__ import annotations

import logging
from typing import Final

import stamina
from stamina.instrumentation import set_on_retry_hooks

from quickshop.domain.errors import ConflictError, ContentionError

# A lost race is ordinary, not news: the caller hears of it when three tries have failed.
set_on_retry_hooks([])
logging.getLogger("stamina").addHandler(logging.NullHandler())

retried: Final = stamina.retry(
    on=(ConflictError, ContentionError),
    attempts=3,
    timeout=None,
    wait_initial=0.01,
    wait_max=0.1,
    wait_jitter=0.05,
)
"""Marks a use case that reads, decides and writes in one transaction: it is run up to 3 times."""
