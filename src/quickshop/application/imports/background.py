"""Importing files in the background: any worker may take over where another one stopped."""

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
from quickshop.application.retries import retried
from quickshop.domain.errors import FileFormatError, NotFoundError, TransientError
from quickshop.domain.imports import MAX_FILE_ROWS, Import, ImportId
from quickshop.ports.clock import Clock
from quickshop.ports.imports import ImportReader
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_GIVEN_UP: Final = (
    "it failed on every try, and was given up; what was imported before that stays. "
    "The job that was given up says why"
)


class _OvertakenError(Exception):
    """Somebody else went on with this import: it was believed that nobody does any more."""


@dataclass(frozen=True, slots=True)
class RunImport:
    """Go on with an import, until it is done or its turn is over.

    What became of an item is counted in the transaction that stores it. So it is counted once,
    whoever dies at which moment, and the next run goes on with the next item. A rehearsal that
    takes several turns does not know which SKUs were given up in an earlier one.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    imports: ImportReader
    load: ImportProducts
    turn: timedelta
    """Shorter than the lease of a job: nobody else is to take it for dead meanwhile."""
    batch: int = 500
    """So many items are done in every turn, or as many as can be in half of one.

    Reading the file is part of each turn: a slow worker would do nothing else.
    """
    max_rows: int = MAX_FILE_ROWS

    def __call__(self, import_id: ImportId) -> None:
        """Safe to repeat, and to run twice at once: one of the two gives way.

        Raises:
            NotFoundError: no such import.
            TransientError: the database cannot be reached, or somebody else is at it and may
                die yet; repeat it.
        """
        began = self.clock.now()
        with self.unit_of_work() as tx:
            known = tx.imports.get(import_id)
        if known.is_finished:
            return
        try:
            self._go_on(known, began)
        except _OvertakenError as error:
            # Its job is not done, unless the import is: the other one has no job of its own.
            if not self.imports.get(import_id).finished_at:
                raise TransientError(f"somebody else is at import {import_id}") from error

    def _go_on(self, known: Import, began: datetime) -> None:
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
        """Whether this turn has been long enough, with so many items done in it."""
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
        known = _mine(tx, import_id, done)
        known.advance(result.counts, rows=rows, now=self.clock.now())
        tx.imports.save(known, result.issues)

    @retried
    def _change(self, import_id: ImportId, done: int, change: Callable[[Import], None]) -> None:
        with self.unit_of_work() as tx:
            known = _mine(tx, import_id, done)
            change(known)
            tx.imports.save(known)
            if known.is_finished:
                tx.imports.delete_content(import_id)


def _mine(tx: Transaction, import_id: ImportId, done: int) -> Import:
    """The import, if it is where this run believes it to be."""
    known = tx.imports.get(import_id)
    if known.is_finished or known.items_done != done:
        raise _OvertakenError
    return known


@dataclass(frozen=True, slots=True)
class FailImport:
    """End an import that could not be finished, and keep its file no longer."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, import_id: ImportId) -> None:
        """Safe to repeat; one that is finished, or forgotten, stays as it is.

        Raises:
            TransientError: the database cannot be reached; repeat it.
        """
        with self.unit_of_work() as tx:
            try:
                known = tx.imports.get(import_id)
            except NotFoundError:
                return
            if known.is_finished:
                return
            known.fail(_GIVEN_UP, now=self.clock.now())
            tx.imports.save(known)
            tx.imports.delete_content(import_id)
