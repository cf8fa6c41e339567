"""Messages to send."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from quickshop.domain.notifications import MessageKind
from quickshop.ports.notifications import OrderMessage
from quickshop.ports.orders import OrderView
from tests.builders import a_cart_with, a_rich_product, an_order

SENDER: Final = "shop@example.com"


def a_message(kind: MessageKind = MessageKind.ORDER_CONFIRMATION, **more: Any) -> OrderMessage:
    """A message that nobody was ever sent, about two of each of two variants."""
    given: dict[str, Any] = {
        "kind": kind,
        "recipient": "ada@example.com",
        "order": OrderView.of(an_order(a_cart_with(a_rich_product(), quantity=2))),
        "shop_name": "Bits & Bikes",
        "key": f"{uuid4()}.{kind}",
        "note": "card_declined",
    }
    return OrderMessage(**(given | more))
