"""Routes for checkout: place an order, and pay it again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from quickshop.application.checkout import PlacedOrder
from quickshop.domain.cart import CartId
from quickshop.domain.customers import MAX_EMAIL_LENGTH, MIN_EMAIL_LENGTH
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import MAX_METHOD_LENGTH, MAX_TOKEN_LENGTH, PaymentSource
from quickshop.entrypoints.http.customers import AddressIn
from quickshop.entrypoints.http.dependencies import (
    CartShopper,
    IdempotencyKey,
    OrderShopper,
    ShopDependency,
)
from quickshop.entrypoints.http.edge.audience import SHOPPER, open_to
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Input, private, replay_headers, within
from quickshop.entrypoints.http.money import MoneyIn
from quickshop.entrypoints.http.orders import OrderOut
from quickshop.entrypoints.http.texts import EMAIL, NOT_BLANK

router = APIRouter(prefix="/v1", tags=["checkout"], route_class=GuardedRoute)


class PaymentIn(Input):
    """A payment method and a token of the gateway; never a card number."""

    method: Annotated[
        str,
        NOT_BLANK,
        Field(
            min_length=1,
            max_length=MAX_METHOD_LENGTH,
            description="The gateway's name of the payment method. Every gateway accepts `card`. "
            "The payment fails if the gateway does not know the method. The sandbox accepts any.",
            examples=["card"],
        ),
    ]
    token: Annotated[
        str,
        NOT_BLANK,
        Field(
            min_length=1,
            max_length=MAX_TOKEN_LENGTH,
            description="The gateway's token for the card. A card number is refused.",
            examples=["tok_ok"],
        ),
    ]

    def to_domain(self, field: str = "") -> PaymentSource:
        """Convert to a payment source.

        Raises:
            InvalidValueError: the token or the method is invalid. `field` prefixes the error's
                field.
        """
        with within(field):
            return PaymentSource(token=self.token, method=self.method)


class Checkout(Input):
    """The details of an order: email address, addresses and payment."""

    email: Annotated[
        str,
        Field(
            min_length=MIN_EMAIL_LENGTH, max_length=MAX_EMAIL_LENGTH, examples=["ada@example.com"]
        ),
        EMAIL,
    ]
    shipping_address: AddressIn
    billing_address: AddressIn | None = None
    """Default: the shipping address."""
    shipping_method: None = None
    """Reserved. There are no shipping methods yet."""
    payment: PaymentIn
    expected_total: MoneyIn | None = None
    """The total shown to the shopper. If the total differs, no order is placed."""


class PlacedOrderOut(OrderOut):
    """A new order. The token is shown only once."""

    token: Annotated[
        str | None,
        Field(description="Send it as `X-Order-Token`. Null if you are signed in."),
    ]


@router.post(
    "/carts/{cart_id}/checkout",
    operation_id="place_order",
    status_code=201,
    response_model=PlacedOrderOut,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
@open_to(SHOPPER)
def place_order(
    shop: ShopDependency,
    cart_id: UUID,
    body: Checkout,
    idempotency_key: IdempotencyKey,
    shopper: CartShopper,
) -> Response:
    """Turn a cart into an order. It is `pending` until it is paid in the background."""
    billing = body.billing_address
    placed = shop.orders.place(
        CartId(cart_id),
        shopper,
        email=body.email,
        shipping_address=body.shipping_address.to_domain("shipping_address"),
        billing_address=billing.to_domain("billing_address") if billing else None,
        payment=body.payment.to_domain("payment"),
        expected_total=body.expected_total.to_domain() if body.expected_total else None,
        idempotency_key=idempotency_key,
    )
    return _placed(PlacedOrderOut.of(placed.order, token=placed.token), placed)


@router.post(
    "/orders/{order_id}/payments",
    operation_id="pay_order_again",
    status_code=201,
    response_model=OrderOut,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
@open_to(SHOPPER)
def pay_order_again(
    shop: ShopDependency,
    order_id: UUID,
    body: PaymentIn,
    idempotency_key: IdempotencyKey,
    shopper: OrderShopper,
) -> Response:
    """Pay an order another way after `payment_failed`. It becomes `pending` again."""
    placed = shop.orders.pay_again(
        OrderId(order_id),
        shopper,
        payment=body.to_domain(),
        idempotency_key=idempotency_key,
    )
    return _placed(OrderOut.of(placed.order), placed)


def _placed(answer: OrderOut, placed: PlacedOrder) -> Response:
    location = {"Location": f"/v1/orders/{placed.order.id}"}
    headers = location | replay_headers(replayed=placed.replayed)
    return private(answer, status=201, headers=headers)
