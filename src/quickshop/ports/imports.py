"""Ports that read product files into drafts, and store imports and their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

from quickshop.domain.catalog import ProductContent, VariantContent
from quickshop.domain.imports import (
    MAX_KEPT_ISSUES,
    Import,
    ImportCounts,
    ImportId,
    ImportStatus,
)
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class Severity(StrEnum):
    """The effect of an issue on its row."""

    NOTE = "note"
    """The row was imported, but a value was changed or left out."""
    ERROR = "error"
    """The row was not imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue:
    """An issue with one row of a file."""

    line: int
    """The line where the row starts, counting from 1; the header is line 1."""
    column: str
    reason: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """A variant as a file describes it."""

    line: int
    content: VariantContent
    """Not validated yet. The SKU is empty if the file has none."""
    on_hand: int | None = None
    """Units in stock; None if the file has none, so that the stock level is not changed."""
    backorder_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """A product as a file describes it in one or more rows."""

    line: int
    content: ProductContent
    """Not validated or sanitized yet, and without a category id."""
    category_path: tuple[str, ...]
    """Category names from the root down; empty for none."""
    variants: Sequence[VariantDraft]
    rows: int
    """The number of rows of the file in this draft."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """The rows of one product in a file: a draft, and the issues of the rows."""

    draft: ProductDraft | None
    """None if no row could be read."""
    rows: int
    """The number of rows of the file in this item, read or reported as issues."""
    issues: Sequence[RowIssue] = ()


class ProductFeed(Protocol):
    """An open product file with a valid format."""

    rows: int
    """Rows in the file, without its header."""

    def column_of(self, field: str) -> str:
        """Return the name of the column for a field of a draft, such as `sku` or `on_hand`.

        For a field without a column, this is the column of the handle.
        """
        ...

    def __iter__(self) -> Iterator[FeedItem]:
        """Iterate over the products in file order. The rows of all items add up to `rows`."""
        ...


class ProductFeedReader(Protocol):
    """Opens product files of one format."""

    def __call__(self, path: Path, *, currency: str, max_rows: int | None = None) -> ProductFeed:
        """Open a file whose amounts are in `currency`.

        Raises:
            FileFormatError: the file cannot be read, has another format, or has more than
                `max_rows` without its header. The message says what was found and what would be
                right.
        """
        ...


class ImportRepository(Protocol):
    """The imports in one transaction."""

    def add(self, new: Import, content: Iterable[bytes]) -> None:
        """Store a new import, its events, and the content of its file."""
        ...

    def get(self, import_id: ImportId) -> Import:
        """Return the import, locked until the transaction ends.

        Raises:
            NotFoundError: no import has this id.
        """
        ...

    def save(
        self, known: Import, issues: Sequence[RowIssue] = (), *, keep: int = MAX_KEPT_ISSUES
    ) -> None:
        """Store the changes of an import read in this transaction, its events, and new issues.

        Only the first `keep` issues of an import are stored.
        """
        ...

    def delete_content(self, import_id: ImportId) -> None:
        """Delete the content of the file."""
        ...

    def unfinished(self) -> int:
        """Return the number of waiting and running imports."""
        ...

    def purge_finished(self, before: datetime) -> int:
        """Delete imports finished before `before`, with their issues; return how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """An import as staff see it."""

    id: ImportId
    file_name: str
    size_bytes: int
    currency: str
    location: str
    with_stock: bool
    """Whether stock levels are set to the quantities in the file."""
    dry_run: bool
    status: ImportStatus
    rows: int | None
    """Rows in the file, without its header; None until it has been read."""
    counts: ImportCounts
    failure: str
    """Why the file could not be read or finished; empty unless the import failed."""
    requested_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, known: Import) -> Self:
        """Return the current state of the import."""
        return cls(
            id=known.id,
            file_name=known.file_name,
            size_bytes=known.size_bytes,
            currency=known.currency,
            location=known.location,
            with_stock=known.with_stock,
            dry_run=known.dry_run,
            status=known.status,
            rows=known.rows,
            counts=known.counts,
            failure=known.failure,
            requested_at=known.requested_at,
            finished_at=known.finished_at,
        )


class ImportReader(Protocol):
    """Reads imports without a transaction."""

    def get(self, import_id: ImportId) -> ImportView:
        """Return the import with this id.

        Raises:
            NotFoundError: no import has this id.
        """
        ...

    def list(self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ImportView]:
        """Return one page of imports, newest first.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def issues(
        self, import_id: ImportId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RowIssue]:
        """Return one page of issues, in the order in which they were found.

        The page is empty if the import does not exist.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def content(self, import_id: ImportId) -> Iterator[bytes]:
        """Return the content of the file in parts; empty once it has been deleted."""
        ...
