"""Admin routes for products and prices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from quickshop.application.catalog import (
    ChangePrice,
    CreateProduct,
    InspectProduct,
    ListAllProducts,
    PublishProduct,
    SetProductImages,
    UnpublishProduct,
    UpdateProduct,
)
from quickshop.domain.catalog import ProductId
from quickshop.domain.errors import ConflictError
from quickshop.entrypoints.http.admin.shared import IfMatch, staff_problems
from quickshop.entrypoints.http.catalog import (
    CategorySlug,
    Name,
    SearchText,
    Sorting,
    sort_of,
)
from quickshop.entrypoints.http.dependencies import (
    Cursor,
    Limit,
    QueryBoolean,
    ShopDependency,
)
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import ProblemError
from quickshop.entrypoints.http.models import private
from quickshop.entrypoints.http.product_models import (
    AdminProductOut,
    AdminProductPage,
    ImagesIn,
    NewProductIn,
    PriceIn,
    ProductChangesIn,
    gallery_of,
)
from quickshop.ports.catalog import ProductQuery, ProductView
from quickshop.ports.paging import DEFAULT_LIMIT
from quickshop.shop import Shop

router = APIRouter(prefix="/v1/admin", tags=["admin: catalog"], route_class=GuardedRoute)


def _answer(shop: Shop, product_id: UUID, *, status: int = 200) -> Response:
    return _shown(shop.products.inspect(str(product_id)), status=status)


def _shown(view: ProductView, *, status: int = 200) -> Response:
    headers = {"ETag": f'"{view.version}"'}
    if status == 201:  # noqa: PLR2004
        headers["Location"] = f"/v1/admin/products/{view.id}"
    return private(AdminProductOut.model_validate(view), status=status, headers=headers)


@contextmanager
def _expecting(if_match: str | None, version: int | None = None) -> Iterator[int | None]:
    """Yield the expected version. A conflict becomes 412 if `If-Match` was sent."""
    expected = None if if_match in {None, "*"} else int(str(if_match).strip('"'))
    if None not in {expected, version} and expected != version:
        raise ProblemError(412, "precondition_failed", "If-Match and version must be the same.")
    try:
        yield version if expected is None else expected
    except ConflictError as error:
        if expected is None or error.kind != "product":
            raise
        raise ProblemError(412, "precondition_failed", f"{error}.") from error


@router.get(
    "/products",
    operation_id="list_all_products",
    response_model=AdminProductPage,
    responses=staff_problems(422),
)
@open_to(staff(ListAllProducts))
def list_all_products(
    shop: ShopDependency,
    q: SearchText = None,
    published: Annotated[
        QueryBoolean | None, Query(description="Only published products, or only unpublished.")
    ] = None,
    category: CategorySlug = None,
    tag: Name | None = None,
    vendor: Name | None = None,
    in_stock: QueryBoolean | None = None,
    sort: Sorting = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List and search products, published or not. All given criteria must match."""
    query = ProductQuery(
        text=q or None,
        published=published,
        category=category,
        tag=tag,
        vendor=vendor,
        in_stock=in_stock,
        sort=sort_of(sort, q),
        limit=limit,
        cursor=cursor,
    )
    return private(AdminProductPage.of(shop.products.list_all(query)))


@router.post(
    "/products",
    operation_id="create_product",
    status_code=201,
    response_model=AdminProductOut,
    responses=staff_problems(400, 409, 413, 415, 422),
)
@open_to(staff(CreateProduct))
def create_product(shop: ShopDependency, body: NewProductIn) -> Response:
    """Create a product. A repeated request gets 409, because its handle is taken."""
    product = shop.products.create(
        variants=[variant.to_content() for variant in body.variants], **body.to_fields()
    )
    return _answer(shop, product.id, status=201)


@router.get(
    "/products/{product_id}",
    operation_id="inspect_product",
    response_model=AdminProductOut,
    responses=staff_problems(404, 422),
)
@open_to(staff(InspectProduct))
def inspect_product(shop: ShopDependency, product_id: UUID) -> Response:
    """Return a product, published or not. Send its `ETag` as `If-Match` to change it."""
    return _answer(shop, product_id)


@router.patch(
    "/products/{product_id}",
    operation_id="update_product",
    response_model=AdminProductOut,
    responses=staff_problems(400, 404, 409, 412, 413, 415, 422),
)
@open_to(staff(UpdateProduct))
def update_product(
    shop: ShopDependency, product_id: UUID, body: ProductChangesIn, if_match: IfMatch = None
) -> Response:
    """Update the details and variants of a product."""
    variants = body.variants
    with _expecting(if_match, body.version) as version:
        shop.products.update(
            ProductId(product_id),
            version=version,
            variants=None if variants is None else [v.to_changed() for v in variants],
            **body.to_fields(),
        )
    return _answer(shop, product_id)


@router.post(
    "/products/{product_id}/publish",
    operation_id="publish_product",
    response_model=AdminProductOut,
    responses=staff_problems(404, 409, 412, 413, 422),
)
@open_to(staff(PublishProduct))
def publish_product(shop: ShopDependency, product_id: UUID, if_match: IfMatch = None) -> Response:
    """Publish a product, so that shoppers can see and buy it."""
    with _expecting(if_match) as version:
        shop.products.publish(ProductId(product_id), version=version)
    return _answer(shop, product_id)


@router.post(
    "/products/{product_id}/unpublish",
    operation_id="unpublish_product",
    response_model=AdminProductOut,
    responses=staff_problems(404, 409, 412, 413, 422),
)
@open_to(staff(UnpublishProduct))
def unpublish_product(
    shop: ShopDependency, product_id: UUID, if_match: IfMatch = None
) -> Response:
    """Unpublish a product. Products cannot be deleted, because orders refer to them."""
    with _expecting(if_match) as version:
        shop.products.unpublish(ProductId(product_id), version=version)
    return _answer(shop, product_id)


@router.put(
    "/products/{product_id}/images",
    operation_id="set_product_images",
    response_model=AdminProductOut,
    responses=staff_problems(400, 404, 409, 412, 413, 415, 422),
)
@open_to(staff(SetProductImages))
def set_product_images(
    shop: ShopDependency, product_id: UUID, body: ImagesIn, if_match: IfMatch = None
) -> Response:
    """Replace the images of a product."""
    with _expecting(if_match, body.version) as version:
        shop.products.set_images(ProductId(product_id), gallery_of(body.images), version=version)
    return _answer(shop, product_id)


@router.post(
    "/prices",
    operation_id="change_price",
    response_model=AdminProductOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(ChangePrice))
def change_price(shop: ShopDependency, body: PriceIn) -> Response:
    """Change the price of a SKU. Placed orders keep their prices."""
    product = shop.products.change_price(**body.to_fields())
    return _answer(shop, product.id)
