"""Messages to send."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from quickshop.domain.fulfillment import FulfillmentId
from quickshop.domain.money import Money
from quickshop.domain.notifications import MessageKind
from quickshop.ports.fulfillment import FulfillmentView, ShippedItem
from quickshop.ports.notifications import OrderMessage, StockMessage
from quickshop.ports.orders import OrderView
from tests.builders import NOW, a_cart_with, a_rich_product, an_order

SENDER: Final = "shop@example.com"


def a_parcel_view(**more: Any) -> FulfillmentView:
    """A message to the shopper about a fulfillment."""
    given: dict[str, Any] = {
        "id": FulfillmentId(uuid4()),
        "number": 1,
        "carrier": "Snail & Sons",
        "tracking_number": "SN-0042",
        "tracking_url": "https://snail.example/track?id=SN-0042&lang=en",
        "shipped_at": NOW,
        "lines": (ShippedItem("MUG-1", 1),),
    }
    return FulfillmentView(**(given | more))


def a_message(kind: MessageKind = MessageKind.ORDER_CONFIRMATION, **more: Any) -> OrderMessage:
    """A message that was not sent before, about two units of each of two variants."""
    given: dict[str, Any] = {
        "kind": kind,
        "recipient": "ada@example.com",
        "order": OrderView.of(an_order(a_cart_with(a_rich_product(), quantity=2))),
        "shop_name": "Bits & Bikes",
        "key": f"{uuid4()}.{kind}",
        "note": "card_declined",
        "parcel": a_parcel_view(),
        "amount": Money(1050, "EUR"),
    }
    return OrderMessage(**(given | more))


def a_stock_message(**more: Any) -> StockMessage:
    """A message to staff that was not sent before."""
    given: dict[str, Any] = {
        "kind": MessageKind.LOW_STOCK,
        "recipient": "staff@example.com",
        "sku": "MUG-1",
        "title": "Mug & Saucer",
        "location": "attic",
        "free": 3,
        "threshold": 5,
        "shop_name": "Bits & Bikes",
        "key": f"{uuid4()}.low_stock",
    }
    return StockMessage(**(given | more))
