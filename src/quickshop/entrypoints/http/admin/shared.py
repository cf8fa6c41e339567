"""What the routes of staff have in common."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic import AfterValidator, Field

from quickshop.domain.inventory import MAX_LEDGER_REASON_LENGTH, MAX_LOCATION_LENGTH
from quickshop.entrypoints.http.dependencies import SignedInCaller, require_printable
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.sentences import ETAG_PATTERN

Location = Annotated[
    str, Field(min_length=1, max_length=MAX_LOCATION_LENGTH), AfterValidator(require_printable)
]
LedgerReason = Annotated[
    str,
    Field(min_length=1, max_length=MAX_LEDGER_REASON_LENGTH),
    AfterValidator(require_printable),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=ETAG_PATTERN,
        description="The `ETag` that was read: nothing is changed in a later state, and 412.",
    ),
]


async def _scope(caller: SignedInCaller) -> str:
    return caller.scope


Caller = Annotated[str, Depends(_scope)]
"""Whose idempotency keys count: the same key of somebody else is another key."""


def staff_problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """What a route's `responses` say: what every route of staff may answer with, and `more`."""
    return problems(*sorted({401, 403, 429, 503, *more}))
