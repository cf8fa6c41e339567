"""Storing one product of an imported file, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from quickshop.application.imports.categories import get_or_create_category
from quickshop.application.imports.skus import SkuBook
from quickshop.application.imports.stock import StockChange, note_ignored_stock, set_stock_levels
from quickshop.application.imports.variants import Pairing, pair_variants
from quickshop.application.inventory import get_or_create_location
from quickshop.application.repeated_transactions import retried
from quickshop.domain.catalog import (
    Product,
    ProductContent,
    ProductId,
    Variant,
    VariantId,
)
from quickshop.domain.errors import AlreadyExistsError, ConflictError
from quickshop.domain.imports import ImportCounts
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import FeedItem, ProductDraft, RowIssue, Severity
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_ELEMENT: Final = re.compile(r"<([a-z][a-z0-9]{0,15})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRun:
    """A file that is being imported."""

    items: Sequence[FeedItem]
    rows: int
    column_of: Callable[[str], str]
    """Returns the file's column for a field of a draft."""
    skus: SkuBook
    location: str
    reason: str
    dry_run: bool
    with_stock: bool
    """Whether stock levels are set from the file."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one item of a file."""

    counts: ImportCounts
    issues: Sequence[RowIssue]


Keep = Callable[[Transaction, ItemResult], None]
"""Records the result of an item."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a stored draft."""

    product: Product
    fate: str
    """`created`, `updated` or `unchanged`."""
    result: ItemResult


class RehearsedError(Exception):
    """Rolls back the transaction of a dry run that succeeded."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("a dry run stores nothing")
        self.outcome = outcome


@dataclass(slots=True)
class _Notes:
    """The notes about one product, in one try."""

    column_of: Callable[[str], str]
    issues: list[RowIssue] = field(default_factory=list)

    def __call__(self, line: int, field: str, reason: str) -> None:
        column = self.column_of(field)
        self.issues.append(
            RowIssue(line=line, column=column, reason=reason, severity=Severity.NOTE)
        )


def _result(
    item: FeedItem,
    draft: ProductDraft,
    fate: str,
    stock: StockChange,
    issues: Sequence[RowIssue],
) -> ItemResult:
    counts = ImportCounts(
        rows_done=item.rows,
        rejected_rows=item.rows - draft.rows,
        created=int(fate == "created"),
        updated=int(fate == "updated"),
        unchanged=int(fate == "unchanged"),
        variants=len(draft.variants),
        units_moved=stock.units,
        issues=len(issues),
    )
    return ItemResult(counts, issues)


@dataclass(frozen=True, slots=True)
class StoreDraft:
    """Store a product draft."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(
        self, run: FileRun, item: FeedItem, draft: ProductDraft, html: str, keep: Keep | None
    ) -> Outcome:
        """Store the draft, and call `keep` in the same transaction. A dry run stores nothing.

        Raises:
            RehearsedError: the dry run succeeded.
            DomainError: the draft is invalid.
        """
        note = _Notes(run.column_of, list(item.issues))
        _note_markup(draft, html, note)
        with self.unit_of_work() as tx:
            known = tx.products.find_by_handle(draft.content.handle)
            pairing = pair_variants(draft, known)
            _note_missing(draft, pairing, note)
            product_id = known.id if known else ProductId(self.identifiers.new())
            skus = run.skus.choose(tx, draft, pairing, product_id, note)
            if run.dry_run:
                self._free_skus(tx, skus, product_id)
            variants = self._variants(pairing, skus)
            content = replace(
                draft.content,
                description_html=html,
                category_id=get_or_create_category(tx, draft.category_path, self.identifiers),
            )
            sold_as = (*variants, *pairing.kept)
            product, fate = self._keep(tx, known, product_id, content, sold_as)
            stock = self._stock(tx, run, draft, variants, note)
            if fate == "unchanged" and (stock.units or stock.levels):
                fate = "updated"
            outcome = Outcome(product, fate, _result(item, draft, fate, stock, note.issues))
            if run.dry_run:
                raise RehearsedError(outcome)
            if keep is not None:
                keep(tx, outcome.result)
        return outcome

    def _free_skus(self, tx: Transaction, skus: Sequence[str], product_id: ProductId) -> None:
        """Free these SKUs of other products again: the dry run rolled back what freed them."""
        owners = tx.products.owners(skus)
        for owner in set(owners.values()) - {product_id}:
            other = tx.products.get(owner)
            variants = tuple(
                _with_sku(variant, str(self.identifiers.new()))
                if owners.get(variant.sku) == owner
                else variant
                for variant in other.variants
            )
            other.revise(other.content, variants, now=self.clock.now())
            tx.products.save(other)

    def _keep(
        self,
        tx: Transaction,
        known: Product | None,
        product_id: ProductId,
        content: ProductContent,
        variants: tuple[Variant, ...],
    ) -> tuple[Product, str]:
        now = self.clock.now()
        try:
            if known is None:
                new = Product(id=product_id, content=content, variants=variants)
                product = Product.create(new, now=now)
                tx.products.add(product)
                return product, "created"
            if not known.revise(content, variants, now=now):
                return known, "unchanged"
            tx.products.save(known)
        except AlreadyExistsError as error:
            # Handle and SKUs were free a moment ago: a concurrent import took them.
            raise ConflictError("product") from error
        return known, "updated"

    def _stock(
        self,
        tx: Transaction,
        run: FileRun,
        draft: ProductDraft,
        variants: Sequence[Variant],
        note: _Notes,
    ) -> StockChange:
        if not run.with_stock:
            note_ignored_stock(draft, note)
            return StockChange(0, 0)
        return set_stock_levels(
            tx,
            get_or_create_location(tx, run.location, self.identifiers),
            list(zip(draft.variants, variants, strict=True)),
            reason=run.reason,
            now=self.clock.now(),
            note=note,
        )

    def _variants(self, pairing: Pairing, skus: Sequence[str]) -> tuple[Variant, ...]:
        return tuple(
            Variant(
                known.id if known else VariantId(self.identifiers.new()),
                replace(draft.content, sku=sku),
            )
            for (draft, known), sku in zip(pairing.pairs, skus, strict=True)
        )


def _with_sku(variant: Variant, sku: str) -> Variant:
    return replace(variant, content=replace(variant.content, sku=sku))


def _note_missing(draft: ProductDraft, pairing: Pairing, note: _Notes) -> None:
    for variants, fate in (
        (pairing.kept, "does not change"),
        (pairing.dropped, "is no longer sold, because it lacks an option of the product"),
    ):
        for variant in variants:
            reason = f"variant {variant.sku} of this product is not in the file; it {fate}"
            note(draft.line, "sku", reason)


def _note_markup(draft: ProductDraft, html: str, note: _Notes) -> None:
    written, left = (
        {name.lower() for name in _ELEMENT.findall(text)}
        for text in (draft.content.description_html, html)
    )
    if gone := sorted(written - left):
        note(draft.line, "description_html", f"markup removed: {', '.join(gone[:10])}")
