"""Bringing products in from files."""

from quickshop.application.imports.background import (
    GetImport,
    ListImportIssues,
    ListImports,
    RunImport,
    StartedImport,
    StartImport,
)
from quickshop.application.imports.products import ImportProducts, ImportReport

__all__ = [
    "GetImport",
    "ImportProducts",
    "ImportReport",
    "ListImportIssues",
    "ListImports",
    "RunImport",
    "StartImport",
    "StartedImport",
]
