"""Routes that set units aside for a cart, and give them back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response

from quickshop.domain.cart import CartId
from quickshop.entrypoints.http.dependencies import CartShopper, IdempotencyKey, ShopDependency
from quickshop.entrypoints.http.edge.audience import SHOPPER, open_to
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Output, nothing, private, replay_headers

router = APIRouter(prefix="/v1/carts", tags=["carts"], route_class=GuardedRoute)


class HeldLineOut(Output):
    """Units of a SKU that are set aside."""

    sku: str
    quantity: int


class HoldOut(Output):
    """What is set aside for a cart."""

    cart_id: UUID
    lines: tuple[HeldLineOut, ...]
    expires_at: datetime
    """Until then at least nobody else can buy it."""


@router.post(
    "/{cart_id}/hold",
    operation_id="hold_cart",
    status_code=201,
    response_model=HoldOut,
    responses=problems(400, 404, 409, 413, 422, 503),
)
@open_to(SHOPPER)
def hold_cart(
    shop: ShopDependency, cart_id: UUID, idempotency_key: IdempotencyKey, shopper: CartShopper
) -> Response:
    """Set aside all that is in the cart while its shopper checks out; again makes it last anew."""
    answer = shop.carts.hold(CartId(cart_id), shopper, idempotency_key=idempotency_key)
    headers = replay_headers(replayed=answer.replayed)
    return private(HoldOut.of(answer.value), status=201, headers=headers)


@router.delete(
    "/{cart_id}/hold",
    operation_id="release_cart",
    status_code=204,
    responses=problems(404, 413, 422, 503),
)
@open_to(SHOPPER)
def release_cart(shop: ShopDependency, cart_id: UUID, shopper: CartShopper) -> Response:
    """Give back what is set aside for the cart; what is in it stays in it."""
    shop.carts.release(CartId(cart_id), shopper)
    return nothing()
