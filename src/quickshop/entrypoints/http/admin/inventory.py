"""Admin routes for stock levels and locations."""

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
    Location | None, Field(description="The location's name. Null: the shop's default location.")
]


class StockOut(Output):
    """The stock level of a SKU at a location, in units."""

    sku: str
    title: str
    location: str
    on_hand: int
    """Units in stock, including allocated and held ones."""
    allocated: int
    """Units of orders that have not shipped."""
    held: int
    """Units held for carts."""
    available: int
    """Units that can be bought now, including back-orders."""
    backorder_limit: int
    low_stock_threshold: int | None
    """Null: the shop's default."""
    stripes: int


class StockPage(Output):
    """A page of levels, sorted by SKU and location, and the cursor of the next page."""

    items: tuple[StockOut, ...]
    next_cursor: str | None


class LocationOut(Output):
    """A stock location. Lower priority numbers ship first."""

    id: UUID
    name: str
    priority: int


class LocationList(Output):
    """All locations, sorted by name."""

    items: tuple[LocationOut, ...]


class StockChangeOut(Output):
    """A change of a stock level."""

    sku: str
    location: str
    quantity: int
    """Units added; below 0, removed."""


class StockTransferOut(Output):
    """A transfer of units between two locations."""

    sku: str
    quantity: int
    from_location: str
    to_location: str


class ReceiptIn(Input):
    """Received units."""

    sku: Sku
    quantity: Units
    location: Annotated[
        Location | None,
        Field(
            description="The location's name; created if new. Null: the shop's default location."
        ),
    ] = None
    reason: LedgerReason = "received"


class AdjustmentIn(Input):
    """A correction of a stock level: units to add, or below 0 to remove."""

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
    """The counted units of a SKU, including allocated ones."""

    sku: Sku
    counted: Counted
    location: WhereIfNotDefault = None
    reason: LedgerReason = "counted"


class TransferIn(Input):
    """Units to transfer from one location to another."""

    sku: Sku
    quantity: Units
    to_location: Annotated[Location, Field(description="The target location; created if new.")]
    from_location: WhereIfNotDefault = None
    reason: LedgerReason = "transferred"


class StockSettingsIn(Input):
    """Settings of a stock level. Absent fields stay unchanged."""

    sku: Sku
    location: WhereIfNotDefault = None
    backorder_limit: Counted | None = None
    """Units that may be sold beyond the stock."""
    low_stock_threshold: Counted | None = None
    """Staff are notified when this many free units or fewer remain."""
    stripes: Annotated[int | None, Field(ge=0, le=MAX_STRIPES)] = None
    """Rows over which a level with many concurrent buyers is spread."""


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
    sku: Annotated[Name | None, Query(description="Only this SKU.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List stock levels, sorted by SKU and location."""
    return private(StockPage.of(shop.inventory.list(sku=sku, limit=limit, cursor=cursor)))


@router.get(
    "/locations",
    operation_id="list_locations",
    response_model=LocationList,
    responses=staff_problems(),
)
@open_to(staff(ListLocations))
def list_locations(shop: ShopDependency) -> Response:
    """List the stock locations."""
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
    """Add received units to the stock."""
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
    """Correct a stock level by a difference, with a reason. Allocated units cannot be removed."""
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
    """Set a stock level to a counted number of units. The response has the difference."""
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
    """Transfer free units from one location to another."""
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
    """Set the back-order limit, the low-stock threshold and the stripes of a stock level."""
    shop.inventory.configure(
        body.sku,
        location=body.location,
        backorder_limit=body.backorder_limit,
        low_stock_threshold=body.low_stock_threshold,
        stripes=body.stripes,
    )
    return nothing()
