"""Use cases that read the catalog, for shoppers and for staff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from quickshop.application.permissions import needs
from quickshop.domain.identity import Permission
from quickshop.ports.cache import CachedPage, ProductCache
from quickshop.ports.catalog import CategoryView, ProductQuery, ProductReader, ProductView
from quickshop.ports.paging import Page


@dataclass(frozen=True, slots=True)
class GetProduct:
    """Return a published product from the database."""

    products: ProductReader

    def __call__(self, key: str) -> ProductView:
        """Return the product with this id or handle.

        Raises:
            NotFoundError: no product has this id or handle, or it is not published.
        """
        return self.products.get(key)


@dataclass(frozen=True, slots=True)
class GetProductPage:
    """Return a product as rendered bytes, from the cache if possible. It may be seconds old."""

    products: ProductReader
    cache: ProductCache

    def __call__(self, key: str, render: Callable[[ProductView], bytes]) -> CachedPage:
        """Return the page of the product with this id or handle.

        `render` is called only if the cache does not have the current page.

        Raises:
            NotFoundError: no product has this id or handle, or it is not published.
        """
        if self.cache.keeps:
            if page := self.cache.current(key):
                return page
            if page := self.cache.page(key, self.products.etag(key)):
                return page
        view = self.products.get(key)
        page = CachedPage(view.etag, render(view))
        self.cache.put(key, page)
        return page


@dataclass(frozen=True, slots=True)
class ListProducts:
    """List and search the published products."""

    products: ProductReader

    def __call__(self, query: ProductQuery | None = None) -> Page[ProductView]:
        """Return a page of products; without a query, the newest.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.products.search(replace(query or ProductQuery(), published=True))


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class InspectProduct:
    """Return a product for staff, published or not."""

    products: ProductReader

    def __call__(self, key: str) -> ProductView:
        """Return the product with this id or handle.

        Raises:
            NotFoundError: no product has this id or handle.
        """
        return self.products.get(key, unpublished=True)


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class ListAllProducts:
    """List and search all products for staff, published or not."""

    products: ProductReader

    def __call__(self, query: ProductQuery | None = None) -> Page[ProductView]:
        """Return a page of products; without a query, the newest.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        return self.products.search(query or ProductQuery(published=None))


@dataclass(frozen=True, slots=True)
class ListCategories:
    """Return the category tree."""

    products: ProductReader

    def __call__(self) -> Sequence[CategoryView]:
        """Return the root categories with their children, each level sorted by name."""
        return self.products.categories()
