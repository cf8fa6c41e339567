"""Dependencies of routes: the shop, the caller, and shared headers and parameters."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from quickshop.application.shopper import Shopper
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import NotSignedInError
from quickshop.domain.idempotency import KEY_LIFETIME, MAX_KEY_LENGTH
from quickshop.entrypoints.http.edge.access_log import CALLER_KEY
from quickshop.entrypoints.http.sentences import KEY_PATTERN
from quickshop.entrypoints.http.texts import CURSOR, PRINTABLE
from quickshop.ports.identity import Caller
from quickshop.ports.paging import MAX_CURSOR_LENGTH, MAX_LIMIT
from quickshop.shop import Shop


async def _shop(request: Request) -> Shop:  # async: it does not block, so it needs no thread
    shop: Shop = request.app.state.shop
    return shop


ShopDependency = Annotated[Shop, Depends(_shop)]

# A missing token is treated as a wrong one, so both have the same error.
CartToken = Annotated[
    str,
    Header(
        alias="X-Cart-Token",
        description="The `token` from creating the cart. Without it the cart is not found.",
    ),
]
OrderToken = Annotated[
    str,
    Header(
        alias="X-Order-Token",
        description="The `token` from placing the order. Without it the order is not found.",
    ),
]


async def _caller(request: Request) -> Caller | None:
    caller: Caller | None = request.scope.get(CALLER_KEY)
    return caller


CallerDependency = Annotated[Caller | None, Depends(_caller)]
"""The caller, if the route authenticates and credentials were sent."""


async def _signed_in(request: Request) -> Caller:
    caller: Caller | None = request.scope.get(CALLER_KEY)
    if caller is None:
        raise NotSignedInError
    return caller


SignedInCaller = Annotated[Caller, Depends(_signed_in)]
"""The caller of a route that requires signing in."""


async def _customer(request: Request) -> CustomerId:
    customer_id = (await _signed_in(request)).customer_id
    if customer_id is None:
        raise NotSignedInError
    return customer_id


OwnCustomerId = Annotated[CustomerId, Depends(_customer)]
"""The id of the signed-in customer."""


async def _cart_shopper(request: Request, token: CartToken = "") -> Shopper:
    return _shopper(request, token)


async def _order_shopper(request: Request, token: OrderToken = "") -> Shopper:
    return _shopper(request, token)


def _shopper(request: Request, token: str) -> Shopper:
    caller: Caller | None = request.scope.get(CALLER_KEY)
    return Shopper(token, caller.customer_id if caller else None)


CartShopper = Annotated[Shopper, Depends(_cart_shopper)]
OrderShopper = Annotated[Shopper, Depends(_order_shopper)]
"""The shopper, by their session or by a guest's secret."""

_KEY_DESCRIPTION: Final = (
    f"1 to {MAX_KEY_LENGTH} printable ASCII characters. A repeated request with the same key "
    "returns the first response, with `Idempotent-Replayed: true`. Keys are kept for "
    f"{KEY_LIFETIME // timedelta(hours=1)} hours."
)
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        pattern=KEY_PATTERN,
        description=_KEY_DESCRIPTION,
    ),
]

_INTEGER: Final = re.compile(r"-?[0-9]{1,16}(?:\.0{1,16})?")
_BOOLEANS: Final = {"true": True, "false": False}


def _integer(value: object) -> object:
    # pydantic would also accept "1_000". In JSON Schema, 3.0 is an integer.
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise PydanticCustomError("int_parsing", "must be a whole number")
    return value


def _boolean(value: object) -> object:
    if isinstance(value, str):
        if value not in _BOOLEANS:
            raise PydanticCustomError("bool_parsing", "must be true or false")
        return _BOOLEANS[value]
    return value


def require_printable(value: str) -> str:
    """Return the text if it is printable on one line."""
    if not value.isprintable():
        raise PydanticCustomError("not_printable", "must contain only printable characters")
    return value


WHOLE_NUMBER: Final = BeforeValidator(_integer)
"""Put it after the bounds of the number: pydantic drops those after it from the document."""
QueryBoolean = Annotated[bool, BeforeValidator(_boolean)]
QueryText = Annotated[str, AfterValidator(require_printable), PRINTABLE]

Limit = Annotated[
    int, Field(ge=1, le=MAX_LIMIT), WHOLE_NUMBER, Query(description="Items per page.")
]
Cursor = Annotated[
    Annotated[QueryText, CURSOR] | None,
    Query(
        min_length=1,
        max_length=MAX_CURSOR_LENGTH,
        description="The `next_cursor` of the previous page; absent for the first page.",
    ),
]
