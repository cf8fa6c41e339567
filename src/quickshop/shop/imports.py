"""The use cases of product imports, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import imports
from quickshop.ports.imports import ImportReader, ProductFeedReader
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core


@dataclass(frozen=True, slots=True)
class Imports:
    """Imports of product files by a worker."""

    start: imports.StartImport
    get: imports.GetImport
    list: imports.ListImports
    issues: imports.ListImportIssues


def build_imports(
    policy: Policy,
    core: Core,
    feed: ProductFeedReader,
    reader: ImportReader,
) -> Imports:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    return Imports(
        start=imports.StartImport(
            unit_of_work, clock, identifiers, feed, policy.currency, policy.location
        ),
        get=imports.GetImport(reader),
        list=imports.ListImports(reader),
        issues=imports.ListImportIssues(reader),
    )
