"""The catalog in memory, as queries read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from typing_extensions import override

from quickshop.adapters.memory.catalog import copied
from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.domain.catalog import (
    Category,
    CategoryId,
    Product,
    ProductId,
    Variant,
    VariantId,
    search_words,
)
from quickshop.domain.errors import NotFoundError
from quickshop.ports.catalog import (
    CategoryView,
    ProductQuery,
    ProductReader,
    ProductSort,
    ProductView,
    VariantView,
)
from quickshop.ports.paging import Page

_DESCENDING: Final = frozenset(
    {ProductSort.RELEVANCE, ProductSort.NEWEST, ProductSort.PRICE_DESCENDING}
)


class MemoryProductReader(ProductReader):
    """Products, with their stock."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def get(self, key: str, *, unpublished: bool = False) -> ProductView:
        state = self._store.state
        return _view(state, _found(state, key, unpublished=unpublished))

    @override
    def etag(self, key: str) -> str:
        state = self._store.state
        return _etag(state, _found(state, key, unpublished=False))

    @override
    def search(self, query: ProductQuery) -> Page[ProductView]:
        state = self._store.state
        words = search_words(query.text or "")
        sort = query.sort
        if sort is ProductSort.RELEVANCE and not words:
            sort = ProductSort.NEWEST
        below = _categories_below(state, query.category)
        page = page_of(
            (
                Row(_sort_key(product, sort, words), product.id, product)
                for product in state.products.values()
                if query.published in {None, product.content.published}
                and (query.category is None or product.content.category_id in below)
                and _matches(state, product, query, words)
            ),
            sort=sort,
            limit=query.limit,
            cursor=query.cursor,
            descending=sort in _DESCENDING,
        )
        return Page([_view(state, product) for product in page.items], page.next_cursor)

    @override
    def categories(self) -> Sequence[CategoryView]:
        children: defaultdict[CategoryId | None, list[Category]] = defaultdict(list)
        for category in self._store.state.categories.values():
            children[category.parent_id].append(category)
        return _level(children, None)


def _level(
    children: defaultdict[CategoryId | None, list[Category]], parent_id: CategoryId | None
) -> Sequence[CategoryView]:
    by_name = sorted(children[parent_id], key=lambda category: (category.name, category.id))
    return [CategoryView(c.id, c.slug, c.name, _level(children, c.id)) for c in by_name]


def _found(state: MemoryState, key: str, *, unpublished: bool) -> Product:
    product_id = state.handles.get(key) or _as_id(key)
    product = state.products.get(product_id) if product_id else None
    if product is None or not (product.content.published or unpublished):
        raise NotFoundError("product")
    return product


def _as_id(key: str) -> ProductId | None:
    try:
        return ProductId(UUID(key))
    except ValueError:
        return None


def _etag(state: MemoryState, product: Product) -> str:
    changes = sum(
        stored.changes
        for variant in product.variants
        for stored in state.levels.get(variant.id, {}).values()
    )
    return f"{product.id.hex}-{product.version}-{changes}"


def _available(state: MemoryState, variant_id: VariantId) -> int:
    return sum(max(0, s.level.available) for s in state.levels.get(variant_id, {}).values())


def _view(state: MemoryState, product: Product) -> ProductView:
    category_id = product.content.category_id
    return ProductView(
        id=product.id,
        content=copied(product.content),
        category=state.categories[category_id].slug if category_id else None,
        variants=tuple(_variant_view(state, product, variant) for variant in product.variants),
        version=product.version,
        etag=_etag(state, product),
    )


def _variant_view(state: MemoryState, product: Product, variant: Variant) -> VariantView:
    return VariantView(
        id=variant.id,
        content=variant.content,
        options=dict(zip(product.content.option_names, variant.options, strict=True)),
        available=_available(state, variant.id),
    )


def _categories_below(state: MemoryState, slug: str | None) -> Collection[CategoryId | None]:
    below: set[CategoryId | None] = set()
    level = {c.id for c in state.categories.values() if c.slug == slug}
    while level:
        below |= level
        level = {c.id for c in state.categories.values() if c.parent_id in level}
    return below


def _matches(
    state: MemoryState, product: Product, query: ProductQuery, words: Sequence[str]
) -> bool:
    return (
        (query.tag is None or query.tag in product.content.tags)
        and (query.vendor is None or query.vendor == product.content.vendor)
        and _costs(product, query.min_price_minor, query.max_price_minor)
        and (query.in_stock is None or query.in_stock is _in_stock(state, product))
        and all(_begins_one(word, state.words[product.id]) for word in words)
    )


def _costs(product: Product, lowest: int | None, highest: int | None) -> bool:
    return any(
        (lowest is None or variant.price.minor >= lowest)
        and (highest is None or variant.price.minor <= highest)
        for variant in product.variants
    )


def _in_stock(state: MemoryState, product: Product) -> bool:
    return any(_available(state, variant.id) > 0 for variant in product.variants)


def _begins_one(prefix: str, words: Sequence[str]) -> bool:
    return any(word.startswith(prefix) for word in words)


def _sort_key(product: Product, sort: ProductSort, words: Sequence[str]) -> str | float:
    match sort:
        case ProductSort.TITLE:
            return product.title.casefold()
        case ProductSort.PRICE | ProductSort.PRICE_DESCENDING:
            return min(variant.price.minor for variant in product.variants)
        case ProductSort.RELEVANCE:
            return sum(_begins_one(word, search_words(product.title)) for word in words)
        case ProductSort.NEWEST:
            return 0
