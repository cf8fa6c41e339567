"""Use cases for staff to change products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Unpack

from quickshop.application.catalog.products import prepared, require_category, variant_of
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
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
"""The new content and variants of a product."""
Find = Callable[[Transaction], ProductId]
Edit = Callable[[Transaction, Product], Revision]


@dataclass(frozen=True, slots=True)
class Editing:
    """Applies an edit to a product, and invalidates its pages."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: ProductCache

    def __call__(self, find: Find, edit: Edit, *, version: int | None = None) -> Product:
        """Store the revision that `edit` returns, then remove the product's pages from the cache.

        Raises:
            NotFoundError: the product does not exist.
            ConflictError: the product has another version than `version`.
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
                return None  # raised outside, because @retried would repeat a conflict
            handle = product.handle
            content, variants = edit(tx, product)
            if product.revise(content, variants, now=self.clock.now()):
                tx.products.save(product)
            return product, handle


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class ChangePrice:
    """Change the price of a SKU. Placed orders keep their prices."""

    editing: Editing

    def __call__(
        self, sku: str, price: Money, *, compare_at_price: Money | None = None
    ) -> Product:
        """Change the price. Safe to repeat.

        Raises:
            NotFoundError: no variant has this SKU.
            InvalidValueError: the price is negative or too high.
            CurrencyMismatchError: the price is not in the currency of the product.
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
    """The new content of a variant. Without an id, it is the variant of this SKU, or a new one."""

    content: VariantContent
    id: VariantId | None = None


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class UpdateProduct:
    """Update the details and variants of a product."""

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
        """Update the product.

        None leaves a field unchanged, but a `category_id` of None removes the category.
        `variants` replaces all variants. A variant that is not listed is removed from the
        product; its stock and its orders remain. With a `version`, a product that was saved
        since is not changed.

        Raises:
            NotFoundError: no product has this id.
            ConflictError: the product has another version than `version`.
            InvalidValueError: a value is invalid; the error names its field.
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
            raise InvalidValueError("variants.id", "must belong to this product and be unique")
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
    """Publish a product, so that shoppers can see and buy it."""

    editing: Editing

    def __call__(self, product_id: ProductId, *, version: int | None = None) -> Product:
        """Publish the product. Safe to repeat.

        Raises:
            NotFoundError: no product has this id.
            ConflictError: the product has another version than `version`.
        """
        return _published(self.editing, product_id, published=True, version=version)


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class UnpublishProduct:
    """Unpublish a product. Shoppers cannot see or buy it; its orders do not change."""

    editing: Editing

    def __call__(self, product_id: ProductId, *, version: int | None = None) -> Product:
        """Unpublish the product. Safe to repeat.

        Raises:
            NotFoundError: no product has this id.
            ConflictError: the product has another version than `version`.
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
    """Replace the images of a product. Only their URLs are stored; they are not fetched."""

    editing: Editing

    def __call__(
        self, product_id: ProductId, images: Sequence[Image], *, version: int | None = None
    ) -> Product:
        """Replace all images. They are ordered by position; equal positions keep their order.

        Raises:
            NotFoundError: no product has this id.
            ConflictError: the product has another version than `version`.
            InvalidValueError: too many images, or a URL that is not https.
        """
        chosen = gallery(images)
        return self.editing(
            lambda _tx: product_id,
            lambda _tx, product: (replace(product.content, images=chosen), product.variants),
            version=version,
        )
