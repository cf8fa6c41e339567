"""Admin routes for orders, fulfillments and payments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from quickshop.application.fulfillment import AddNote, CompleteOrder, FulfillOrder
from quickshop.application.idempotency import Answer
from quickshop.application.orders import MAX_TIMELINE, CancelOrder, GetOrder, ListOrders
from quickshop.application.payments import (
    CapturePayment,
    RefundOrder,
    VoidPayment,
)
from quickshop.domain.customers import MAX_EMAIL_LENGTH, MIN_EMAIL_LENGTH, CustomerId
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.orders import MAX_NUMBER_LENGTH, OrderId, OrderStatus
from quickshop.entrypoints.http.admin.order_models import (
    AdminOrderOut,
    AdminOrderPage,
    CaptureIn,
    FulfillmentIn,
    FulfillmentLineIn,
    NoteIn,
    PaymentOut,
    RefundIn,
    WholeOrderOut,
)
from quickshop.entrypoints.http.admin.shared import Caller, staff_problems
from quickshop.entrypoints.http.dependencies import (
    Cursor,
    IdempotencyKey,
    Limit,
    QueryText,
    ShopDependency,
)
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.models import nothing, private, replay_headers
from quickshop.entrypoints.http.orders import Cancellation
from quickshop.entrypoints.http.texts import EMAIL
from quickshop.ports.orders import OrderView
from quickshop.ports.paging import DEFAULT_LIMIT
from quickshop.ports.payments import PaymentView
from quickshop.shop import Shop

router = APIRouter(prefix="/v1/admin/orders", tags=["admin: orders"], route_class=GuardedRoute)


def _order(view: OrderView, *, replayed: bool = False, status: int = 200) -> Response:
    headers = replay_headers(replayed=replayed)
    return private(AdminOrderOut.of(view), status=status, headers=headers)


def _payment(answer: Answer[PaymentView], *, status: int = 200) -> Response:
    headers = replay_headers(replayed=answer.replayed)
    return private(PaymentOut.of(answer.value), status=status, headers=headers)


@router.get(
    "", operation_id="list_orders", response_model=AdminOrderPage, responses=staff_problems(422)
)
@open_to(staff(ListOrders))
def list_orders(
    shop: ShopDependency,
    number: Annotated[QueryText | None, Query(min_length=1, max_length=MAX_NUMBER_LENGTH)] = None,
    email: Annotated[
        Annotated[QueryText, EMAIL] | None,
        Query(
            min_length=MIN_EMAIL_LENGTH,
            max_length=MAX_EMAIL_LENGTH,
            description="Case is ignored.",
        ),
    ] = None,
    customer_id: UUID | None = None,
    status: OrderStatus | None = None,
    placed_from: Annotated[AwareDatetime | None, Query(description="Inclusive.")] = None,
    placed_before: Annotated[AwareDatetime | None, Query(description="Exclusive.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List and search all orders, newest first. All given criteria must match."""
    page = shop.orders.list(
        number=number,
        email=email,
        customer_id=None if customer_id is None else CustomerId(customer_id),
        status=status,
        placed_from=placed_from,
        placed_before=placed_before,
        limit=limit,
        cursor=cursor,
    )
    return private(AdminOrderPage.of(page))


@router.get(
    "/{order_id}",
    operation_id="get_order",
    response_model=WholeOrderOut,
    responses=staff_problems(404, 422),
)
@open_to(staff(GetOrder))
def get_order(shop: ShopDependency, order_id: UUID) -> Response:
    """Return an order with its payments and its timeline."""
    return private(_whole(shop, OrderId(order_id)))


def _whole(shop: Shop, order_id: OrderId) -> WholeOrderOut:
    timeline = shop.orders.timeline(order_id, newest=MAX_TIMELINE + 1)
    return WholeOrderOut.of(
        shop.orders.get(order_id),
        payments=shop.orders.payments(order_id),
        timeline=timeline[-MAX_TIMELINE:],
        timeline_is_whole=len(timeline) <= MAX_TIMELINE,
    )


@contextmanager
def _as_sent(lines: list[FulfillmentLineIn]) -> Iterator[None]:
    """Map the line index of an `InvalidValueError` to the request, where a line may be twice."""
    try:
        yield
    except InvalidValueError as error:
        match error.field.split("."):
            case ["lines", place, field]:
                names = [line.line_id for line in lines]
                n = names.index([*dict.fromkeys(names)][int(place)])
                raise InvalidValueError(f"lines.{n}.{field}", error.rule) from None
            case _:
                raise


@router.post(
    "/{order_id}/fulfillments",
    operation_id="fulfill_order",
    status_code=201,
    response_model=AdminOrderOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(FulfillOrder))
def fulfill_order(
    shop: ShopDependency,
    order_id: UUID,
    idempotency_key: IdempotencyKey,
    by: Caller,
    body: FulfillmentIn | None = None,
) -> Response:
    """Ship a paid order, in full or in part. The shopper is notified."""
    wanted = body or FulfillmentIn()
    units: Counter[UUID | str] = Counter()
    for line in wanted.lines or ():
        units[line.line_id] += line.quantity
    with _as_sent(wanted.lines or []):
        answer = shop.orders.fulfill(
            OrderId(order_id),
            lines=None if wanted.lines is None else units,
            location=wanted.location,
            carrier=wanted.carrier,
            tracking_number=wanted.tracking_number,
            tracking_url=wanted.tracking_url,
            idempotency_key=idempotency_key,
            by=by,
        )
    return _order(answer.value, replayed=answer.replayed, status=201)


@router.post(
    "/{order_id}/complete",
    operation_id="complete_order",
    response_model=AdminOrderOut,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(CompleteOrder))
def complete_order(shop: ShopDependency, order_id: UUID) -> Response:
    """Complete an order that has shipped in full."""
    return _order(shop.orders.complete(OrderId(order_id)))


@router.post(
    "/{order_id}/cancel",
    operation_id="cancel_order",
    response_model=AdminOrderOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(CancelOrder))
def cancel_order(
    shop: ShopDependency,
    order_id: UUID,
    idempotency_key: IdempotencyKey,
    by: Caller,
    body: Cancellation | None = None,
) -> Response:
    """Cancel an order. Its stock is released, and its payments are refunded."""
    answer = shop.orders.cancel(
        OrderId(order_id),
        reason=body.reason if body else "",
        idempotency_key=idempotency_key,
        by=by,
    )
    return _order(answer.value, replayed=answer.replayed)


@router.post(
    "/{order_id}/notes",
    operation_id="add_note",
    status_code=204,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(AddNote))
def add_note(shop: ShopDependency, order_id: UUID, body: NoteIn) -> Response:
    """Add a staff note to the timeline of an order."""
    shop.orders.add_note(OrderId(order_id), body.note)
    return nothing()


@router.post(
    "/{order_id}/capture",
    operation_id="capture_payment",
    response_model=PaymentOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(CapturePayment))
def capture_payment(
    shop: ShopDependency,
    order_id: UUID,
    idempotency_key: IdempotencyKey,
    by: Caller,
    body: CaptureIn | None = None,
) -> Response:
    """Capture authorized money. The gateway is called in the background."""
    amount = body.amount if body else None
    return _payment(
        shop.orders.capture(
            OrderId(order_id),
            amount=amount.to_domain() if amount else None,
            idempotency_key=idempotency_key,
            by=by,
        )
    )


@router.post(
    "/{order_id}/void",
    operation_id="void_payment",
    response_model=PaymentOut,
    responses=staff_problems(400, 404, 409, 413, 422),
)
@open_to(staff(VoidPayment))
def void_payment(
    shop: ShopDependency, order_id: UUID, idempotency_key: IdempotencyKey, by: Caller
) -> Response:
    """Void authorized money. The gateway is called in the background."""
    return _payment(shop.orders.void(OrderId(order_id), idempotency_key=idempotency_key, by=by))


@router.post(
    "/{order_id}/refunds",
    operation_id="refund_order",
    status_code=201,
    response_model=PaymentOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(RefundOrder))
def refund_order(
    shop: ShopDependency,
    order_id: UUID,
    idempotency_key: IdempotencyKey,
    by: Caller,
    body: RefundIn | None = None,
) -> Response:
    """Refund an order, in full or in part. The money is sent in the background."""
    wanted = body or RefundIn()
    return _payment(
        shop.orders.refund(
            OrderId(order_id),
            amount=wanted.amount.to_domain() if wanted.amount else None,
            reason=wanted.reason,
            idempotency_key=idempotency_key,
            by=by,
        ),
        status=201,
    )
