"""Bringing products in from files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from quickshop.application.imports.categories import open_category
from quickshop.application.imports.skus import SkuBook
from quickshop.application.imports.stock import StockChange, stock_shelves
from quickshop.application.imports.variants import Pairing, pair_variants
from quickshop.application.inventory import open_location
from quickshop.application.retries import retried
from quickshop.domain.catalog import (
    CategoryId,
    Product,
    ProductId,
    Variant,
    VariantId,
)
from quickshop.domain.customers import require_text
from quickshop.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    DomainError,
    InvalidValueError,
)
from quickshop.ports.cache import ProductCache
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import (
    ProductDraft,
    ProductFeedReader,
    RowIssue,
    Severity,
)
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_MAX_REASON: Final = 150
_ELEMENT: Final = re.compile(r"<([a-z][a-z0-9]{0,15})", re.IGNORECASE)
_COLUMNS: Final = {
    "title": "Title",
    "tags": "Tags",
    "options": "Option1 Name",
    "variants": "Option1 Value",
    "sku": "Variant SKU",
    "price": "Variant Price",
    "compare_at_price": "Variant Compare At Price",
    "weight_grams": "Variant Grams",
    "quantity": "Variant Inventory Qty",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file. Every row is in `imported_rows` or in `rejected_rows`."""

    rows: int
    imported_rows: int
    rejected_rows: int
    created: int
    updated: int
    unchanged: int
    variants: int
    units_moved: int
    """Sum over levels of by how much the shelf changed, up or down."""
    issues: Sequence[RowIssue]
    dry_run: bool


@dataclass(slots=True, kw_only=True)
class _Run:
    """One file on its way in."""

    skus: SkuBook
    location: str
    reason: str
    dry_run: bool
    issues: list[RowIssue] = field(default_factory=list)
    outcomes: list[_Outcome] = field(default_factory=list)

    def report(self, rows: int) -> ImportReport:
        imported = sum(outcome.draft.rows for outcome in self.outcomes)
        fates = [outcome.fate for outcome in self.outcomes]
        return ImportReport(
            rows=rows,
            imported_rows=imported,
            rejected_rows=rows - imported,
            created=fates.count("created"),
            updated=fates.count("updated"),
            unchanged=fates.count("unchanged"),
            variants=sum(len(outcome.draft.variants) for outcome in self.outcomes),
            units_moved=sum(outcome.stock.units for outcome in self.outcomes),
            issues=tuple(sorted(self.issues, key=lambda issue: issue.line)),
            dry_run=self.dry_run,
        )


@dataclass(slots=True)
class _Notes:
    """What is to be said about one product, in one try."""

    issues: list[RowIssue] = field(default_factory=list)

    def __call__(self, line: int, column: str, reason: str) -> None:
        self.issues.append(
            RowIssue(line=line, column=column, reason=reason, severity=Severity.NOTE)
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    draft: ProductDraft
    product: Product
    fate: str
    stock: StockChange
    issues: Sequence[RowIssue]


class _RehearsedError(Exception):
    """Ends the transaction of a dry run: all went well, and nothing is to stay."""

    def __init__(self, outcome: _Outcome) -> None:
        super().__init__("nothing stays of a dry run")
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class ImportProducts:
    """Import a product file: new products are created, known ones updated."""

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
        """Every row is imported or reported; one product is one transaction.

        Products are known by their handle, variants by their options or else by their SKU. What
        the file no longer names stays. A SKU that another product gives up is free to products
        that come after it in the file; to those before it, the next time. `progress` is told
        after each product how many rows of how many are done.

        Raises:
            FileFormatError: the file is not of this format; nothing was changed.
            InvalidValueError: no such currency, or the location's name is none.
        """
        place = location if location is not None else self.default_location
        require_text("location", place, max_length=100)
        feed = self.open_feed(path, currency=currency)
        items = list(feed)
        run = _Run(
            skus=SkuBook.of(item.draft for item in items if item.draft),
            location=place,
            reason=f"import {''.join(filter(str.isprintable, path.name))}"[:_MAX_REASON],
            dry_run=dry_run,
        )
        done = 0
        for item in items:
            run.issues.extend(item.issues)
            if item.draft is not None:
                self._import(run, item.draft)
            done += item.rows
            if progress is not None:
                progress(done, feed.rows)
        return run.report(feed.rows)

    def _import(self, run: _Run, draft: ProductDraft) -> None:
        html = self.sanitize(draft.description_html)
        try:
            outcome = self._store(run, draft, html)
        except _RehearsedError as rehearsed:
            outcome = rehearsed.outcome
        except DomainError as error:
            run.issues.extend(_rejections(draft, error))
            return
        run.outcomes.append(outcome)
        run.issues.extend(outcome.issues)
        run.skus.settle(outcome.product)
        if outcome.fate != "unchanged" and not run.dry_run:
            self.cache.forget(str(outcome.product.id), outcome.product.handle)

    @retried
    def _store(self, run: _Run, draft: ProductDraft, html: str) -> _Outcome:
        note = _Notes()
        _note_markup(draft, html, note)
        with self.unit_of_work() as tx:
            known = tx.products.find_by_handle(draft.handle)
            pairing = pair_variants(draft, known)
            _note_missing(draft, pairing, note)
            product_id = known.id if known else ProductId(self.identifiers.new())
            skus = run.skus.choose(tx, draft, pairing, product_id, note)
            if run.dry_run:
                self._free_skus(tx, skus, product_id)
            variants = self._variants(pairing, skus)
            content = _content(
                draft,
                id=product_id,
                html=html,
                category_id=open_category(tx, draft.category_path, self.identifiers),
                variants=(*variants, *pairing.kept),
            )
            product, fate = self._keep(tx, known, content)
            stock = stock_shelves(
                tx,
                open_location(tx, run.location, self.identifiers),
                list(zip(draft.variants, variants, strict=True)),
                reason=run.reason,
                now=self.clock.now(),
                note=note,
            )
            if fate == "unchanged" and (stock.units or stock.levels):
                fate = "updated"
            outcome = _Outcome(draft, product, fate, stock, note.issues)
            if run.dry_run:
                raise _RehearsedError(outcome)
        return outcome

    def _free_skus(self, tx: Transaction, skus: Sequence[str], product_id: ProductId) -> None:
        """Have others give up these SKUs here too, as they did in transactions that are gone."""
        owners = tx.products.owners(skus)
        for owner in set(owners.values()) - {product_id}:
            other = tx.products.get(owner)
            variants = tuple(
                replace(variant, sku=str(self.identifiers.new()))
                if owners.get(variant.sku) == owner
                else variant
                for variant in other.variants
            )
            other.revise(replace(other, variants=variants), now=self.clock.now())
            tx.products.save(other)

    def _keep(
        self, tx: Transaction, known: Product | None, content: Product
    ) -> tuple[Product, str]:
        now = self.clock.now()
        try:
            if known is None:
                product = Product.create(content, now=now)
                tx.products.add(product)
                return product, "created"
            if not known.revise(content, now=now):
                return known, "unchanged"
            tx.products.save(known)
        except AlreadyExistsError as error:
            # Handle and SKUs were free a moment ago: someone else is importing, too.
            raise ConflictError("product") from error
        return known, "updated"

    def _variants(self, pairing: Pairing, skus: Sequence[str]) -> tuple[Variant, ...]:
        return tuple(
            Variant(
                id=known.id if known else VariantId(self.identifiers.new()),
                sku=sku,
                price=draft.price,
                options=draft.options,
                compare_at_price=draft.compare_at_price,
                weight_grams=draft.weight_grams,
                barcode=draft.barcode,
                requires_shipping=draft.requires_shipping,
                taxable=draft.taxable,
            )
            for (draft, known), sku in zip(pairing.pairs, skus, strict=True)
        )


def _content(
    draft: ProductDraft,
    *,
    id: ProductId,
    html: str,
    category_id: CategoryId | None,
    variants: tuple[Variant, ...],
) -> Product:
    return Product(
        id=id,
        handle=draft.handle,
        title=draft.title,
        variants=variants,
        description_html=html,
        vendor=draft.vendor,
        product_type=draft.product_type,
        category_id=category_id,
        tags=draft.tags,
        option_names=draft.option_names,
        images=draft.images,
        published=draft.published,
        metadata=dict(draft.metadata),
    )


def _note_missing(draft: ProductDraft, pairing: Pairing, note: _Notes) -> None:
    for variants, fate in (
        (pairing.kept, "stays as it is"),
        (pairing.dropped, "is no longer sold, as it lacks the options that the product has now"),
    ):
        for variant in variants:
            reason = f"variant {variant.sku} of this product was not imported; it {fate}"
            note(draft.line, "Variant SKU", reason)


def _note_markup(draft: ProductDraft, html: str, note: _Notes) -> None:
    written, left = (
        {name.lower() for name in _ELEMENT.findall(text)}
        for text in (draft.description_html, html)
    )
    if gone := sorted(written - left):
        note(draft.line, "Body (HTML)", f"markup left out: {', '.join(gone[:10])}")


def _rejections(draft: ProductDraft, error: DomainError) -> list[RowIssue]:
    field_name = error.field if isinstance(error, InvalidValueError) else "handle"
    column = _COLUMNS.get(field_name, "Handle")
    reasons = {draft.line: f"{error}; none of the product's {draft.rows} rows was imported"}
    for variant in draft.variants:
        reasons.setdefault(variant.line, f"is of the product of line {draft.line}: not imported")
    return [
        RowIssue(
            line=line,
            column=column if line == draft.line else "Handle",
            reason=reason,
            severity=Severity.ERROR,
        )
        for line, reason in reasons.items()
    ]
