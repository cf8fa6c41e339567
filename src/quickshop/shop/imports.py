"""The use cases of files to import, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import imports
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ImportReader, ProductFeedReader
from quickshop.ports.unit_of_work import UnitOfWork
from quickshop.shop.policy import Policy


@dataclass(frozen=True, slots=True)
class Imports:
    """Product files that a worker imports."""

    start: imports.StartImport
    get: imports.GetImport
    list: imports.ListImports
    issues: imports.ListImportIssues


def build_imports(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    feed: ProductFeedReader,
    reader: ImportReader,
) -> Imports:
    """Connect them to the ports."""
    return Imports(
        start=imports.StartImport(
            unit_of_work, clock, identifiers, feed, policy.currency, policy.location
        ),
        get=imports.GetImport(reader),
        list=imports.ListImports(reader),
        issues=imports.ListImportIssues(reader),
    )
