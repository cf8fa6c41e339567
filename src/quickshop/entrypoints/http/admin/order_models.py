"""Orders in JSON, as staff see them and what they ask of them."""

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
    Field(max_length=MAX_REASON_LENGTH, description="Told to the shopper."),
    PROSE,
]
TrackingText = Annotated[str, Field(max_length=MAX_TRACKING_LENGTH), EMPTY_OR_NOT_BLANK]


class AdminOrderOut(OrderOut):
    """An order as staff see it in a list."""

    customer_id: UUID | None
    """Null: a guest's."""


class AdminOrderPage(Output):
    """Some orders, newest first, and the cursor that continues after them."""

    items: tuple[AdminOrderOut, ...]
    next_cursor: str | None


class RefundOut(Output):
    """Money that went back, or is on its way."""

    number: int
    """Counts from 1 within the payment."""
    amount: MoneyOut
    status: RefundStatus
    reason: str
    failure: str | None
    created_at: AwareDatetime


class PaymentOut(Output):
    """One attempt to pay an order."""

    attempt: int
    """Counts from 1 within the order."""
    status: PaymentStatus
    amount: MoneyOut
    captured: MoneyOut
    refunded: MoneyOut
    refunds: tuple[RefundOut, ...]
    method: str
    gateway_key: str | None
    """What the gateway knows this attempt by."""
    reference: str | None
    """What the gateway calls this attempt."""
    failure: str | None
    created_at: AwareDatetime


class TimelineEntryOut(Output):
    """One thing that happened to an order."""

    kind: str
    """Such as `OrderPaid`."""
    occurred_at: AwareDatetime
    facts: dict[str, str]


class WholeOrderOut(AdminOrderOut):
    """An order, what was tried to pay it, and all that happened to it."""

    payments: tuple[PaymentOut, ...]
    """The first attempt first."""
    timeline: tuple[TimelineEntryOut, ...]
    """Oldest first; at most the newest 200."""
    timeline_is_whole: bool
    """Whether nothing happened before that."""


class FulfillmentLineIn(Input):
    """Units of an order line in a parcel."""

    line_id: Id
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)]


class FulfillmentIn(Input):
    """A parcel that leaves."""

    lines: Annotated[
        list[FulfillmentLineIn] | None,
        Field(
            min_length=1,
            max_length=MAX_LINES,
            description="What is in it; absent or null: all that is left to ship.",
        ),
    ] = None
    location: Annotated[
        Location | None, Field(description="Only what was promised from there.")
    ] = None
    carrier: TrackingText = ""
    tracking_number: TrackingText = ""
    tracking_url: Annotated[str, Field(max_length=MAX_URL_LENGTH), WEB_URL_OR_EMPTY] = ""


class NoteIn(Input):
    """Something to remember about an order, for staff."""

    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_LENGTH), PROSE_NOT_BLANK]


class CaptureIn(Input):
    """How much of the money that was set aside is to be taken."""

    amount: Annotated[
        PositiveMoneyIn | None, Field(description="Absent or null: all; else the rest is let go.")
    ] = None


class RefundIn(Input):
    """How much is to go back."""

    amount: Annotated[
        PositiveMoneyIn | None, Field(description="Absent or null: all that is left.")
    ] = None
    reason: Reason = ""
