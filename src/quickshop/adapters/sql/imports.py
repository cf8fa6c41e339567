"""Imports in tables. The file is stored in parts, so that any worker can read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, Row, bindparam, delete, func, insert, select, update
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.paging import page_of
from quickshop.adapters.sql.tables import import_chunks, import_issues, imports
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.domain.imports import (
    MAX_KEPT_ISSUES,
    Import,
    ImportCounts,
    ImportId,
    ImportStatus,
)
from quickshop.ports.imports import ImportReader, ImportRepository, ImportView, RowIssue, Severity
from quickshop.ports.paging import DEFAULT_LIMIT, Cursor, Page, require_limit

_GET: Final = select(imports).where(imports.c.id == bindparam("import"))
_GET_LOCKED: Final = _GET.with_for_update()
_INSERT_ISSUES: Final = insert(import_issues)
_CHUNK: Final = select(import_chunks.c.content).where(
    import_chunks.c.import_id == bindparam("import"),
    import_chunks.c.position == bindparam("part"),
)
_UNFINISHED: Final = (
    select(func.count()).select_from(imports).where(imports.c.finished_at.is_(None))
)
_FINISHED: Final = imports.c.finished_at < bindparam("before")
_OLD: Final = select(imports.c.id).where(_FINISHED)
_FORGET_PARTS: Final = tuple(
    delete(of).where(of.c.import_id.in_(_OLD)) for of in (import_chunks, import_issues)
)
_FORGET: Final = delete(imports).where(_FINISHED)
_CHANGING: Final = ("status", "rows", "items_done", "counts", "failure", "finished_at")
_LASTING: Final = (
    "id",
    "file_name",
    "size_bytes",
    "currency",
    "location",
    "with_stock",
    "dry_run",
    "requested_at",
)
_UPDATE: Final = (
    update(imports)
    .where(imports.c.id == bindparam("import"))
    .values(
        {name: bindparam(f"new_{name}", type_=imports.c[name].type) for name in _CHANGING}
        | {"version": imports.c.version + 1}
    )
)


class SqlImports(ImportRepository):
    """Imports, locked from reading to the end of the transaction."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._tracker = tracker
        self._log = log

    @override
    def add(self, new: Import, content: Iterable[bytes]) -> None:
        facts = _facts(new)
        row = (
            facts | {name: getattr(new, name) for name in _LASTING} | {"version": new.version + 1}
        )
        self._connection.execute(insert(imports), row)
        for position, part in enumerate(content):
            chunk = {"import_id": new.id, "position": position, "content": part}
            self._connection.execute(insert(import_chunks), chunk)
        self._finish(new)

    @override
    def get(self, import_id: ImportId) -> Import:
        row = self._connection.execute(_GET_LOCKED, {"import": import_id}).one_or_none()
        if row is None:
            raise NotFoundError("import")
        known = _import_of(row)
        self._tracker.watch(known)
        return known

    @override
    def save(
        self, known: Import, issues: Sequence[RowIssue] = (), *, keep: int = MAX_KEPT_ISSUES
    ) -> None:
        """Save an import without waiting: its row is already locked."""
        first = known.counts.issues - len(issues)
        rows = [
            {
                "import_id": known.id,
                "position": position,
                "line": issue.line,
                "column_name": issue.column,
                "reason": issue.reason,
                "severity": issue.severity,
            }
            for position, issue in enumerate(issues, start=first)
            if position < keep
        ]
        if rows:
            self._connection.later(_INSERT_ISSUES, rows)
        changes = {f"new_{name}": fact for name, fact in _facts(known).items()}
        self._connection.later(_UPDATE, {"import": known.id, **changes})
        self._finish(known)

    @override
    def delete_content(self, import_id: ImportId) -> None:
        this = delete(import_chunks).where(import_chunks.c.import_id == import_id)
        self._connection.execute(this)

    @override
    def unfinished(self) -> int:
        return int(self._connection.execute(_UNFINISHED).scalar_one())

    @override
    def purge_finished(self, before: datetime) -> int:
        """Delete finished imports, their dependent rows first."""
        for statement in _FORGET_PARTS:
            self._connection.execute(statement, {"before": before})
        return self._connection.execute(_FORGET, {"before": before}).rowcount

    def _finish(self, known: Import) -> None:
        self._log.write(known)
        known.version += 1


class SqlImportReader(ImportReader):
    """Reads on connections without a transaction."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    def _rows(self, statement: Any, values: dict[str, Any]) -> Sequence[Row[Any]]:
        with translated(), self._engine.connect() as connection:
            return connection.execute(statement, values).all()

    @override
    def get(self, import_id: ImportId) -> ImportView:
        rows = self._rows(_GET, {"import": import_id})
        if not rows:
            raise NotFoundError("import")
        return ImportView.of(_import_of(rows[0]))

    @override
    def list(self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ImportView]:
        require_limit(limit)
        statement = select(imports).order_by(imports.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            last = Cursor.decode(cursor, sort="newest")
            statement = statement.where(imports.c.id < last.id)
        views = [ImportView.of(_import_of(row)) for row in self._rows(statement, {})]
        return page_of(views, limit)

    @override
    def issues(
        self, import_id: ImportId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RowIssue]:
        require_limit(limit)
        after = -1 if cursor is None else _position(cursor)
        statement = (
            select(import_issues)
            .where(import_issues.c.import_id == import_id, import_issues.c.position > after)
            .order_by(import_issues.c.position)
            .limit(limit + 1)
        )
        rows = self._rows(statement, {})
        issues = [
            RowIssue(
                line=row.line,
                column=row.column_name,
                reason=row.reason,
                severity=Severity(row.severity),
            )
            for row in rows[:limit]
        ]
        if len(rows) <= limit:
            return Page(issues)
        return Page(issues, Cursor("found", rows[limit - 1].position, import_id).encode())

    @override
    def content(self, import_id: ImportId) -> Iterator[bytes]:
        position = 0
        while rows := self._rows(_CHUNK, {"import": import_id, "part": position}):
            yield bytes(rows[0].content)
            position += 1


def _position(cursor: str) -> int:
    key = Cursor.decode(cursor, sort="found").key
    if not isinstance(key, int) or not 0 <= key < MAX_KEPT_ISSUES:
        raise InvalidValueError("cursor", "must be the next_cursor of the previous page")
    return key


def _facts(known: Import) -> dict[str, Any]:
    """Return the values of the columns that change during an import."""
    facts = {name: getattr(known, name) for name in _CHANGING}
    return facts | {"counts": asdict(known.counts)}


def _import_of(row: Row[Any]) -> Import:
    return Import(
        id=ImportId(row.id),
        file_name=row.file_name,
        size_bytes=row.size_bytes,
        currency=row.currency,
        location=row.location,
        with_stock=row.with_stock,
        dry_run=row.dry_run,
        requested_at=row.requested_at,
        status=ImportStatus(row.status),
        rows=row.rows,
        items_done=row.items_done,
        counts=ImportCounts(**row.counts),
        failure=row.failure,
        finished_at=row.finished_at,
        version=row.version,
    )
