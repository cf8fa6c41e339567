"""Answers kept for idempotency keys are read back, also those that an older release wrote."""

from __future__ import annotations

import json

from quickshop.adapters.sql.jobs import codec
from quickshop.domain.fulfillment import Fulfillment, FulfillmentId, FulfillmentLine, Tracking
from quickshop.domain.inventory import LocationId
from quickshop.ports.orders import OrderView
from tests.builders import AWKWARD, NOW, a_cart_with, a_rich_product, an_order, new_id

SINCE_THEN = ("payment_action", "fulfillments")
"""Fields that answers written by the first release lack."""


def a_view_with_a_parcel() -> OrderView:
    order = an_order(a_cart_with(a_rich_product()))
    parcel = Fulfillment(
        id=FulfillmentId(new_id()),
        order_id=order.id,
        number=1,
        lines=tuple(
            FulfillmentLine(
                order_line_id=line.id,
                sku=line.sku,
                location_id=LocationId(new_id()),
                quantity=line.quantity,
            )
            for line in order.lines
        ),
        tracking=Tracking(carrier=AWKWARD, number="SN-1", url="https://snail.example/1"),
        shipped_at=NOW,
    )
    return OrderView.of(order, fulfillments=[parcel], payment_action="https://bank.example")


def test_an_answer_with_parcels_is_read_as_it_was_written() -> None:
    view = a_view_with_a_parcel()
    assert codec(OrderView).validate_json(codec(OrderView).dump_json(view)) == view


def test_an_answer_of_the_first_release_is_still_read() -> None:
    view = OrderView.of(an_order(a_cart_with(a_rich_product())))
    written = json.loads(codec(OrderView).dump_json(view))
    for field in SINCE_THEN:
        del written[field]
    assert codec(OrderView).validate_json(json.dumps(written)) == view
