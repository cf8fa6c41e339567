"""Files of products on their way into the shop."""

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
"""What a worker reads in a fraction of a turn, whatever stands in the rows."""
MAX_UNFINISHED: Final = 20
"""Imports that may wait or run at once."""
MAX_KEPT_ISSUES: Final = 10_000
"""Issues of one file that can be read; those beyond are only counted."""


def display_name(file_name: str) -> str:
    """What a file is called here: the last part of its name, as far as it can be printed."""
    last = PureWindowsPath(file_name).name  # it takes either kind of slash
    plain = "".join(char for char in last if char.isprintable()).strip(". ")
    return plain[:MAX_FILE_NAME].strip(". ") or "products.csv"


class ImportStatus(StrEnum):
    """How far an import has got."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    """Every row was imported or reported."""
    FAILED = "failed"
    """It could not be read, or not be finished; what was imported before that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEvent(DomainEvent):
    """Something about one import."""

    import_id: ImportId


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequested(ImportEvent):
    """Somebody handed a file in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAdvanced(ImportEvent):
    """It is known of one more product what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPaused(ImportEvent):
    """Its turn is over; it goes on from there with the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFinished(ImportEvent):
    """There is nothing more to be done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """What became of so many rows and products of a file."""

    rows_done: int = 0
    rejected_rows: int = 0
    created: int = 0
    """Products, as in the next two."""
    updated: int = 0
    unchanged: int = 0
    variants: int = 0
    units_moved: int = 0
    """Sum over levels of by how much the shelf changed, up or down."""
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
    """One file, and how far it has got. What it says is kept beside it until it is finished."""

    id: ImportId
    file_name: str
    size_bytes: int
    currency: str
    """ISO 4217 code of its prices."""
    location: str
    """Where its stock lies."""
    with_stock: bool
    """Whether shelves are brought to what it says. Else they stay as they are."""
    dry_run: bool
    requested_at: datetime
    status: ImportStatus = ImportStatus.WAITING
    rows: int | None = None
    """Rows in the file, without its header; None until it has been read."""
    items_done: int = 0
    """Items of its feed that are counted in `counts`: the next run goes on after them."""
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
        """Have a file imported."""
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
        """Whether nothing more is to be done about it."""
        return self.status in {ImportStatus.DONE, ImportStatus.FAILED}

    def advance(self, counts: ImportCounts, *, rows: int, now: datetime) -> None:
        """Count what became of the next item of its feed."""
        assert not self.is_finished, "a finished import goes no further"
        self.status = ImportStatus.RUNNING
        self.rows = rows
        self.items_done += 1
        self.counts += counts
        self._record(ImportAdvanced(import_id=self.id, occurred_at=now))

    def pause(self, *, now: datetime) -> None:
        """Leave the rest to the next turn."""
        assert not self.is_finished, "a finished import has no rest"
        self._record(ImportPaused(import_id=self.id, occurred_at=now))

    def finish(self, *, rows: int, now: datetime) -> None:
        """All of it is done."""
        self.rows = rows
        self._end(ImportStatus.DONE, now)

    def fail(self, reason: str, *, now: datetime) -> None:
        """It cannot be read, or not be finished."""
        self.failure = reason
        self._end(ImportStatus.FAILED, now)

    def _end(self, status: ImportStatus, now: datetime) -> None:
        self.status = status
        self.finished_at = now
        self._record(ImportFinished(import_id=self.id, occurred_at=now))
