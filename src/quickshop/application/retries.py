"""Repeating a whole transaction that lost a race."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from quickshop.domain.errors import ConflictError, ContentionError

P = ParamSpec("P")
R = TypeVar("R")

_again: Final = retry(
    retry=retry_if_exception_type((ConflictError, ContentionError)),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.01, max=0.1),
    reraise=True,
)


def retried(story: Callable[P, R]) -> Callable[P, R]:
    """Mark what reads, decides and writes in one transaction: it is run up to 3 times.

    Typed by hand, so that callers of a use case are checked against its own signature.
    """
    return _again(story)
