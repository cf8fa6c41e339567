"""Retries of transactions that lost a race."""

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


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function up to 3 times; it must read, decide and write in one transaction.

    Typed by hand, so that callers are checked against the function's own signature.
    """
    return _again(function)
