"""Imports in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from typing_extensions import override

from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryStore
from quickshop.domain.errors import AlreadyExistsError, NotFoundError
from quickshop.domain.imports import MAX_KEPT_ISSUES, Import, ImportId
from quickshop.ports.imports import ImportReader, ImportRepository, ImportView, RowIssue
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class MemoryImports(ImportRepository):
    """The imports, with their files and the issues of their rows."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def add(self, new: Import, content: Iterable[bytes]) -> None:
        if new.id in self._state.imports:
            raise AlreadyExistsError("import", "id")
        self._state.import_content[new.id] = tuple(content)
        self._session.keep(self._state.imports, new.id, new)

    @override
    def get(self, import_id: ImportId) -> Import:
        known = self._state.imports.get(import_id)
        if known is None:
            raise NotFoundError("import")
        return self._session.hand_out(known)

    @override
    def save(
        self, known: Import, issues: Sequence[RowIssue] = (), *, keep: int = MAX_KEPT_ISSUES
    ) -> None:
        self._session.require_version(self._state.imports, known.id, known, "import")
        before = self._state.import_issues.get(known.id, ())
        self._state.import_issues[known.id] = (*before, *issues)[:keep]
        self._session.keep(self._state.imports, known.id, known)

    @override
    def delete_content(self, import_id: ImportId) -> None:
        self._state.import_content.pop(import_id, None)

    @override
    def unfinished(self) -> int:
        return sum(not known.is_finished for known in self._state.imports.values())

    @override
    def purge_finished(self, before: datetime) -> int:
        old = [
            known.id
            for known in self._state.imports.values()
            if known.finished_at is not None and known.finished_at < before
        ]
        for import_id in old:
            del self._state.imports[import_id]
            self._state.import_issues.pop(import_id, None)
            self._state.import_content.pop(import_id, None)
        return len(old)


class MemoryImportReader(ImportReader):
    """Imports as queries read them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def get(self, import_id: ImportId) -> ImportView:
        known = self._store.state.imports.get(import_id)
        if known is None:
            raise NotFoundError("import")
        return ImportView.of(known)

    @override
    def list(self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ImportView]:
        rows = (Row(0, known.id, known) for known in self._store.state.imports.values())
        page = page_of(rows, sort="newest", limit=limit, cursor=cursor, descending=True)
        return Page([ImportView.of(known) for known in page.items], page.next_cursor)

    @override
    def issues(
        self, import_id: ImportId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RowIssue]:
        issues = enumerate(self._store.state.import_issues.get(import_id, ()))
        rows = (Row(position, import_id, issue) for position, issue in issues)
        return page_of(rows, sort="found", limit=limit, cursor=cursor, descending=False)

    @override
    def content(self, import_id: ImportId) -> Iterator[bytes]:
        yield from self._store.state.import_content.get(import_id, ())
