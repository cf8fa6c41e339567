"""How far the imports have got."""

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
            InvalidValueError: `limit` or `cursor` is not valid.
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
            InvalidValueError: `limit` or `cursor` is not valid.
        """
        self.imports.get(import_id)
        return self.imports.issues(import_id, limit=limit, cursor=cursor)
