"""Types and dependencies shared by the admin routes."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Header
from pydantic import AfterValidator, Field

from quickshop.domain.inventory import MAX_LEDGER_REASON_LENGTH, MAX_LOCATION_LENGTH
from quickshop.entrypoints.http.dependencies import SignedInCaller, require_printable
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.sentences import ETAG_PATTERN
from quickshop.entrypoints.http.texts import NOT_BLANK

_PRINTABLE: Final = AfterValidator(require_printable)

Location = Annotated[
    str, Field(min_length=1, max_length=MAX_LOCATION_LENGTH), _PRINTABLE, NOT_BLANK
]
LedgerReason = Annotated[
    str, Field(min_length=1, max_length=MAX_LEDGER_REASON_LENGTH), _PRINTABLE, NOT_BLANK
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=ETAG_PATTERN,
        description="The `ETag` you read. If it is outdated, nothing changes and you get 412.",
    ),
]


async def _scope(caller: SignedInCaller) -> str:
    return caller.scope


Caller = Annotated[str, Depends(_scope)]
"""The account's scope of idempotency keys; equal keys of other accounts are separate."""


def staff_problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of an admin route: the common ones and `more`."""
    return problems(*sorted({401, 403, 429, 503, *more}))
