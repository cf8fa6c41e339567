"""Changing products that are in the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Unpack

from quickshop.application.catalog.products import prepared, require_category, variant_of
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
from quickshop.domain.catalog import (
    Image,
    Product,
    ProductContent,
    ProductDetails,
    ProductId,
    Variant,
    VariantContent,
    VariantId,
    gallery,
)
from quickshop.domain.errors import ConflictError, InvalidValueError
from quickshop.domain.identity import Permission
from quickshop.domain.money import Money
from quickshop.ports.cache import ProductCache
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

Revision = tuple[ProductContent, tuple[Variant, ...]]
"""The content and variants that a product gets."""
Find = Callable[[Transaction], ProductId]
Edit = Callable[[Transaction, Product], Revision]


@dataclass(frozen=True, slots=True)
class Editing:
    """How every change of a product is brought about."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: ProductCache

    def __call__(self, find: Find, edit: Edit, *, version: int | None = None) -> Product:
        """Revise the product found by what `edit` returns. Then its pages leave the cache.

        Raises:
            NotFoundError: no such product.
            ConflictError: it is not in this version any more.
            AlreadyExistsError: the handle or a SKU is taken.
        """
        stored = self._store(find, edit, version)
        if stored is None:
            raise ConflictError("product")
        product, old_handle = stored
        self.cache.forget(str(product.id), *dict.fromkeys((old_handle, product.handle)))
        return product

    @retried
    def _store(self, find: Find, edit: Edit, version: int | None) -> tuple[Product, str] | None:
        with self.unit_of_work() as tx:
            product = tx.products.get(find(tx))
            if version not in {None, product.version}:
                return None  # not an error in here, where it would be tried again
            handle = product.handle
            content, variants = edit(tx, product)
            if product.revise(content, variants, now=self.clock.now()):
                tx.products.save(product)
            return product, handle


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class ChangePrice:
    """Set what a SKU costs from now on. Orders already placed keep their price."""

    editing: Editing

    def __call__(
        self, sku: str, price: Money, *, compare_at_price: Money | None = None
    ) -> Product:
        """Safe to repeat.

        Raises:
            NotFoundError: no variant has this SKU.
            InvalidValueError: negative, or too high to be true.
            CurrencyMismatchError: not in the currency of the product.
        """

        def repriced(variant: Variant) -> Variant:
            if variant.sku != sku:
                return variant
            content = replace(variant.content, price=price, compare_at_price=compare_at_price)
            return replace(variant, content=content)

        return self.editing(
            lambda tx: tx.products.offer(sku).product_id,
            lambda _tx, product: (product.content, tuple(map(repriced, product.variants))),
        )


@dataclass(frozen=True, slots=True)
class ChangedVariant:
    """What a variant is to be from now on. Without an id its SKU says which; else it is new."""

    content: VariantContent
    id: VariantId | None = None


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class UpdateProduct:
    """Change what is said of a product, and what it is sold as."""

    editing: Editing
    identifiers: Identifiers
    sanitize: HtmlSanitizer

    def __call__(
        self,
        product_id: ProductId,
        *,
        version: int | None = None,
        title: str | None = None,
        variants: Sequence[ChangedVariant] | None = None,
        **details: Unpack[ProductDetails],
    ) -> Product:
        """What is None stays as it is; a `category_id` of None takes it off its shelf.

        `variants` are all that it is sold as from then on, each of them whole: one that is not
        named leaves the product, and keeps its stock and its orders. With a `version` nothing is
        changed in a product that somebody saved since.

        Raises:
            NotFoundError: no such product.
            ConflictError: it is not in this version any more.
            InvalidValueError: something is not as it should be; says what.
            AlreadyExistsError: the handle or a SKU is taken.
            CurrencyMismatchError: a price is not in the currency of the product.
        """
        changes = prepared(details, self.sanitize)
        if title is not None:
            changes["title"] = title
        if "category_id" in details:
            changes["category_id"] = details["category_id"]
        edit = partial(self._edit, changes, variants)
        return self.editing(lambda _tx: product_id, edit, version=version)

    def _edit(
        self,
        changes: Mapping[str, Any],
        variants: Sequence[ChangedVariant] | None,
        tx: Transaction,
        product: Product,
    ) -> Revision:
        require_category(tx, changes.get("category_id"))
        sold_as = product.variants if variants is None else self._variants(product, variants)
        return replace(product.content, **changes), sold_as

    def _variants(self, product: Product, wanted: Sequence[ChangedVariant]) -> tuple[Variant, ...]:
        known = {variant.id for variant in product.variants}
        by_sku = {variant.sku: variant.id for variant in product.variants}
        named = {variant.id for variant in wanted if variant.id is not None}
        if not named <= known or len(named) < sum(v.id is not None for v in wanted):
            raise InvalidValueError("variants.id", "must be of this product, each named once")
        variants = []
        for place, changed in enumerate(wanted):
            same_sku = by_sku.get(changed.content.sku)
            if changed.id is not None:
                variant_id = changed.id
            elif same_sku is not None and same_sku not in named:
                variant_id = same_sku
            else:
                variant_id = VariantId(self.identifiers.new())
            variants.append(variant_of(changed.content, variant_id, place))
        return tuple(variants)


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class PublishProduct:
    """Show and sell a product."""

    editing: Editing

    def __call__(self, product_id: ProductId, *, version: int | None = None) -> Product:
        """Safe to repeat.

        Raises:
            NotFoundError: no such product.
            ConflictError: it is not in this version any more.
        """
        return _published(self.editing, product_id, published=True, version=version)


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class UnpublishProduct:
    """Have a product shown and sold no longer. So it leaves the shop; its orders stay whole."""

    editing: Editing

    def __call__(self, product_id: ProductId, *, version: int | None = None) -> Product:
        """Safe to repeat.

        Raises:
            NotFoundError: no such product.
            ConflictError: it is not in this version any more.
        """
        return _published(self.editing, product_id, published=False, version=version)


def _published(
    editing: Editing, product_id: ProductId, *, published: bool, version: int | None
) -> Product:
    return editing(
        lambda _tx: product_id,
        lambda _tx, product: (replace(product.content, published=published), product.variants),
        version=version,
    )


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class SetProductImages:
    """Say which pictures a product has. Only their addresses are kept; nothing is fetched."""

    editing: Editing

    def __call__(
        self, product_id: ProductId, images: Sequence[Image], *, version: int | None = None
    ) -> Product:
        """These and no others, by their positions; those of one position as they come.

        Raises:
            NotFoundError: no such product.
            ConflictError: it is not in this version any more.
            InvalidValueError: too many, or an address that is not an https URL.
        """
        chosen = gallery(images)
        return self.editing(
            lambda _tx: product_id,
            lambda _tx, product: (replace(product.content, images=chosen), product.variants),
            version=version,
        )
