"""Use cases that import files in the background. Any worker can resume an import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from quickshop.application.imports.files import as_file
from quickshop.application.imports.products import ImportProducts
from quickshop.application.imports.storing import FileRun, ItemResult
from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import FileFormatError, NotFoundError, TransientError
from quickshop.domain.imports import MAX_FILE_ROWS, Import, ImportId
from quickshop.ports.clock import Clock
from quickshop.ports.imports import ImportReader
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_FAILED: Final = (
    "it failed on every try; what was imported before stays imported. "
    "Its dead letter has the reason"
)


class _OvertakenError(Exception):
    """Another worker resumed this import, because this one seemed to have stopped."""


@dataclass(frozen=True, slots=True)
class RunImport:
    """Resume an import, until it is finished or its turn is over.

    The result of an item is counted in the transaction that stores it. So each item is counted
    once, even after a crash, and the next run continues with the next item. A dry run of several
    turns does not know which SKUs earlier turns would have freed.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    imports: ImportReader
    load: ImportProducts
    turn: timedelta
    """How long one run lasts. It is shorter than a job's lease, so no other worker starts."""
    batch: int = 500
    """A turn with fewer items lasts at least half a turn after the file was read.

    Otherwise a slow worker could spend every turn on reading the file.
    """
    max_rows: int = MAX_FILE_ROWS

    def __call__(self, import_id: ImportId) -> None:
        """Run one turn. Safe to repeat and to run concurrently: one of the two runs stops.

        Raises:
            NotFoundError: no import has this id.
            TransientError: the database is unreachable, or another worker runs this import and
                could still fail; try again later.
        """
        began = self.clock.now()
        with self.unit_of_work() as tx:
            known = tx.imports.get(import_id)
        if known.is_finished:
            return
        try:
            self._resume(known, began)
        except _OvertakenError as error:
            # Both workers have the same job, which is done only when the import is.
            if not self.imports.get(import_id).finished_at:
                raise TransientError(f"another worker runs import {import_id}") from error

    def _resume(self, known: Import, began: datetime) -> None:
        done = known.items_done
        try:
            run = self._read(known)
            read = self.clock.now()
        except FileFormatError as error:
            reason = str(error)
            self._change(known.id, done, lambda it: it.fail(reason, now=self.clock.now()))
            return
        for item in islice(run.items, done, None):
            if self._is_over(began, read, done - known.items_done):
                self._change(known.id, done, lambda it: it.pause(now=self.clock.now()))
                return
            self.load.take(run, item, partial(self._count, known.id, done, run.rows))
            done += 1
        self._change(known.id, done, lambda it: it.finish(rows=run.rows, now=self.clock.now()))

    def _is_over(self, began: datetime, read: datetime, items: int) -> bool:
        """Return whether this turn is over after `items` items."""
        end = began + self.turn
        if items < self.batch:
            end = max(end, read + self.turn / 2)
        return items > 0 and self.clock.now() >= end

    def _read(self, known: Import) -> FileRun:
        with as_file(known.file_name, self.imports.content(known.id)) as path:
            return self.load.read(
                path,
                currency=known.currency,
                location=known.location,
                dry_run=known.dry_run,
                with_stock=known.with_stock,
                max_rows=self.max_rows,
            )

    def _count(
        self, import_id: ImportId, done: int, rows: int, tx: Transaction, result: ItemResult
    ) -> None:
        known = _current(tx, import_id, done)
        known.advance(result.counts, rows=rows, now=self.clock.now())
        tx.imports.save(known, result.issues)

    @retried
    def _change(self, import_id: ImportId, done: int, change: Callable[[Import], None]) -> None:
        with self.unit_of_work() as tx:
            known = _current(tx, import_id, done)
            change(known)
            tx.imports.save(known)
            if known.is_finished:
                tx.imports.delete_content(import_id)


def _current(tx: Transaction, import_id: ImportId, done: int) -> Import:
    """Return the import, if no other worker has resumed it."""
    known = tx.imports.get(import_id)
    if known.is_finished or known.items_done != done:
        raise _OvertakenError
    return known


@dataclass(frozen=True, slots=True)
class FailImport:
    """Mark an import as failed, and delete its file."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, import_id: ImportId) -> None:
        """Fail the import. Safe to repeat; a finished or deleted import does not change.

        Raises:
            TransientError: the database is unreachable; try again later.
        """
        with self.unit_of_work() as tx:
            try:
                known = tx.imports.get(import_id)
            except NotFoundError:
                return
            if known.is_finished:
                return
            known.fail(_FAILED, now=self.clock.now())
            tx.imports.save(known)
            tx.imports.delete_content(import_id)
