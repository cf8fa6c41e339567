"""The use case that accepts a product file for a worker to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import BinaryIO, Final

from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.imports.files import LineCount, as_file, header_of, parts_of
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import digest
from quickshop.domain.errors import InvalidValueError, TooManyImportsError
from quickshop.domain.identity import Permission
from quickshop.domain.imports import (
    MAX_FILE_BYTES,
    MAX_FILE_ROWS,
    MAX_UNFINISHED,
    Import,
    ImportId,
    display_name,
)
from quickshop.domain.inventory import require_location
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import Caller
from quickshop.ports.imports import ImportView, ProductFeedReader
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_HEADER_BYTES: Final = 64 * 1024
"""The bytes of a file in which the header must end."""


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class StartImport:
    """Accept a product file. A worker imports it."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    open_feed: ProductFeedReader
    currency: str
    default_location: str
    max_rows: int = MAX_FILE_ROWS
    max_unfinished: int = MAX_UNFINISHED

    def __call__(
        self,
        content: BinaryIO,
        *,
        file_name: str = "products.csv",
        location: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        by: Caller | None = None,
    ) -> Answer[ImportView]:
        """Check the file's header, and store it. Prices are in the currency of the shop.

        `content` is read twice from the beginning. A repeated call with the same
        `idempotency_key` and `by` returns the first call's answer. If `by` has no permission to
        write inventory, stock and location are ignored; without `by` they are imported.
        Concurrent calls may exceed `max_unfinished` by a few.

        Raises:
            FileFormatError: the header is not of a supported format.
            InvalidValueError: the file is too large, has too many rows, or the location name is
                invalid.
            TooManyImportsError: `max_unfinished` imports are not finished yet.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        place = self.default_location if location is None else location
        require_location(place)
        name = display_name(file_name)
        hashed, size = self._measured(content)
        self._require_header(content, name)
        request = partial(
            Import.request,
            id=ImportId(self.identifiers.new()),
            file_name=name,
            size_bytes=size,
            currency=self.currency,
            location=place,
            with_stock=by is None or Permission.INVENTORY_WRITE in by.permissions,
            dry_run=dry_run,
        )
        asked = digest(repr((hashed, name, place, dry_run)))
        scope = "staff" if by is None else by.scope
        return self._store(request, content, Once(f"{scope}:start_import", idempotency_key, asked))

    def _measured(self, content: BinaryIO) -> tuple[str, int]:
        """Return digest and size, and refuse large files. The worker counts the rows exactly."""
        hashed, size, count = sha256(), 0, LineCount()
        for part in parts_of(content):
            hashed.update(part)
            size += len(part)
            count.add(part)
            if size > MAX_FILE_BYTES:
                raise InvalidValueError("file", f"must be at most {MAX_FILE_BYTES // 2**20} MiB")
        if count.lines > 1 + self.max_rows:
            raise InvalidValueError("file", f"must have at most {self.max_rows:,} rows")
        return hashed.hexdigest(), size

    def _require_header(self, content: BinaryIO, name: str) -> None:
        content.seek(0)
        with as_file(name, iter([header_of(content.read(_HEADER_BYTES))])) as path:
            self.open_feed(path, currency=self.currency)

    @retried
    def _store(
        self, request: Callable[..., Import], content: BinaryIO, once: Once
    ) -> Answer[ImportView]:
        now = self.clock.now()
        new = request(now=now)

        def add(tx: Transaction, keep: Keep[ImportView]) -> None:
            if tx.imports.unfinished() >= self.max_unfinished:
                raise TooManyImportsError(self.max_unfinished)
            tx.imports.add(new, parts_of(content))
            keep(ImportView.of(new))

        return once.run(self.unit_of_work, ImportView, now, add)
