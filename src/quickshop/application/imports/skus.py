"""The choice of a SKU for each variant of an imported file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from quickshop.application.imports.variants import Note, Pairing
from quickshop.domain.catalog import Product, ProductId, Variant, slugify
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.ports.imports import ProductDraft, VariantDraft
from quickshop.ports.unit_of_work import Transaction

_DIGEST_LENGTH: Final = 8
_MAX_BASE: Final = MAX_NAME_LENGTH - 2 * _DIGEST_LENGTH - 1


@dataclass(slots=True)
class SkuBook:
    """The SKUs of one import, committed or not. The first variant in the file gets a SKU."""

    lines: dict[str, int] = field(default_factory=dict)
    """The first line of the file with each SKU."""
    given: dict[str, ProductId] = field(default_factory=dict)
    """The product that got each SKU in this run."""
    settled: set[ProductId] = field(default_factory=set)
    """Products imported in this run. For their SKUs, `given` counts and the database does not."""

    @classmethod
    def of(cls, drafts: Iterable[ProductDraft]) -> SkuBook:
        """Create the book from all drafts of a file."""
        book = cls()
        for variant in sorted(_variants(drafts), key=lambda variant: variant.line):
            if sku := variant.content.sku:
                book.lines.setdefault(sku, variant.line)
        return book

    def settle(self, product: Product) -> None:
        """Record the SKUs of an imported product."""
        self.settled.add(product.id)
        self.given.update((variant.sku, product.id) for variant in product.variants)

    def choose(
        self,
        tx: Transaction,
        draft: ProductDraft,
        pairing: Pairing,
        product_id: ProductId,
        note: Note,
    ) -> list[str]:
        """Return a SKU per variant: the file's, else the shop's, else a generated one.

        If a variant does not get the file's SKU, note the reason.
        """
        choices = [_choices(draft, variant, known) for variant, known in pairing.pairs]
        owners = tx.products.owners({sku for skus in choices for sku in skus})
        in_use = {variant.sku for variant in pairing.kept}
        chosen: list[str] = []
        for (variant, _), skus in zip(pairing.pairs, choices, strict=True):
            fit = (
                sku
                for sku in skus
                if sku not in in_use and not self._why_not(sku, variant, product_id, owners)
            )
            sku = next(fit, skus[-1])
            wanted = variant.content.sku
            if sku != wanted:
                why = (
                    "is blank"
                    if not wanted
                    else (
                        self._why_not(wanted, variant, product_id, owners)
                        or "belongs to another variant of this product"
                    )
                )
                note(variant.line, "sku", f"{why}; this variant gets {sku}")
            in_use.add(sku)
            chosen.append(sku)
        return chosen

    def _why_not(
        self,
        sku: str,
        draft: VariantDraft,
        product_id: ProductId,
        owners: Mapping[str, ProductId],
    ) -> str | None:
        first = self.lines.get(sku, draft.line)
        if first != draft.line:
            return f"is used in line {first}"
        owner = self.given.get(sku) or owners.get(sku, product_id)
        if owner == product_id or (owner in self.settled and sku not in self.given):
            return None
        return "belongs to another product in the shop"


def _variants(drafts: Iterable[ProductDraft]) -> Iterator[VariantDraft]:
    return (variant for draft in drafts for variant in draft.variants)


def _choices(draft: ProductDraft, variant: VariantDraft, known: Variant | None) -> list[str]:
    given = [sku for sku in (variant.content.sku, known.sku if known else "") if sku]
    return [*given, *made_up_skus(draft.content.handle, variant.content.options)]


def made_up_skus(handle: str, options: tuple[str, ...]) -> tuple[str, ...]:
    """Return SKUs for a variant without one. They are deterministic, the most readable first."""
    parts = [slugify(part) for part in (handle, *options)]
    base = "-".join(part for part in parts if part)[:_MAX_BASE].strip("-") or "sku"
    digest = sha256("\0".join((handle, *options)).encode()).hexdigest()
    distinct = tuple(f"{base}-{digest[:n]}" for n in (_DIGEST_LENGTH, 2 * _DIGEST_LENGTH))
    # slugify drops characters that it cannot spell, so two such names could become equal.
    return (base, *distinct) if all(parts) else distinct
