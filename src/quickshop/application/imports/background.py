"""Importing files in the background: any worker may take over where another one stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from quickshop.application.access import digest
from quickshop.application.idempotency import Once
from quickshop.application.imports.products import ImportProducts
from quickshop.application.imports.storing import FileRun, ItemResult
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
from quickshop.domain.customers import require_text
from quickshop.domain.errors import FileFormatError, InvalidValueError
from quickshop.domain.identity import Permission
from quickshop.domain.imports import MAX_FILE_BYTES, Import, ImportId, display_name
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ImportReader, ImportView, ProductFeedReader, RowIssue
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

logger: Final = logging.getLogger("quickshop.imports")

_PART_BYTES: Final = 1024 * 1024
_HEADER_BYTES: Final = 64 * 1024
"""A header is looked for in so much of a file."""


@dataclass(frozen=True, slots=True)
class StartedImport:
    """The answer to staff who handed a file in."""

    imported: ImportView
    replayed: bool = False
    """Whether this is the stored answer to an earlier request with the same key."""


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class StartImport:
    """Take a product file in; a worker then imports it."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    open_feed: ProductFeedReader
    currency: str
    default_location: str

    def __call__(
        self,
        content: BinaryIO,
        *,
        file_name: str = "products.csv",
        location: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> StartedImport:
        """Only its header is looked at here. Prices are in the currency of the shop.

        `content` is read twice, from its beginning. With an `idempotency_key` a repeated call of
        the same `by` gives the first one's answer.

        Raises:
            FileFormatError: it does not begin like a file of this format.
            InvalidValueError: it is too large, or the location's name is none.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        place = self.default_location if location is None else location
        require_text("location", place, max_length=100)
        name = display_name(file_name)
        hashed, size = sha256(), 0
        for part in _parts(content):
            hashed.update(part)
            size += len(part)
        if size > MAX_FILE_BYTES:
            raise InvalidValueError("file", f"must be at most {MAX_FILE_BYTES // 2**20} MiB")
        self._require_header(content, name)
        asked = digest(repr((hashed.hexdigest(), name, place, dry_run)))
        once = Once(f"{by}:start_import", idempotency_key, asked)
        return self._store(content, name, size, place, dry_run, once)

    def _require_header(self, content: BinaryIO, name: str) -> None:
        content.seek(0)
        with _as_file(name, iter([_header_of(content.read(_HEADER_BYTES))])) as path:
            self.open_feed(path, currency=self.currency)

    @retried
    def _store(
        self,
        content: BinaryIO,
        file_name: str,
        size_bytes: int,
        location: str,
        dry_run: bool,
        once: Once,
    ) -> StartedImport:
        now = self.clock.now()
        new = Import.request(
            id=ImportId(self.identifiers.new()),
            file_name=file_name,
            size_bytes=size_bytes,
            currency=self.currency,
            location=location,
            dry_run=dry_run,
            now=now,
        )
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, ImportView, now):
                return StartedImport(earlier, replayed=True)
            tx.imports.add(new, _parts(content))
            view = ImportView.of(new)
            once.keep(tx, view)
        return StartedImport(view)


def _parts(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    while part := content.read(_PART_BYTES):
        yield part


def _header_of(beginning: bytes) -> bytes:
    """The first line; a line break in quotes does not end it."""
    end = beginning.find(b"\n") + 1
    while end and beginning.count(b'"', 0, end) % 2:
        end = beginning.find(b"\n", end) + 1
    return beginning[:end] if end else beginning


@contextmanager
def _as_file(name: str, content: Iterator[bytes]) -> Iterator[Path]:
    """The content in a file of this name, for as long as the block lasts."""
    with TemporaryDirectory(prefix="quickshop-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            file.writelines(content)
        yield path


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

    def __call__(self, import_id: ImportId) -> None:
        """Safe to repeat, and to run twice at once: one of the two gives way.

        Raises:
            NotFoundError: no such import.
            TransientError: the database cannot be reached; repeat it.
        """
        until = self.clock.now() + self.turn
        with self.unit_of_work() as tx:
            known = tx.imports.get(import_id)
        if known.is_finished:
            return
        try:
            self._go_on(known, until)
        except _OvertakenError:
            logger.info("import %s: somebody else is at it", import_id)

    def _go_on(self, known: Import, until: datetime) -> None:
        done = known.items_done
        try:
            run = self._open(known)
        except FileFormatError as error:
            reason = str(error)
            self._change(known.id, done, lambda it: it.fail(reason, now=self.clock.now()))
            return
        for item in islice(run.items, done, None):
            if done > known.items_done and self.clock.now() >= until:
                self._change(known.id, done, lambda it: it.pause(now=self.clock.now()))
                return
            self.load.take(run, item, partial(self._count, known.id, done, run.rows))
            done += 1
        self._change(known.id, done, lambda it: it.finish(rows=run.rows, now=self.clock.now()))

    def _open(self, known: Import) -> FileRun:
        with _as_file(known.file_name, self.imports.content(known.id)) as path:
            return self.load.open(
                path, currency=known.currency, location=known.location, dry_run=known.dry_run
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
                tx.imports.forget_content(import_id)


def _mine(tx: Transaction, import_id: ImportId, done: int) -> Import:
    """The import, if it is where this run believes it to be."""
    known = tx.imports.get(import_id)
    if known.is_finished or known.items_done != done:
        raise _OvertakenError
    return known


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class GetImport:
    """Show how far an import has got."""

    imports: ImportReader

    def __call__(self, import_id: ImportId) -> ImportView:
        """Read only.

        Raises:
            NotFoundError: no such import.
        """
        return self.imports.get(import_id)


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class ListImports:
    """List the imports, newest first."""

    imports: ImportReader

    def __call__(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ImportView]:
        """One page.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.imports.list(limit=limit, cursor=cursor)


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class ListImportIssues:
    """List what is to be said about the rows of a file, as it was found."""

    imports: ImportReader

    def __call__(
        self, import_id: ImportId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RowIssue]:
        """One page; the first 10,000 are kept.

        Raises:
            NotFoundError: no such import.
            InvalidValueError: limit or cursor is not what it should be.
        """
        self.imports.get(import_id)
        return self.imports.issues(import_id, limit=limit, cursor=cursor)
