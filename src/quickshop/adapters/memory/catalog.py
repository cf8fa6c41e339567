"""The catalog in memory, as transactions see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryState
from quickshop.domain.catalog import (
    Category,
    CategoryId,
    CategoryTree,
    Offer,
    Product,
    ProductContent,
    ProductId,
    Variant,
)
from quickshop.domain.errors import AlreadyExistsError, CategoryInUseError, NotFoundError
from quickshop.ports.catalog import CategoryRepository, ProductRepository


class MemoryProducts(ProductRepository):
    """The products, with their handles and SKUs kept unique."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def find_by_handle(self, handle: str) -> Product | None:
        product_id = self._state.handles.get(handle)
        return None if product_id is None else self.get(product_id)

    @override
    def get(self, product_id: ProductId) -> Product:
        product = self._state.products.get(product_id)
        if product is None:
            raise NotFoundError("product")
        return self._session.hand_out(_copy(product))

    @override
    def offer(self, sku: str) -> Offer:
        variant_id = self._state.skus.get(sku)
        if variant_id is None:
            raise NotFoundError("SKU")
        return self._state.offers[variant_id]

    @override
    def owners(self, skus: Collection[str]) -> Mapping[str, ProductId]:
        known = self._state.skus
        return {sku: self._state.offers[known[sku]].product_id for sku in skus if sku in known}

    @override
    def add(self, product: Product) -> None:
        if product.id in self._state.products:
            raise AlreadyExistsError("product", "id")
        self._put(product)

    @override
    def save(self, product: Product) -> None:
        self._session.require_version(self._state.products, product.id, product, "product")
        self._put(product)

    def _put(self, product: Product) -> None:
        _require_free_names(self._state, product)
        category_id = product.content.category_id
        require(category_id is None or category_id in self._state.categories, "no such category")
        _drop_from_indexes(self._state, product.id)
        self._session.keep(self._state.products, product.id, product)
        self._state.products[product.id] = _copy(product)
        _index(self._state, product)


def _copy(product: Product) -> Product:
    return replace(product, content=copied(product.content))


def copied(content: ProductContent) -> ProductContent:
    """Return a copy of the content that shares no mutable objects with it."""
    return replace(content, metadata=dict(content.metadata))


def _require_free_names(state: MemoryState, product: Product) -> None:
    if state.handles.get(product.handle, product.id) != product.id:
        raise AlreadyExistsError("product", "handle")
    for variant in product.variants:
        owner = state.offers.get(state.skus.get(variant.sku, variant.id))
        if owner is not None and owner.product_id != product.id:
            raise AlreadyExistsError("product", "SKU")


def _drop_from_indexes(state: MemoryState, product_id: ProductId) -> None:
    before = state.products.get(product_id)
    if before is None:
        return
    del state.handles[before.handle]
    for variant in before.variants:
        del state.skus[variant.sku]
        # Carts and stock may still refer to the variant; its offer says that it is not for sale.
        state.offers[variant.id] = replace(state.offers[variant.id], published=False)


def _index(state: MemoryState, product: Product) -> None:
    state.handles[product.handle] = product.id
    state.words[product.id] = tuple(product.search_text.split())
    for variant in product.variants:
        state.skus[variant.sku] = variant.id
        state.offers[variant.id] = _offer(product, variant)


def _offer(product: Product, variant: Variant) -> Offer:
    return Offer(
        variant_id=variant.id,
        product_id=product.id,
        sku=variant.sku,
        title=product.title,
        variant_title=variant.content.title,
        unit_price=variant.price,
        published=product.content.published,
    )


class MemoryCategories(CategoryRepository):
    """The category tree, with its slugs kept unique."""

    def __init__(self, session: MemorySession) -> None:
        self._categories = session.state.categories
        self._products = session.state.products

    @override
    def tree(self) -> CategoryTree:
        return CategoryTree(dict(self._categories))

    @override
    def exists(self, category_id: CategoryId) -> bool:
        return category_id in self._categories

    @override
    def find(self, slug: str) -> Category | None:
        return next((c for c in self._categories.values() if c.slug == slug), None)

    @override
    def get_or_create(self, category: Category) -> Category:
        found = self.find(category.slug)
        if found is not None:
            return found
        self._put_new(category)
        return category

    @override
    def add(self, category: Category) -> None:
        if self.find(category.slug) is not None:
            raise AlreadyExistsError("category", "slug")
        self._put_new(category)

    def _put_new(self, category: Category) -> None:
        require(category.id not in self._categories, "a category's id was used before")
        self._require_parent(category)
        self._categories[category.id] = category

    @override
    def save(self, category: Category) -> None:
        require(category.id in self._categories, "no such category")
        self._require_parent(category)
        self._categories[category.id] = category

    def _require_parent(self, category: Category) -> None:
        parent_id = category.parent_id
        require(parent_id is None or parent_id in self._categories, "no such parent category")

    @override
    def remove(self, category_id: CategoryId) -> None:
        above = (category.parent_id for category in self._categories.values())
        if category_id in above or any(
            product.content.category_id == category_id for product in self._products.values()
        ):
            raise CategoryInUseError
        del self._categories[category_id]
