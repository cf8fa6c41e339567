"""Matching the variants of a file to the variants of the shop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quickshop.domain.catalog import Product, Variant
from quickshop.ports.imports import ProductDraft, VariantDraft

Note = Callable[[int, str, str], None]
"""Notes a change for the owner of the file: line, field of the draft, reason."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The variants of a draft with those they update, and the other variants of the product."""

    pairs: Sequence[tuple[VariantDraft, Variant | None]]
    """With None, the variant is new."""
    kept: tuple[Variant, ...]
    """Variants that are not in the draft and stay."""
    dropped: tuple[Variant, ...]
    """Variants that are not in the draft and are removed, because they lack an option."""


def pair_variants(draft: ProductDraft, known: Product | None) -> Pairing:
    """Match by the combination of options first, then by SKU."""
    left = {variant.options: variant for variant in (known.variants if known else ())}
    found: dict[int, Variant] = {}
    for index, variant in enumerate(draft.variants):
        if match := left.pop(variant.content.options, None):
            found[index] = match
    by_sku = {variant.sku: variant for variant in left.values()}
    for index, variant in enumerate(draft.variants):
        if index not in found and (match := by_sku.pop(variant.content.sku, None)):
            found[index] = match
            del left[match.options]
    fits = {options: len(options) == len(draft.content.option_names) for options in left}
    return Pairing(
        pairs=[(variant, found.get(index)) for index, variant in enumerate(draft.variants)],
        kept=tuple(variant for options, variant in left.items() if fits[options]),
        dropped=tuple(variant for options, variant in left.items() if not fits[options]),
    )
