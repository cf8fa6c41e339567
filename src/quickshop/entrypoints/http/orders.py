"""Routes for placed orders. A guest's order opens only with its token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.values import MAX_REASON_LENGTH
from quickshop.entrypoints.http.customers import AddressOut
from quickshop.entrypoints.http.dependencies import (
    Cursor,
    IdempotencyKey,
    Limit,
    OrderShopper,
    ShopDependency,
)
from quickshop.entrypoints.http.edge.audience import SHOPPER, open_to
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Input, Output, private, replay_headers
from quickshop.entrypoints.http.money import MoneyOut
from quickshop.entrypoints.http.texts import PROSE
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=GuardedRoute)


class OrderLineOut(Output):
    """An ordered variant, with the title and price it was ordered at."""

    id: UUID
    sku: str
    title: str
    variant_title: str
    quantity: int
    unit_price: MoneyOut
    subtotal: MoneyOut


class ShippedItemOut(Output):
    """Units of a SKU in a parcel."""

    sku: str
    quantity: int


class FulfillmentOut(Output):
    """A shipped parcel. Unknown tracking fields are empty."""

    number: int
    """Counts from 1 within the order."""
    carrier: str
    tracking_number: str
    tracking_url: str
    shipped_at: AwareDatetime
    lines: tuple[ShippedItemOut, ...]


class OrderOut(Output):
    """An order. Its lines and amounts never change."""

    id: UUID
    number: str
    status: OrderStatus
    email: str
    lines: tuple[OrderLineOut, ...]
    subtotal: MoneyOut
    discount: MoneyOut
    shipping: MoneyOut
    tax: MoneyOut
    total: MoneyOut
    shipping_address: AddressOut
    billing_address: AddressOut
    placed_at: AwareDatetime
    payment_action: Annotated[
        str | None,
        Field(
            description="Set while the shopper must authenticate with their bank: the URL to "
            "redirect them to, or the gateway's secret for its script in the browser."
        ),
    ] = None
    fulfillments: tuple[FulfillmentOut, ...] = ()
    """The parcels, first shipped first."""


class OrderPage(Output):
    """A page of orders, newest first, and the cursor of the next page."""

    items: tuple[OrderOut, ...]
    next_cursor: str | None


class Cancellation(Input):
    """A cancellation of an order, with a reason."""

    reason: Annotated[str, Field(max_length=MAX_REASON_LENGTH), PROSE] = ""


@router.get(
    "",
    operation_id="list_own_orders",
    response_model=OrderPage,
    responses=problems(422, 503),
)
@open_to(SHOPPER)
def list_own_orders(
    shop: ShopDependency,
    shopper: OrderShopper,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List your orders. A guest's token opens one order."""
    return private(OrderPage.of(shop.orders.list_own(shopper, limit=limit, cursor=cursor)))


@router.get(
    "/{order_id}",
    operation_id="get_own_order",
    response_model=OrderOut,
    responses=problems(404, 422, 503),
)
@open_to(SHOPPER)
def get_own_order(shop: ShopDependency, order_id: UUID, shopper: OrderShopper) -> Response:
    """Return an order to the shopper who placed it."""
    return private(OrderOut.of(shop.orders.open(OrderId(order_id), shopper)))


@router.post(
    "/{order_id}/cancel",
    operation_id="cancel_own_order",
    response_model=OrderOut,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
@open_to(SHOPPER)
def cancel_own_order(
    shop: ShopDependency,
    order_id: UUID,
    idempotency_key: IdempotencyKey,
    shopper: OrderShopper,
    body: Cancellation | None = None,
) -> Response:
    """Cancel an order. Its stock is released, and its payments are refunded.

    Of concurrent requests, one succeeds and the others get 409. A repeated request with the same
    key gets the same answer.
    """
    canceled = shop.orders.cancel_own(
        OrderId(order_id),
        shopper,
        reason=body.reason if body else "",
        idempotency_key=idempotency_key,
    )
    headers = replay_headers(replayed=canceled.replayed)
    return private(OrderOut.of(canceled.value), headers=headers)
