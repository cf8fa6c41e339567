"""`quickshop orders fulfill`, `complete` and `note`: work on paid orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.options import AsJson
from quickshop.entrypoints.cli.orders import Number, find_order
from quickshop.entrypoints.cli.output import print_json, say
from quickshop.ports.orders import OrderView


def fulfill(
    number: Number,
    line: Annotated[
        list[str] | None,
        typer.Option(metavar="SKU=UNITS", help="Ship only these units; can be repeated."),
    ] = None,
    location: Annotated[str | None, typer.Option(help="Ship only from this location.")] = None,
    carrier: Annotated[str, typer.Option(help="Carrier, shown to the shopper.")] = "",
    tracking: Annotated[str, typer.Option(help="Tracking number, shown to the shopper.")] = "",
    tracking_url: Annotated[str, typer.Option(help="Tracking page, shown to the shopper.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ship an order, by default all its remaining units, and email the shopper."""
    lines = _read_lines(line) if line else None
    with opened_shop() as shop:
        fulfilled = shop.orders.fulfill(
            find_order(shop, number).id,
            lines=lines,
            location=location,
            carrier=carrier,
            tracking_number=tracking,
            tracking_url=tracking_url,
        )
    order = fulfilled.value
    if as_json:
        print_json(order)
        return
    shipped = order.fulfillments[-1]
    units = ", ".join(f"{line.quantity} of {line.sku}" for line in shipped.lines)
    say(f"Fulfillment {shipped.number} of order {order.number} was shipped: {units}.")
    say(_remaining(order))


def _remaining(order: OrderView) -> str:
    shipped = sum(item.quantity for each in order.fulfillments for item in each.lines)
    left = sum(line.quantity for line in order.lines) - shipped
    return f"The order is {order.status}; {left} units remain to be shipped."


def _read_lines(texts: Sequence[str]) -> dict[UUID | str, int]:
    """Parse units by SKU.

    Raises:
        typer.BadParameter: a text is not `SKU=UNITS`, or a SKU occurs twice.
    """
    lines: dict[UUID | str, int] = {}
    for text in texts:
        sku, _equals, units = text.rpartition("=")
        if not sku or not (units.isascii() and units.isdigit()) or len(units) > 9:  # noqa: PLR2004
            raise typer.BadParameter("--line must be SKU=UNITS, such as MUG-NAVY=2")
        if sku in lines:
            raise typer.BadParameter(f"--line names {sku} twice")
        lines[sku] = int(units)
    return lines


def complete(number: Number, as_json: AsJson = False) -> None:
    """Complete an order whose units have all been shipped."""
    with opened_shop() as shop:
        order = shop.orders.complete(find_order(shop, number).id)
    if as_json:
        print_json(order)
    else:
        say(f"Order {order.number} is completed.")


def note(
    number: Number,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Visible to staff only.")],
    as_json: AsJson = False,
) -> None:
    """Add a note to an order. `orders show` lists it."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        shop.orders.add_note(order.id, text)
        timeline = shop.orders.timeline(order.id)
    if as_json:
        print_json({"timeline": list(timeline)})
    else:
        say(f"The note was added to order {order.number}.")
