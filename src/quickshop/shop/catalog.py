"""The use cases of the catalog, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import catalog
from quickshop.application.imports import ImportProducts
from quickshop.ports.cache import ProductCache
from quickshop.ports.catalog import ProductReader
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ProductFeedReader
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import UnitOfWork
from quickshop.shop.policy import Policy


@dataclass(frozen=True, slots=True)
class Products:
    """The catalog."""

    create: catalog.CreateProduct
    change_price: catalog.ChangePrice
    get: catalog.GetProduct
    page: catalog.GetProductPage
    list: catalog.ListProducts
    categories: catalog.ListCategories
    import_file: ImportProducts


def build_products(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    reader: ProductReader,
    cache: ProductCache,
    feed: ProductFeedReader,
    sanitizer: HtmlSanitizer,
) -> Products:
    """Connect them to the ports."""
    return Products(
        create=catalog.CreateProduct(unit_of_work, clock, identifiers, sanitizer),
        change_price=catalog.ChangePrice(unit_of_work, clock, cache),
        get=catalog.GetProduct(reader),
        page=catalog.GetProductPage(reader, cache),
        list=catalog.ListProducts(reader),
        categories=catalog.ListCategories(reader),
        import_file=ImportProducts(
            unit_of_work, clock, identifiers, feed, sanitizer, cache, policy.location
        ),
    )
