"""JSON models of orders and payments for staff."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from quickshop.domain.cart import MAX_LINES, MAX_QUANTITY
from quickshop.domain.fulfillment import MAX_TRACKING_LENGTH
from quickshop.domain.orders import MAX_NOTE_LENGTH
from quickshop.domain.payments import PaymentStatus, RefundStatus
from quickshop.domain.values import MAX_REASON_LENGTH, MAX_URL_LENGTH
from quickshop.entrypoints.http.admin.shared import Location
from quickshop.entrypoints.http.models import Id, Input, Output
from quickshop.entrypoints.http.money import MoneyOut, PositiveMoneyIn
from quickshop.entrypoints.http.orders import OrderOut
from quickshop.entrypoints.http.texts import (
    EMPTY_OR_NOT_BLANK,
    PROSE,
    PROSE_NOT_BLANK,
    WEB_URL_OR_EMPTY,
)

Reason = Annotated[
    str,
    Field(max_length=MAX_REASON_LENGTH, description="The shopper sees it."),
    PROSE,
]
TrackingText = Annotated[str, Field(max_length=MAX_TRACKING_LENGTH), EMPTY_OR_NOT_BLANK]


class AdminOrderOut(OrderOut):
    """An order with the fields for staff."""

    customer_id: UUID | None
    """Null for a guest's order."""


class AdminOrderPage(Output):
    """A page of orders, newest first, and the cursor of the next page."""

    items: tuple[AdminOrderOut, ...]
    next_cursor: str | None


class RefundOut(Output):
    """A refund of a payment."""

    number: int
    """Counts from 1 within the payment."""
    amount: MoneyOut
    status: RefundStatus
    reason: str
    failure: str | None
    created_at: AwareDatetime


class PaymentOut(Output):
    """An attempt to pay an order."""

    attempt: int
    """Counts from 1 within the order."""
    status: PaymentStatus
    amount: MoneyOut
    captured: MoneyOut
    refunded: MoneyOut
    refunds: tuple[RefundOut, ...]
    method: str
    gateway_key: str | None
    """The attempt's idempotency key at the gateway."""
    reference: str | None
    """The gateway's id of the payment."""
    failure: str | None
    created_at: AwareDatetime


class TimelineEntryOut(Output):
    """An event of an order."""

    kind: str
    """The event's name, such as `OrderPaid`."""
    occurred_at: AwareDatetime
    facts: dict[str, str]


class WholeOrderOut(AdminOrderOut):
    """An order with its payments and its timeline."""

    payments: tuple[PaymentOut, ...]
    """First attempt first."""
    timeline: tuple[TimelineEntryOut, ...]
    """The newest 200 events, oldest first."""
    timeline_is_whole: bool
    """Whether `timeline` has all events."""


class FulfillmentLineIn(Input):
    """Units of an order line to ship."""

    line_id: Id
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)]


class FulfillmentIn(Input):
    """Units that ship together."""

    lines: Annotated[
        list[FulfillmentLineIn] | None,
        Field(
            min_length=1,
            max_length=MAX_LINES,
            description="The units to ship. Default: all unshipped units.",
        ),
    ] = None
    location: Annotated[
        Location | None, Field(description="Ship only units allocated at this location.")
    ] = None
    carrier: TrackingText = ""
    tracking_number: TrackingText = ""
    tracking_url: Annotated[str, Field(max_length=MAX_URL_LENGTH), WEB_URL_OR_EMPTY] = ""


class NoteIn(Input):
    """A staff note about an order."""

    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_LENGTH), PROSE_NOT_BLANK]


class CaptureIn(Input):
    """The amount to capture."""

    amount: Annotated[
        PositiveMoneyIn | None, Field(description="Default: all. A part releases the rest.")
    ] = None


class RefundIn(Input):
    """The amount to refund, and the reason."""

    amount: Annotated[
        PositiveMoneyIn | None, Field(description="Default: the amount not refunded yet.")
    ] = None
    reason: Reason = ""
