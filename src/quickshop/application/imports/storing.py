"""Storing one product of an imported file, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from quickshop.application.imports.categories import get_or_create_category
from quickshop.application.imports.skus import SkuBook
from quickshop.application.imports.stock import StockChange, note_left_aside, stock_shelves
from quickshop.application.imports.variants import Pairing, pair_variants
from quickshop.application.inventory import get_or_create_location
from quickshop.application.retries import retried
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
    """One file on its way in."""

    items: Sequence[FeedItem]
    rows: int
    column_of: Callable[[str], str]
    """The name of the column that holds a field of a draft."""
    skus: SkuBook
    location: str
    reason: str
    dry_run: bool
    with_stock: bool
    """Whether shelves are brought to what it says. Else they stay as they are."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item of a file."""

    counts: ImportCounts
    issues: Sequence[RowIssue]


Keep = Callable[[Transaction, ItemResult], None]
"""Writes down what became of an item."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a draft that was stored."""

    product: Product
    fate: str
    """`created`, `updated` or `unchanged`."""
    result: ItemResult


class RehearsedError(Exception):
    """Ends the transaction of a dry run: all went well, and nothing is to stay."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("nothing stays of a dry run")
        self.outcome = outcome


@dataclass(slots=True)
class _Notes:
    """What is to be said about one product, in one try."""

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
    """Bring the shop to what a draft says."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers

    @retried
    def __call__(
        self, run: FileRun, item: FeedItem, draft: ProductDraft, html: str, keep: Keep | None
    ) -> Outcome:
        """Store the draft of an item, and what `keep` writes besides; of a rehearsal nothing.

        Raises:
            RehearsedError: all went well, and it was a rehearsal.
            DomainError: it cannot be stored.
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
        """Have others give up these SKUs here too, as they did in transactions that are gone."""
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
            # Handle and SKUs were free a moment ago: someone else is importing, too.
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
            note_left_aside(draft, note)
            return StockChange(0, 0)
        return stock_shelves(
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
        (pairing.kept, "stays as it is"),
        (pairing.dropped, "is no longer sold, as it lacks the options that the product has now"),
    ):
        for variant in variants:
            reason = f"variant {variant.sku} of this product was not imported; it {fate}"
            note(draft.line, "sku", reason)


def _note_markup(draft: ProductDraft, html: str, note: _Notes) -> None:
    written, left = (
        {name.lower() for name in _ELEMENT.findall(text)}
        for text in (draft.content.description_html, html)
    )
    if gone := sorted(written - left):
        note(draft.line, "description_html", f"markup left out: {', '.join(gone[:10])}")
