"""Routes for holds: hold the units of a cart, and release them."""

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
    """Held units of a SKU."""

    sku: str
    quantity: int


class HoldOut(Output):
    """The held units of a cart."""

    cart_id: UUID
    lines: tuple[HeldLineOut, ...]
    expires_at: datetime
    """The units stay held at least until then."""


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
    """Hold all units in the cart during checkout. A second hold restarts the time."""
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
    """Release the holds of the cart. Its lines do not change."""
    shop.carts.release(CartId(cart_id), shopper)
    return nothing()
