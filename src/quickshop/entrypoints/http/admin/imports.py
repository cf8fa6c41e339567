"""Admin routes to import product files, and to follow the imports."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, Final, cast
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from quickshop.application.imports import GetImport, ListImportIssues, ListImports, StartImport
from quickshop.domain.imports import MAX_FILE_BYTES, MAX_FILE_ROWS, ImportId, ImportStatus
from quickshop.domain.inventory import MAX_LOCATION_LENGTH
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.entrypoints.http.admin.shared import (
    staff_problems,
)
from quickshop.entrypoints.http.dependencies import (
    Cursor,
    IdempotencyKey,
    Limit,
    QueryBoolean,
    QueryText,
    ShopDependency,
    SignedInCaller,
)
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import ProblemError
from quickshop.entrypoints.http.models import Output, private, replay_headers
from quickshop.ports.imports import Severity
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/admin/imports", tags=["admin: imports"], route_class=GuardedRoute)

_IN_MEMORY: Final = 1024 * 1024
"""Bytes of a file kept in memory. A larger file goes to disk."""
_CSV: Final = re.compile(r"text/csv\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)
_FILE_DESCRIPTION: Final = (
    "A product CSV file exported from Shopify, in UTF-8, "
    f"at most {MAX_FILE_BYTES // 2**20} MiB and {MAX_FILE_ROWS:,} rows."
)
_FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": _FILE_DESCRIPTION,
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


class ImportCountsOut(Output):
    """The counts of an import so far."""

    rows_done: int
    rejected_rows: int
    """Rows that were not imported. Each has an issue."""
    created: int
    updated: int
    unchanged: int
    variants: int
    units_moved: int
    """Units added to or removed from stock levels, summed as absolute values."""
    issues: int
    """The first 10,000 can be read."""


class ImportOut(Output):
    """An import of a file, and its progress."""

    id: UUID
    file_name: str
    size_bytes: int
    currency: str
    location: str
    with_stock: bool
    """Whether stock levels are set from the file. It needs `inventory:write`."""
    dry_run: bool
    status: ImportStatus
    rows: int | None
    """Rows without the header; null until the file has been read."""
    counts: ImportCountsOut
    failure: str
    """Why the import failed; otherwise empty."""
    requested_at: AwareDatetime
    finished_at: AwareDatetime | None


class ImportPage(Output):
    """A page of imports, newest first, and the cursor of the next page."""

    items: tuple[ImportOut, ...]
    next_cursor: str | None


class RowIssueOut(Output):
    """An issue of one row."""

    line: int
    """The line where the row starts in the file. The header is line 1."""
    column: str
    reason: str
    severity: Severity


class RowIssuePage(Output):
    """A page of issues, in the order they were found, and the cursor of the next page."""

    items: tuple[RowIssueOut, ...]
    next_cursor: str | None


def _require_csv(request: Request) -> None:
    if not _CSV.fullmatch(request.headers.get("content-type", "").strip()):
        detail = "Send the file as text/csv in UTF-8."
        raise ProblemError(415, "unsupported_media_type", detail)


async def save_body(body: AsyncIterator[bytes], file: BinaryIO) -> None:
    """Write a body to a file in parts of about 1 MiB, without blocking the event loop."""
    part = bytearray()
    async for piece in body:
        part += piece
        if len(part) >= _IN_MEMORY:
            await to_thread.run_sync(file.write, bytes(part))
            part.clear()
    await to_thread.run_sync(file.write, bytes(part))


@router.post(
    "",
    operation_id="start_import",
    status_code=202,
    response_model=ImportOut,
    responses=staff_problems(400, 409, 413, 415, 422),
    openapi_extra=_FILE,
)
@open_to(staff(StartImport))
async def start_import(
    request: Request,
    shop: ShopDependency,
    idempotency_key: IdempotencyKey,
    by: SignedInCaller,
    file_name: Annotated[QueryText, Query(max_length=MAX_NAME_LENGTH)] = "products.csv",
    location: Annotated[
        QueryText | None,
        Query(
            min_length=1,
            max_length=MAX_LOCATION_LENGTH,
            description="The location of the stock; created if new. Default: the shop's location.",
        ),
    ] = None,
    dry_run: Annotated[
        QueryBoolean, Query(description="Check the file without changing anything.")
    ] = False,
) -> Response:
    """Import a product file in the background. Prices are in the currency of the shop.

    Stock levels are set from the file only if you also have `inventory:write`.
    """
    _require_csv(request)
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        file = cast("BinaryIO", spooled)
        await save_body(request.stream(), file)
        start = partial(
            shop.imports.start,
            file,
            file_name=file_name,
            location=location,
            dry_run=dry_run,
            idempotency_key=idempotency_key,
            by=by,
        )
        answer = await to_thread.run_sync(start)
    headers = {
        "Location": f"/v1/admin/imports/{answer.value.id}",
        **replay_headers(replayed=answer.replayed),
    }
    return private(ImportOut.of(answer.value), status=202, headers=headers)


@router.get(
    "", operation_id="list_imports", response_model=ImportPage, responses=staff_problems(422)
)
@open_to(staff(ListImports))
def list_imports(
    shop: ShopDependency, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List imports, newest first."""
    return private(ImportPage.of(shop.imports.list(limit=limit, cursor=cursor)))


@router.get(
    "/{import_id}",
    operation_id="get_import",
    response_model=ImportOut,
    responses=staff_problems(404, 422),
)
@open_to(staff(GetImport))
def get_import(shop: ShopDependency, import_id: UUID) -> Response:
    """Return an import and its progress."""
    return private(ImportOut.of(shop.imports.get(ImportId(import_id))))


@router.get(
    "/{import_id}/issues",
    operation_id="list_import_issues",
    response_model=RowIssuePage,
    responses=staff_problems(404, 422),
)
@open_to(staff(ListImportIssues))
def list_import_issues(
    shop: ShopDependency, import_id: UUID, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the issues of an import, in the order they were found."""
    page = shop.imports.issues(ImportId(import_id), limit=limit, cursor=cursor)
    return private(RowIssuePage.of(page))
