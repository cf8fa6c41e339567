"""`quickshop orders`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.table import Table

from quickshop.application.orders import MAX_TIMELINE
from quickshop.domain.orders import OrderStatus
from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.failures import FAILED
from quickshop.entrypoints.cli.options import DEFAULT, AsJson, Limit, collect
from quickshop.entrypoints.cli.output import (
    add_row,
    complain,
    moment,
    money,
    print_json,
    say,
    show,
    table,
    to_json,
)
from quickshop.ports.fulfillment import FulfillmentView
from quickshop.ports.orders import OrderView, TimelineEntry
from quickshop.ports.payments import PaymentView
from quickshop.shop import Shop

app = typer.Typer(help="List, show, fulfill, refund and cancel orders.")

_SUMS: Final = ("Units", "Total", "Price", "Sum", "Captured", "Refunded", "Amount")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Order number, such as 1001.")]


@app.callback(invoke_without_command=True)
def orders(
    context: typer.Context,
    status: Annotated[
        OrderStatus | None, typer.Option(help="Show only orders with this status.")
    ] = None,
    limit: Limit = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first. The subcommands work on one order."""
    if context.invoked_subcommand is not None:
        return
    with opened_shop() as shop:
        found, more = collect(
            lambda size, cursor: shop.orders.list(status=status, limit=size, cursor=cursor), limit
        )
    if as_json:
        print_json({"items": found, "more": more})
    elif not found:
        say(f"There are no orders with status {status}." if status else "There are no orders yet.")
    else:
        _show_all(found)
        if more:
            say(f"Only the newest {limit} are shown; use --limit for more.")


@app.command("show")
def show_order(number: Number, as_json: AsJson = False) -> None:
    """Show an order with its lines, payments, fulfillments and history."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        payments = shop.orders.payments(order.id)
        timeline = shop.orders.timeline(order.id)
    if as_json:
        print_json(_with(order, payments=list(payments), timeline=list(timeline)))
        return
    say(f"Order {order.number}, {order.status}", f"{moment(order.placed_at)} UTC, {order.email}")
    show(receipt(order))
    _show_payments(payments)
    _show_fulfillments(order.fulfillments)
    _show_timeline(timeline)


@app.command("cancel")
def cancel(
    number: Number,
    reason: Annotated[str, typer.Option(help="Reason, shown to the shopper.")] = "",
    as_json: AsJson = False,
) -> None:
    """Cancel an order. Its stock is released at once; a worker refunds any payment."""
    with opened_shop() as shop:
        order = shop.orders.cancel(find_order(shop, number).id, reason=reason).value
    if as_json:
        print_json(order)
        return
    say(
        f"Order {order.number} is canceled and its stock is released.",
        "A worker refunds any payment; `quickshop jobs run` does it now.",
    )


def find_order(shop: Shop, number: str) -> OrderView:
    """Return the order of this number.

    Raises:
        typer.Exit: no order has this number; a message was printed.
    """
    order = shop.orders.find(number.removeprefix("#"))
    if order is None:
        complain(f"there is no order {number}")
        raise typer.Exit(FAILED)
    return order


def _with(order: OrderView, **more: object) -> dict[str, object]:
    shaped: dict[str, object] = to_json(order)
    return shaped | more


def _show_all(found: list[OrderView]) -> None:
    listing = table("Order", "Status", "Placed (UTC)", "Email", "Units", "Total", numbers=_SUMS)
    for order in found:
        units = sum(line.quantity for line in order.lines)
        placed = moment(order.placed_at)
        add_row(listing, order.number, order.status, placed, order.email, units, order.total)
    show(listing)


def receipt(order: OrderView) -> Table:
    """Return the lines of an order and their total."""
    lines = table("Units", "Bought", "SKU", "Price", "Sum", numbers=_SUMS)
    for line in order.lines:
        title = f"{line.title} ({line.variant_title})" if line.variant_title else line.title
        add_row(lines, line.quantity, title, line.sku, line.unit_price, line.subtotal)
    lines.add_section()
    for name in ("discount", "shipping", "tax"):
        if (amount := getattr(order, name)).minor:
            add_row(lines, "", name.capitalize(), "", "", amount)
    add_row(lines, "", "Total", "", "", order.total, style="bold")
    return lines


def _show_payments(payments: Sequence[PaymentView]) -> None:
    listing = table("Attempt", "Payment", "Captured", "Refunded", "Reference", numbers=_SUMS)
    for payment in payments:
        add_row(
            listing,
            payment.attempt,
            f"{payment.status}: {payment.failure}" if payment.failure else payment.status,
            money(payment.captured),
            money(payment.refunded),
            payment.reference or "",
        )
    show(listing)
    refunds = [refund for payment in payments for refund in payment.refunds]
    if refunds:
        listing = table("Time (UTC)", "Refund", "Amount", "Reason", numbers=_SUMS)
        for refund in refunds:
            status = f"{refund.status}: {refund.failure}" if refund.failure else refund.status
            add_row(listing, moment(refund.created_at), status, refund.amount, refund.reason)
        show(listing)


def _show_fulfillments(fulfillments: Sequence[FulfillmentView]) -> None:
    if not fulfillments:
        return
    listing = table("No.", "Shipped (UTC)", "Contents", "Carrier", "Tracking", numbers=_SUMS)
    for shipped in fulfillments:
        contents = ", ".join(f"{item.quantity} of {item.sku}" for item in shipped.lines)
        tracking = " ".join(filter(None, (shipped.tracking_number, shipped.tracking_url)))
        shipped_at = moment(shipped.shipped_at)
        add_row(listing, shipped.number, shipped_at, contents, shipped.carrier, tracking)
    show(listing)


def _show_timeline(timeline: Sequence[TimelineEntry]) -> None:
    listing = table("Time (UTC)", "Event", "")
    for entry in timeline:
        facts = ", ".join(f"{name}: {value}" for name, value in entry.facts.items() if value)
        add_row(listing, moment(entry.occurred_at), entry.kind, facts)
    show(listing)
    if len(timeline) == MAX_TIMELINE:
        say(f"Only the newest {MAX_TIMELINE} entries are shown.")
