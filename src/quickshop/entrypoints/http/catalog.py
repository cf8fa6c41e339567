"""Routes for the catalog. They are public, and answered from memory if possible."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from quickshop.domain.errors import NotFoundError
from quickshop.domain.money import MAX_PRICE_MINOR
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.entrypoints.http.dependencies import (
    WHOLE_NUMBER,
    Cursor,
    Limit,
    QueryBoolean,
    QueryText,
    ShopDependency,
)
from quickshop.entrypoints.http.edge.audience import PUBLIC, open_to
from quickshop.entrypoints.http.edge.page_route import PageResponse, PageRoute, answer_with_page
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Output
from quickshop.entrypoints.http.product_models import ProductOut, ProductPage
from quickshop.ports.catalog import ProductQuery, ProductSort, ProductView
from quickshop.ports.paging import DEFAULT_LIMIT
from quickshop.shop import Shop

router = APIRouter(prefix="/v1", tags=["catalog"], route_class=PageRoute)


class CategoryOut(Output):
    """A category with its subcategories."""

    id: UUID
    slug: str
    name: str
    children: tuple[CategoryOut, ...]


class CategoryTree(Output):
    """The root categories with their children, each level sorted by name."""

    items: tuple[CategoryOut, ...]


Price = Annotated[int, Field(ge=0, le=MAX_PRICE_MINOR), WHOLE_NUMBER]
Name = Annotated[QueryText, Query(min_length=1, max_length=MAX_NAME_LENGTH)]
SearchText = Annotated[QueryText | None, Query(max_length=MAX_NAME_LENGTH)]
CategorySlug = Annotated[Name | None, Query(description="A slug. Subcategories count.")]
Sorting = Annotated[
    ProductSort | None, Query(description="Default: `relevance` with `q`, else `newest`.")
]
_CACHED: dict[int | str, dict[str, str]] = {304: {"description": "Not modified."}}


@router.get(
    "/products",
    operation_id="list_products",
    response_model=ProductPage,
    responses={**_CACHED, **problems(422, 503)},
)
@open_to(PUBLIC)
async def list_products(
    request: Request,
    shop: ShopDependency,
    q: SearchText = None,
    category: CategorySlug = None,
    tag: Name | None = None,
    vendor: Name | None = None,
    min_price: Annotated[Price | None, Query(description="In minor units.")] = None,
    max_price: Annotated[Price | None, Query(description="In minor units.")] = None,
    in_stock: QueryBoolean | None = None,
    sort: Sorting = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List and search products. All given criteria must match."""
    query = ProductQuery(
        text=q or None,
        category=category,
        tag=tag,
        vendor=vendor,
        min_price_minor=min_price,
        max_price_minor=max_price,
        in_stock=in_stock,
        sort=sort_of(sort, q),
        limit=limit,
        cursor=cursor,
    )
    return await answer_with_page(request, query, lambda: _render_list(shop, query))


def sort_of(sort: ProductSort | None, text: str | None) -> ProductSort:
    """Return the requested sort order, or the default: relevance for a search, else newest."""
    return sort or (ProductSort.RELEVANCE if text else ProductSort.NEWEST)


def _render_list(shop: Shop, query: ProductQuery) -> bytes:
    return ProductPage.of(shop.products.list(query)).to_json()


@router.get(
    "/products/{key}",
    operation_id="get_product",
    response_model=ProductOut,
    responses={**_CACHED, **problems(404, 503)},
)
@open_to(PUBLIC)
async def get_product(
    request: Request, shop: ShopDependency, key: Annotated[str, Path(description="Id or handle.")]
) -> Response:
    """Return a product, its variants, and the available units of each."""
    if not key.isprintable() or len(key) > MAX_NAME_LENGTH:
        raise NotFoundError("product")
    return await answer_with_page(
        request, ("product", key), lambda: shop.products.page(key, _render_product).body
    )


def _render_product(view: ProductView) -> bytes:
    return ProductOut.model_validate(view).to_json()


@router.get(
    "/categories",
    operation_id="list_categories",
    response_model=CategoryTree,
    responses={**_CACHED, **problems(503)},
)
@open_to(PUBLIC)
async def list_categories(request: Request, shop: ShopDependency) -> PageResponse:
    """Return the category tree."""
    return await answer_with_page(request, "categories", lambda: _render_categories(shop))


def _render_categories(shop: Shop) -> bytes:
    return CategoryTree.model_validate({"items": shop.products.categories()}).to_json()
