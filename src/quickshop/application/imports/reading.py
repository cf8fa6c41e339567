"""Use cases for staff to follow imports."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application.permissions import needs
from quickshop.domain.identity import Permission
from quickshop.domain.imports import ImportId
from quickshop.ports.imports import ImportReader, ImportView, RowIssue
from quickshop.ports.paging import DEFAULT_LIMIT, Page


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class GetImport:
    """Return an import and its progress."""

    imports: ImportReader

    def __call__(self, import_id: ImportId) -> ImportView:
        """Return the import.

        Raises:
            NotFoundError: no import has this id.
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
        """Return a page of imports.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.imports.list(limit=limit, cursor=cursor)


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class ListImportIssues:
    """List the issues of an import, in the order they were found."""

    imports: ImportReader

    def __call__(
        self, import_id: ImportId, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RowIssue]:
        """Return a page of issues. The first `MAX_KEPT_ISSUES` are stored.

        Raises:
            NotFoundError: no import has this id.
            InvalidValueError: limit or cursor is invalid.
        """
        self.imports.get(import_id)
        return self.imports.issues(import_id, limit=limit, cursor=cursor)
