"""Routes by which staff keep the stock."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from quickshop.application.idempotency import Answer
from quickshop.application.inventory import (
    AdjustStock,
    ConfigureStock,
    CountStock,
    ListLocations,
    ListStock,
    ReceiveStock,
    StockChange,
    TransferStock,
)
from quickshop.domain.inventory import MAX_STRIPES, MAX_UNITS
from quickshop.entrypoints.http.admin.shared import (
    Caller,
    LedgerReason,
    Location,
    staff_problems,
)
from quickshop.entrypoints.http.catalog import Name
from quickshop.entrypoints.http.dependencies import Cursor, IdempotencyKey, Limit, ShopDependency
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.models import Input, Output, Sku, nothing, private, replay_headers
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/admin", tags=["admin: inventory"], route_class=GuardedRoute)

Units = Annotated[int, Field(ge=1, le=MAX_UNITS)]
Counted = Annotated[int, Field(ge=0, le=MAX_UNITS)]
WhereIfNotDefault = Annotated[
    Location | None, Field(description="Where it lies; null: where the shop's stock lies.")
]


class StockOut(Output):
    """The units of one SKU at one location."""

    sku: str
    title: str
    location: str
    on_hand: int
    """On the shelf, promised or not."""
    allocated: int
    """Promised to orders that have not shipped."""
    held: int
    """Set aside for shoppers who are checking out."""
    available: int
    """Can be bought now, back-orders included."""
    backorder_limit: int
    low_stock_threshold: int | None
    """Null: that of the shop."""
    stripes: int


class StockPage(Output):
    """Some levels, by SKU and location, and the cursor that continues after them."""

    items: tuple[StockOut, ...]
    next_cursor: str | None


class LocationOut(Output):
    """A place where stock lies. The lower its priority, the sooner it ships."""

    id: UUID
    name: str
    priority: int


class LocationList(Output):
    """Every location, by name."""

    items: tuple[LocationOut, ...]


class StockChangeOut(Output):
    """By how much a shelf was changed."""

    sku: str
    location: str
    quantity: int
    """Units more, or below 0 fewer."""


class StockTransferOut(Output):
    """How many units went from where to where."""

    sku: str
    quantity: int
    from_location: str
    to_location: str


class ReceiptIn(Input):
    """Units that arrived. The location is opened if it is new."""

    sku: Sku
    quantity: Units
    location: Annotated[
        Location | None,
        Field(
            description="Where it lies; opened if it is new. Null: where the shop's stock lies."
        ),
    ] = None
    reason: LedgerReason = "received"


class AdjustmentIn(Input):
    """By how much the shelf is to be corrected."""

    sku: Sku
    quantity: Annotated[
        int,
        Field(
            ge=-MAX_UNITS,
            le=MAX_UNITS,
            description="Not 0.",
            json_schema_extra={"not": {"const": 0}},
        ),
    ]
    reason: LedgerReason
    location: WhereIfNotDefault = None


class CountIn(Input):
    """What somebody counted on the shelf, promised units included."""

    sku: Sku
    counted: Counted
    location: WhereIfNotDefault = None
    reason: LedgerReason = "counted"


class TransferIn(Input):
    """Units that go from one location to another, which is opened if it is new."""

    sku: Sku
    quantity: Units
    to_location: Annotated[Location, Field(description="Where they go; opened if it is new.")]
    from_location: WhereIfNotDefault = None
    reason: LedgerReason = "transferred"


class StockSettingsIn(Input):
    """How a level is to be kept. What is absent stays as it is."""

    sku: Sku
    location: WhereIfNotDefault = None
    backorder_limit: Counted | None = None
    """Units that may be sold beyond what is there."""
    low_stock_threshold: Counted | None = None
    """Staff are told when no more than these are free."""
    stripes: Annotated[int | None, Field(ge=0, le=MAX_STRIPES)] = None
    """Rows to spread a hot level over."""


def _changed(answer: Answer[StockChange]) -> Response:
    headers = replay_headers(replayed=answer.replayed)
    return private(StockChangeOut.of(answer.value), headers=headers)


@router.get(
    "/inventory",
    operation_id="list_stock",
    response_model=StockPage,
    responses=staff_problems(422),
)
@open_to(staff(ListStock))
def list_stock(
    shop: ShopDependency,
    sku: Annotated[Name | None, Query(description="Only this one.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Show how many units lie where, by SKU and location."""
    return private(StockPage.of(shop.inventory.list(sku=sku, limit=limit, cursor=cursor)))


@router.get(
    "/locations",
    operation_id="list_locations",
    response_model=LocationList,
    responses=staff_problems(),
)
@open_to(staff(ListLocations))
def list_locations(shop: ShopDependency) -> Response:
    """Show the places where stock lies."""
    return private(LocationList.model_validate({"items": shop.inventory.locations()}))


@router.post(
    "/inventory/receipts",
    operation_id="receive_stock",
    response_model=StockChangeOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(ReceiveStock))
def receive_stock(
    shop: ShopDependency, body: ReceiptIn, idempotency_key: IdempotencyKey, by: Caller
) -> Response:
    """Put units that arrived on the shelf."""
    return _changed(
        shop.inventory.receive(
            body.sku,
            body.quantity,
            location=body.location,
            reason=body.reason,
            idempotency_key=idempotency_key,
            by=by,
        )
    )


@router.post(
    "/inventory/adjustments",
    operation_id="adjust_stock",
    response_model=StockChangeOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(AdjustStock))
def adjust_stock(
    shop: ShopDependency, body: AdjustmentIn, idempotency_key: IdempotencyKey, by: Caller
) -> Response:
    """Correct the shelf, up or down, and say why. Promised units cannot be taken away."""
    return _changed(
        shop.inventory.adjust(
            body.sku,
            body.quantity,
            reason=body.reason,
            location=body.location,
            idempotency_key=idempotency_key,
            by=by,
        )
    )


@router.post(
    "/inventory/counts",
    operation_id="count_stock",
    response_model=StockChangeOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(CountStock))
def count_stock(
    shop: ShopDependency, body: CountIn, idempotency_key: IdempotencyKey, by: Caller
) -> Response:
    """Have the shelf hold what somebody counted there; the answer tells the difference."""
    return _changed(
        shop.inventory.count(
            body.sku,
            body.counted,
            reason=body.reason,
            location=body.location,
            idempotency_key=idempotency_key,
            by=by,
        )
    )


@router.post(
    "/inventory/transfers",
    operation_id="transfer_stock",
    response_model=StockTransferOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(TransferStock))
def transfer_stock(
    shop: ShopDependency, body: TransferIn, idempotency_key: IdempotencyKey, by: Caller
) -> Response:
    """Take units that nobody was promised from one location to another."""
    answer = shop.inventory.transfer(
        body.sku,
        body.quantity,
        to_location=body.to_location,
        from_location=body.from_location,
        reason=body.reason,
        idempotency_key=idempotency_key,
        by=by,
    )
    headers = replay_headers(replayed=answer.replayed)
    return private(StockTransferOut.of(answer.value), headers=headers)


@router.patch(
    "/inventory",
    operation_id="configure_stock",
    status_code=204,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(ConfigureStock))
def configure_stock(shop: ShopDependency, body: StockSettingsIn) -> Response:
    """Say how far a level may be sold below nothing, and when staff are to be told."""
    shop.inventory.configure(
        body.sku,
        location=body.location,
        backorder_limit=body.backorder_limit,
        low_stock_threshold=body.low_stock_threshold,
        stripes=body.stripes,
    )
    return nothing()
