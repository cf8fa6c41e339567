"""Routes that move stock and money: placing an order, and paying it again."""

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
    """How the shopper pays: never a card number, only what the gateway made of it."""

    method: Annotated[
        str,
        NOT_BLANK,
        Field(
            min_length=1,
            max_length=MAX_METHOD_LENGTH,
            description="A way to pay, as the shop's payment gateway calls it; `card` at every "
            "one. The gateway decides: the payment fails when it knows none of this name. The "
            "sandbox takes any.",
            examples=["card"],
        ),
    ]
    token: Annotated[
        str,
        NOT_BLANK,
        Field(
            min_length=1,
            max_length=MAX_TOKEN_LENGTH,
            description="What the gateway made of the card. A card number is refused.",
            examples=["tok_ok"],
        ),
    ]

    def to_domain(self, field: str = "") -> PaymentSource:
        """The same as the shop knows it.

        Raises:
            InvalidValueError: no gateway issued such a token; the error's field is in `field`.
        """
        with within(field):
            return PaymentSource(token=self.token, method=self.method)


class Checkout(Input):
    """All that turns a cart into an order."""

    email: Annotated[
        str,
        Field(
            min_length=MIN_EMAIL_LENGTH, max_length=MAX_EMAIL_LENGTH, examples=["ada@example.com"]
        ),
        EMAIL,
    ]
    shipping_address: AddressIn
    billing_address: AddressIn | None = None
    """The shipping address, unless another is given."""
    shipping_method: None = None
    """This shop has none to choose from yet."""
    payment: PaymentIn
    expected_total: MoneyIn | None = None
    """What the shopper was shown; nothing is ordered at another price."""


class PlacedOrderOut(OrderOut):
    """An order just placed; the token is shown in this answer only."""

    token: Annotated[
        str | None,
        Field(description="To be sent as `X-Order-Token`. Null for those who are signed in."),
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
    """Turn a cart into an order, `pending` until its payment is made in the background."""
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
    """Pay an order another way after `payment_failed`; it is `pending` again."""
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
