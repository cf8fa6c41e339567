"""Routes for carts. A guest's cart opens only with its token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AliasPath, Field

from quickshop.domain.cart import MAX_QUANTITY, CartId, CartLineId, CartStatus
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.entrypoints.http.dependencies import (
    CallerDependency,
    CartShopper,
    CartToken,
    Cursor,
    Limit,
    OwnCustomerId,
    ShopDependency,
)
from quickshop.entrypoints.http.edge.audience import ACCOUNT, SHOPPER, open_to
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Input, Output, private, private_json
from quickshop.entrypoints.http.money import MoneyOut
from quickshop.entrypoints.http.texts import STORABLE
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/carts", tags=["carts"], route_class=GuardedRoute)

Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]


class NewLine(Input):
    """Units of a SKU to add to a cart."""

    sku: Annotated[
        str,
        Field(min_length=1, max_length=MAX_NAME_LENGTH, examples=["CANDLE-BEE"]),
        STORABLE,
    ]
    quantity: Quantity = 1


class LineChange(Input):
    """The new quantity of a cart line."""

    quantity: Quantity


class CartLineOut(Output):
    """A variant in a cart, at its current price."""

    id: UUID
    sku: Annotated[str, Field(validation_alias=AliasPath("offer", "sku"))]
    title: Annotated[str, Field(validation_alias=AliasPath("offer", "title"))]
    variant_title: Annotated[str, Field(validation_alias=AliasPath("offer", "variant_title"))]
    quantity: int
    unit_price: Annotated[MoneyOut, Field(validation_alias=AliasPath("offer", "unit_price"))]
    subtotal: MoneyOut


class CartOut(Output):
    """A cart at current prices."""

    id: UUID
    status: CartStatus
    lines: tuple[CartLineOut, ...]
    subtotal: MoneyOut
    discount: MoneyOut
    shipping: MoneyOut
    tax: MoneyOut
    total: MoneyOut
    version: int


class NewCartOut(CartOut):
    """A new cart. The token is shown only once."""

    token: Annotated[
        str | None,
        Field(description="Send it as `X-Cart-Token`. Null if you are signed in."),
    ]


class CartPage(Output):
    """A page of carts, last changed first, and the cursor of the next page."""

    items: tuple[CartOut, ...]
    next_cursor: str | None


@router.post(
    "",
    operation_id="create_cart",
    status_code=201,
    response_model=NewCartOut,
    responses=problems(413, 503),
)
@open_to(SHOPPER)
def create_cart(shop: ShopDependency, caller: CallerDependency) -> Response:
    """Create an empty cart. Keep its token: a guest's cart opens only with it."""
    customer_id = caller.customer_id if caller else None
    new = shop.carts.create(customer_id=customer_id)
    answer = NewCartOut.of(new.cart, token=None if customer_id else new.token)
    return private(answer, status=201, headers={"Location": f"/v1/carts/{new.cart.id}"})


@router.get(
    "", operation_id="list_own_carts", response_model=CartPage, responses=problems(422, 503)
)
@open_to(ACCOUNT)
def list_own_carts(
    shop: ShopDependency, me: OwnCustomerId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List your open carts."""
    page = shop.carts.list_own(me, limit=limit, cursor=cursor)
    items = tuple(CartOut.of(view) for view in page.items)
    return private(CartPage(items=items, next_cursor=page.next_cursor))


@router.post(
    "/{cart_id}/claim",
    operation_id="claim_cart",
    response_model=CartOut,
    responses=problems(404, 409, 413, 422, 503),
)
@open_to(ACCOUNT)
def claim_cart(
    shop: ShopDependency, cart_id: UUID, me: OwnCustomerId, token: CartToken = ""
) -> Response:
    """Add a guest's cart to your account. Its lines are merged into your cart."""
    return private(CartOut.of(shop.carts.claim(CartId(cart_id), token, me)))


@router.get(
    "/{cart_id}",
    operation_id="get_cart",
    response_model=CartOut,
    responses=problems(404, 422, 503),
)
@open_to(SHOPPER)
def get_cart(shop: ShopDependency, cart_id: UUID, shopper: CartShopper) -> Response:
    """Return a cart at current prices."""
    body = shop.carts.page(CartId(cart_id), shopper, lambda view: CartOut.of(view).to_json())
    return private_json(body)


@router.post(
    "/{cart_id}/lines",
    operation_id="add_cart_line",
    response_model=CartOut,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
@open_to(SHOPPER)
def add_cart_line(
    shop: ShopDependency, cart_id: UUID, body: NewLine, shopper: CartShopper
) -> Response:
    """Add units of a SKU to a cart. If the cart has a line of this SKU, its quantity grows."""
    view = shop.carts.add_line(CartId(cart_id), shopper, sku=body.sku, quantity=body.quantity)
    return private(CartOut.of(view))


@router.patch(
    "/{cart_id}/lines/{line_id}",
    operation_id="change_cart_line",
    response_model=CartOut,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
@open_to(SHOPPER)
def change_cart_line(
    shop: ShopDependency, cart_id: UUID, line_id: UUID, body: LineChange, shopper: CartShopper
) -> Response:
    """Set the quantity of a cart line."""
    view = shop.carts.change_line(
        CartId(cart_id), shopper, CartLineId(line_id), quantity=body.quantity
    )
    return private(CartOut.of(view))


@router.delete(
    "/{cart_id}/lines/{line_id}",
    operation_id="remove_cart_line",
    response_model=CartOut,
    responses=problems(404, 409, 413, 422, 503),
)
@open_to(SHOPPER)
def remove_cart_line(
    shop: ShopDependency, cart_id: UUID, line_id: UUID, shopper: CartShopper
) -> Response:
    """Remove a line from a cart."""
    return private(
        CartOut.of(shop.carts.remove_line(CartId(cart_id), shopper, CartLineId(line_id)))
    )
