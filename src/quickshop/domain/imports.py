"""Imports of product files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PureWindowsPath
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.events import Aggregate, DomainEvent

ImportId = NewType("ImportId", UUID)

MAX_FILE_NAME: Final = 60
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
MAX_FILE_ROWS: Final = 100_000
"""Rows in a file; a worker reads this many in a fraction of a turn, with any content."""
MAX_UNFINISHED: Final = 20
"""Imports that may wait or run at once."""
MAX_KEPT_ISSUES: Final = 10_000
"""Issues stored per file; further ones are only counted."""


def display_name(file_name: str) -> str:
    """Return the printable part of a file name, without folders."""
    last = PureWindowsPath(file_name).name  # accepts both kinds of slash
    plain = "".join(char for char in last if char.isprintable()).strip(". ")
    return plain[:MAX_FILE_NAME].strip(". ") or "products.csv"


class ImportStatus(StrEnum):
    """The progress of an import."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    """Every row was imported or reported."""
    FAILED = "failed"
    """The file could not be read or finished. Products imported before that stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEvent(DomainEvent):
    """An event of one import."""

    import_id: ImportId


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequested(ImportEvent):
    """A file was uploaded for import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAdvanced(ImportEvent):
    """The result of one more product is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPaused(ImportEvent):
    """The turn of the import ended; it continues in the next turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFinished(ImportEvent):
    """The import is done or has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """Counts of the rows and products of a file, by result."""

    rows_done: int = 0
    rejected_rows: int = 0
    created: int = 0
    """Products created; `updated` and `unchanged` count products too."""
    updated: int = 0
    unchanged: int = 0
    variants: int = 0
    units_moved: int = 0
    """The sum of the absolute changes of all stock levels."""
    issues: int = 0

    def __add__(self, other: ImportCounts) -> ImportCounts:
        return ImportCounts(
            rows_done=self.rows_done + other.rows_done,
            rejected_rows=self.rejected_rows + other.rejected_rows,
            created=self.created + other.created,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            variants=self.variants + other.variants,
            units_moved=self.units_moved + other.units_moved,
            issues=self.issues + other.issues,
        )


@dataclass(slots=True, eq=False, kw_only=True)
class Import(Aggregate):
    """The import of one file. The content of the file is stored until the import is finished."""

    id: ImportId
    file_name: str
    size_bytes: int
    currency: str
    """The ISO 4217 code of the prices."""
    location: str
    """The location of its stock."""
    with_stock: bool
    """Whether stock levels are set to the quantities in the file, or stay as they are."""
    dry_run: bool
    requested_at: datetime
    status: ImportStatus = ImportStatus.WAITING
    rows: int | None = None
    """Rows in the file, without its header; None until it has been read."""
    items_done: int = 0
    """Items of the feed included in `counts`; the next turn continues after them."""
    counts: ImportCounts = ImportCounts()
    failure: str = ""
    finished_at: datetime | None = None

    @classmethod
    def request(
        cls,
        *,
        id: ImportId,
        file_name: str,
        size_bytes: int,
        currency: str,
        location: str,
        with_stock: bool,
        dry_run: bool,
        now: datetime,
    ) -> Import:
        """Create an import of a file."""
        new = cls(
            id=id,
            file_name=display_name(file_name),
            size_bytes=size_bytes,
            currency=currency,
            location=location,
            with_stock=with_stock,
            dry_run=dry_run,
            requested_at=now,
        )
        new._record(ImportRequested(import_id=id, occurred_at=now))
        return new

    @property
    def is_finished(self) -> bool:
        """Whether the import is done or has failed."""
        return self.status in {ImportStatus.DONE, ImportStatus.FAILED}

    def advance(self, counts: ImportCounts, *, rows: int, now: datetime) -> None:
        """Add the counts of the next item of the feed."""
        assert not self.is_finished, "a finished import cannot advance"
        self.status = ImportStatus.RUNNING
        self.rows = rows
        self.items_done += 1
        self.counts += counts
        self._record(ImportAdvanced(import_id=self.id, occurred_at=now))

    def pause(self, *, now: datetime) -> None:
        """End this turn; the import continues in the next one."""
        assert not self.is_finished, "a finished import cannot pause"
        self._record(ImportPaused(import_id=self.id, occurred_at=now))

    def finish(self, *, rows: int, now: datetime) -> None:
        """Mark the import as done."""
        self.rows = rows
        self._end(ImportStatus.DONE, now)

    def fail(self, reason: str, *, now: datetime) -> None:
        """Mark the import as failed: the file cannot be read or finished."""
        self.failure = reason
        self._end(ImportStatus.FAILED, now)

    def _end(self, status: ImportStatus, now: datetime) -> None:
        self.status = status
        self.finished_at = now
        self._record(ImportFinished(import_id=self.id, occurred_at=now))
