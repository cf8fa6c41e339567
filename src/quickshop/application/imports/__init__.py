"""Use cases that import products from files."""

from quickshop.application.imports.background import FailImport, RunImport
from quickshop.application.imports.products import ImportProducts, ImportReport
from quickshop.application.imports.reading import GetImport, ListImportIssues, ListImports
from quickshop.application.imports.starting import StartImport

__all__ = [
    "FailImport",
    "GetImport",
    "ImportProducts",
    "ImportReport",
    "ListImportIssues",
    "ListImports",
    "RunImport",
    "StartImport",
]
