"""The use case that imports a product file, one transaction per product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quickshop.application.imports.skus import SkuBook
from quickshop.application.imports.storing import (
    FileRun,
    ItemResult,
    Keep,
    RehearsedError,
    StoreDraft,
)
from quickshop.application.permissions import needs
from quickshop.domain.catalog_rules import require_variant_count
from quickshop.domain.errors import DomainError, InvalidValueError
from quickshop.domain.identity import Permission
from quickshop.domain.imports import ImportCounts
from quickshop.domain.inventory import MAX_LEDGER_REASON_LENGTH, require_location
from quickshop.ports.cache import ProductCache
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import (
    FeedItem,
    ProductDraft,
    ProductFeedReader,
    RowIssue,
    Severity,
)
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The result of an import. Every row counts as imported or as rejected."""

    rows: int
    imported_rows: int
    rejected_rows: int
    created: int
    updated: int
    unchanged: int
    variants: int
    units_moved: int
    """Units added to or removed from stock levels, summed as absolute values."""
    issues: Sequence[RowIssue]
    dry_run: bool


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class ImportProducts:
    """Import a product file: create new products, and update known ones."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    open_feed: ProductFeedReader
    sanitize: HtmlSanitizer
    cache: ProductCache
    default_location: str

    def __call__(
        self,
        path: Path,
        *,
        currency: str,
        location: str | None = None,
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportReport:
        """Import or reject every row, in one transaction per product.

        Products are matched by handle, variants by options and then by SKU. Products and variants
        that the file does not list stay unchanged. If a product frees a SKU, later products in
        the file can take it; earlier ones can take it in the next import. `progress` is called
        after each product with the rows done and the total.

        Raises:
            FileFormatError: the file has another format; nothing was changed.
            InvalidValueError: the currency or the location name is invalid.
        """
        run = self.read(path, currency=currency, location=location, dry_run=dry_run)
        counts = ImportCounts()
        issues: list[RowIssue] = []
        for item in run.items:
            result = self.take(run, item)
            counts += result.counts
            issues.extend(result.issues)
            if progress is not None:
                progress(counts.rows_done, run.rows)
        return _report(run, counts, issues)

    def read(
        self,
        path: Path,
        *,
        currency: str,
        location: str | None = None,
        dry_run: bool = False,
        with_stock: bool = True,
        max_rows: int | None = None,
    ) -> FileRun:
        """Read the file. Pass its items to `take` one by one.

        Raises:
            FileFormatError: the file has another format, or more than `max_rows` rows.
            InvalidValueError: the currency or the location name is invalid.
        """
        place = location if location is not None else self.default_location
        require_location(place)
        feed = self.open_feed(path, currency=currency, max_rows=max_rows)
        items = list(feed)
        return FileRun(
            items=items,
            rows=feed.rows,
            column_of=feed.column_of,
            skus=SkuBook.of(item.draft for item in items if item.draft),
            location=place,
            reason=_reason(path),
            dry_run=dry_run,
            with_stock=with_stock,
        )

    def take(self, run: FileRun, item: FeedItem, keep: Keep | None = None) -> ItemResult:
        """Import one item. `keep` is called once, in the transaction that stores the product.

        If nothing is stored, it is called in a separate transaction.
        """
        if item.draft is None:
            return self._kept(_nothing(item, item.issues), keep)
        html = self.sanitize(item.draft.content.description_html)
        store = StoreDraft(self.unit_of_work, self.clock, self.identifiers)
        try:
            require_variant_count(len(item.draft.variants))
            outcome = store(run, item, item.draft, html, keep)
        except RehearsedError as rehearsed:
            run.skus.settle(rehearsed.outcome.product)
            return self._kept(rehearsed.outcome.result, keep)
        except DomainError as error:
            issues = (*item.issues, *_rejections(run, item.draft, error))
            return self._kept(_nothing(item, issues), keep)
        run.skus.settle(outcome.product)
        if outcome.fate != "unchanged":
            self.cache.forget(str(outcome.product.id), outcome.product.handle)
        return outcome.result

    def _kept(self, result: ItemResult, keep: Keep | None) -> ItemResult:
        if keep is not None:
            with self.unit_of_work() as tx:
                keep(tx, result)
        return result


def _reason(path: Path) -> str:
    """Return the ledger reason for units imported from this file."""
    return f"import {''.join(filter(str.isprintable, path.name))}"[:MAX_LEDGER_REASON_LENGTH]


def _nothing(item: FeedItem, issues: Sequence[RowIssue]) -> ItemResult:
    """Return the result of an item that was not stored."""
    counts = ImportCounts(rows_done=item.rows, rejected_rows=item.rows, issues=len(issues))
    return ItemResult(counts, issues)


def _report(run: FileRun, counts: ImportCounts, issues: Sequence[RowIssue]) -> ImportReport:
    return ImportReport(
        rows=run.rows,
        imported_rows=counts.rows_done - counts.rejected_rows,
        rejected_rows=run.rows - counts.rows_done + counts.rejected_rows,
        created=counts.created,
        updated=counts.updated,
        unchanged=counts.unchanged,
        variants=counts.variants,
        units_moved=counts.units_moved,
        issues=tuple(sorted(issues, key=lambda issue: issue.line)),
        dry_run=run.dry_run,
    )


def _rejections(run: FileRun, draft: ProductDraft, error: DomainError) -> list[RowIssue]:
    field = error.field.partition(".")[0] if isinstance(error, InvalidValueError) else "handle"
    reasons = {draft.line: f"{error}; none of the product's {draft.rows} rows was imported"}
    for variant in draft.variants:
        reason = f"belongs to the product in line {draft.line}, which was not imported"
        reasons.setdefault(variant.line, reason)
    return [
        RowIssue(
            line=line,
            column=run.column_of(field if line == draft.line else "handle"),
            reason=reason,
            severity=Severity.ERROR,
        )
        for line, reason in reasons.items()
    ]
