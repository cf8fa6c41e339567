"""Product files from elsewhere: read into drafts, and kept until they are imported."""

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
    """What an issue did to its row."""

    NOTE = "note"
    """Imported, with something changed or left out that the file said."""
    ERROR = "error"
    """Not imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue:
    """Something about one row of a file that its owner should know."""

    line: int
    """Where the row starts in the file, counting from 1; the header is line 1."""
    column: str
    reason: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """A variant as a file describes it."""

    line: int
    content: VariantContent
    """Not checked yet. Its SKU is empty when the file gives none."""
    on_hand: int | None = None
    """Units on the shelf; None when the file does not say, and the shelf stays as it is."""
    backorder_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """A product as a file describes it, with every row that speaks of it."""

    line: int
    content: ProductContent
    """Not checked and not sanitized yet, and without the id of a category."""
    category_path: tuple[str, ...]
    """Names from the root down; empty for none."""
    variants: Sequence[VariantDraft]
    rows: int
    """How many rows of the file this draft accounts for."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One product's worth of a file: what could be read, and what is to be said about it."""

    draft: ProductDraft | None
    """None when none of its rows could be read."""
    rows: int
    """Rows of the file that this item accounts for, read or reported."""
    issues: Sequence[RowIssue] = ()


class ProductFeed(Protocol):
    """A file of products, opened and known to be of its format."""

    rows: int
    """Rows in the file, without its header."""

    def column_of(self, field: str) -> str:
        """The name of the column that holds a field of a draft, such as `sku` or `on_hand`.

        A field that has no column is reported at that of the handle.
        """
        ...

    def __iter__(self) -> Iterator[FeedItem]:
        """The products in the order of the file. The rows of all items add up to `rows`."""
        ...


class ProductFeedReader(Protocol):
    """Opens product files of one format."""

    def __call__(self, path: Path, *, currency: str, max_rows: int | None = None) -> ProductFeed:
        """Open a file; amounts in it are in `currency`.

        Raises:
            FileFormatError: it cannot be read, is not of this format, or has more than `max_rows`
                besides its header. Says what was found, and what would be right.
        """
        ...


class ImportRepository(Protocol):
    """The imports, as seen from inside one transaction."""

    def add(self, new: Import, content: Iterable[bytes]) -> None:
        """Store a new import, its events, and what is in its file."""
        ...

    def get(self, import_id: ImportId) -> Import:
        """The import, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def save(
        self, known: Import, issues: Sequence[RowIssue] = (), *, keep: int = MAX_KEPT_ISSUES
    ) -> None:
        """Store the changes of an import got in this transaction, its events, and new issues.

        Of all issues of an import, the first `keep` can be read.
        """
        ...

    def forget_content(self, import_id: ImportId) -> None:
        """Delete what is in the file."""
        ...

    def unfinished(self) -> int:
        """How many wait or run."""
        ...

    def forget_finished(self, before: datetime) -> int:
        """Delete imports that were finished before then, with their issues; tell how many."""
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
    """Whether shelves are brought to what it says."""
    dry_run: bool
    status: ImportStatus
    rows: int | None
    """Rows in the file, without its header; None until it has been read."""
    counts: ImportCounts
    failure: str
    """Why it could not be read, or not be finished; empty unless it failed."""
    requested_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, known: Import) -> Self:
        """The import as it stands."""
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
    """Imports as people read them; no transaction needed."""

    def get(self, import_id: ImportId) -> ImportView:
        """The import.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def list(self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ImportView]:
        """One page of imports, newest first.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def issues(
        self, import_id: ImportId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RowIssue]:
        """One page of what is to be said about rows, in the order in which it was found.

        Empty for an import that does not exist.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def content(self, import_id: ImportId) -> Iterator[bytes]:
        """What is in the file, part by part; nothing once it was forgotten."""
        ...
