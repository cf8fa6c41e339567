"""The use cases of the catalog, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import catalog
from quickshop.application.imports import ImportProducts
from quickshop.ports.cache import ProductCache
from quickshop.ports.catalog import ProductReader
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core, Outside


@dataclass(frozen=True, slots=True)
class Products:
    """Products, categories and prices."""

    create: catalog.CreateProduct
    update: catalog.UpdateProduct
    publish: catalog.PublishProduct
    unpublish: catalog.UnpublishProduct
    set_images: catalog.SetProductImages
    change_price: catalog.ChangePrice
    inspect: catalog.InspectProduct
    list_all: catalog.ListAllProducts
    get: catalog.GetProduct
    page: catalog.GetProductPage
    list: catalog.ListProducts
    categories: catalog.ListCategories
    create_category: catalog.CreateCategory
    rename_category: catalog.RenameCategory
    move_category: catalog.MoveCategory
    delete_category: catalog.DeleteCategory
    import_file: ImportProducts


def build_products(
    policy: Policy,
    core: Core,
    reader: ProductReader,
    cache: ProductCache,
    outside: Outside,
) -> Products:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    feed, sanitizer = outside.product_feed, outside.sanitizer
    editing = catalog.Editing(unit_of_work, clock, cache)
    return Products(
        create=catalog.CreateProduct(unit_of_work, clock, identifiers, sanitizer, policy.currency),
        update=catalog.UpdateProduct(editing, identifiers, sanitizer),
        publish=catalog.PublishProduct(editing),
        unpublish=catalog.UnpublishProduct(editing),
        set_images=catalog.SetProductImages(editing),
        change_price=catalog.ChangePrice(editing),
        inspect=catalog.InspectProduct(reader),
        list_all=catalog.ListAllProducts(reader),
        get=catalog.GetProduct(reader),
        page=catalog.GetProductPage(reader, cache),
        list=catalog.ListProducts(reader),
        categories=catalog.ListCategories(reader),
        create_category=catalog.CreateCategory(unit_of_work, identifiers),
        rename_category=catalog.RenameCategory(unit_of_work),
        move_category=catalog.MoveCategory(unit_of_work),
        delete_category=catalog.DeleteCategory(unit_of_work),
        import_file=ImportProducts(
            unit_of_work, clock, identifiers, feed, sanitizer, cache, policy.location
        ),
    )
