"""`quickshop orders fulfill`, `complete` and `note`: what staff do with an order that is paid."""

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
        typer.Option(metavar="SKU=UNITS", help="Only so many of this; may be repeated."),
    ] = None,
    location: Annotated[str | None, typer.Option(help="Only what is promised from there.")] = None,
    carrier: Annotated[str, typer.Option(help="Told to the shopper.")] = "",
    tracking: Annotated[str, typer.Option(help="The tracking number; told, too.")] = "",
    tracking_url: Annotated[str, typer.Option(help="Where to follow the parcel; told, too.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ship an order, all that is left of it unless lines are named, and mail the shopper."""
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
    say(f"Parcel {shipped.number} of order {order.number} left: {units}.")
    say(_what_is_left(order))


def _what_is_left(order: OrderView) -> str:
    shipped = sum(item.quantity for parcel in order.fulfillments for item in parcel.lines)
    left = sum(line.quantity for line in order.lines) - shipped
    return f"The order is {order.status}; {left} units are left to ship."


def _read_lines(texts: Sequence[str]) -> dict[UUID | str, int]:
    """Units by SKU.

    Raises:
        typer.BadParameter: one is not `SKU=UNITS`, or a SKU is named twice.
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
    """Close an order that has shipped wholly: the shopper has everything."""
    with opened_shop() as shop:
        order = shop.orders.complete(find_order(shop, number).id)
    if as_json:
        print_json(order)
    else:
        say(f"Order {order.number} is completed.")


def note(
    number: Number,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="For staff; shoppers are not told.")],
    as_json: AsJson = False,
) -> None:
    """Write something down about an order. It stands in what `orders show` tells."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        shop.orders.add_note(order.id, text)
        timeline = shop.orders.timeline(order.id)
    if as_json:
        print_json({"timeline": list(timeline)})
    else:
        say(f"It is written down about order {order.number}.")
