"""Looking at the catalog, as shoppers and as staff do."""

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
    """Show a published product, as the database has it now."""

    products: ProductReader

    def __call__(self, key: str) -> ProductView:
        """By id or handle.

        Raises:
            NotFoundError: there is none, or it is not published.
        """
        return self.products.get(key)


@dataclass(frozen=True, slots=True)
class GetProductPage:
    """A product as rendered bytes, from the cache if it has them: at most seconds old."""

    products: ProductReader
    cache: ProductCache

    def __call__(self, key: str, render: Callable[[ProductView], bytes]) -> CachedPage:
        """By id or handle; `render` is called only for a state that the cache does not hold.

        Raises:
            NotFoundError: there is none, or it is not published.
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
        """One page; without a query the newest products.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid.
        """
        return self.products.search(replace(query or ProductQuery(), published=True))


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class InspectProduct:
    """Show a product to staff, published or not."""

    products: ProductReader

    def __call__(self, key: str) -> ProductView:
        """By id or handle.

        Raises:
            NotFoundError: there is none.
        """
        return self.products.get(key, unpublished=True)


@needs(Permission.CATALOG_READ)
@dataclass(frozen=True, slots=True)
class ListAllProducts:
    """List and search the products for staff, also those that are not published."""

    products: ProductReader

    def __call__(self, query: ProductQuery | None = None) -> Page[ProductView]:
        """One page; without a query the newest products of all.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid.
        """
        return self.products.search(query or ProductQuery(published=None))


@dataclass(frozen=True, slots=True)
class ListCategories:
    """Show the category tree."""

    products: ProductReader

    def __call__(self) -> Sequence[CategoryView]:
        """From its roots, each level by name."""
        return self.products.categories()
