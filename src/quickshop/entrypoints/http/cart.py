"""Routes about carts. A cart opens only with its token."""

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
    """Units of a SKU to put in a cart."""

    sku: Annotated[
        str,
        Field(min_length=1, max_length=MAX_NAME_LENGTH, examples=["CANDLE-BEE"]),
        STORABLE,
    ]
    quantity: Quantity = 1


class LineChange(Input):
    """How many units a line is to hold."""

    quantity: Quantity


class CartLineOut(Output):
    """One variant in a cart, at today's price."""

    id: UUID
    sku: Annotated[str, Field(validation_alias=AliasPath("offer", "sku"))]
    title: Annotated[str, Field(validation_alias=AliasPath("offer", "title"))]
    variant_title: Annotated[str, Field(validation_alias=AliasPath("offer", "variant_title"))]
    quantity: int
    unit_price: Annotated[MoneyOut, Field(validation_alias=AliasPath("offer", "unit_price"))]
    subtotal: MoneyOut


class CartOut(Output):
    """A cart, priced as checking out now would be."""

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
    """A cart just created; the token is shown this once."""

    token: Annotated[
        str | None,
        Field(description="To be sent as `X-Cart-Token`. Null for those who are signed in."),
    ]


class CartPage(Output):
    """Some carts, the one changed last first, and the cursor that continues after them."""

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
    """Take a new, empty cart. Keep its token: without it nobody can open a guest's cart."""
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
    """Show the carts that you have not checked out yet."""
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
    """Bring a guest's cart into your account: its lines join those of your cart, all of them."""
    return private(CartOut.of(shop.carts.claim(CartId(cart_id), token, me)))


@router.get(
    "/{cart_id}",
    operation_id="get_cart",
    response_model=CartOut,
    responses=problems(404, 422, 503),
)
@open_to(SHOPPER)
def get_cart(shop: ShopDependency, cart_id: UUID, shopper: CartShopper) -> Response:
    """Show a cart at today's prices."""
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
    """Put units of a SKU in a cart; one that is there already gets more of them."""
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
    """Set how many units a line holds."""
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
    """Take a line out of a cart."""
    return private(
        CartOut.of(shop.carts.remove_line(CartId(cart_id), shopper, CartLineId(line_id)))
    )
