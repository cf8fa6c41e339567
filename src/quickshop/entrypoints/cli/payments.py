"""`quickshop payments`, and what `quickshop orders` does with the money of an order."""

from __future__ import annotations

from typing import Annotated

import typer

from quickshop.domain.money import Money
from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.options import AsJson, Limit
from quickshop.entrypoints.cli.orders import Number, find_order
from quickshop.entrypoints.cli.output import (
    add_row,
    moment,
    money,
    print_json,
    say,
    show,
    table,
)
from quickshop.ports.orders import OrderView

app = typer.Typer(help="Look at what payment gateways told.", no_args_is_help=True)


@app.callback()
def payments() -> None:
    """Look at what payment gateways told."""


@app.command("webhooks")
def webhooks(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the messages of payment gateways, newest first, with what came of each."""
    with opened_shop() as shop:
        found = list(shop.payments.webhooks(limit=limit))
    if as_json:
        print_json({"items": found})
        return
    if not found:
        say("No payment gateway has told anything yet.")
        return
    listed = table("Received", "Provider", "Event", "Kind", "Verdict", "Deliveries", "Payment")
    for record in found:
        add_row(
            listed,
            moment(record.received_at),
            record.provider,
            record.event_id,
            record.kind,
            record.verdict,
            str(record.deliveries),
            record.gateway_key or "",
        )
    show(listed)


_WHEN = "It goes out as soon as a worker runs; `quickshop jobs run` does it now."

Amount = Annotated[
    str | None,
    typer.Argument(metavar="AMOUNT", help="In the order's currency, such as 12.50."),
]


def capture(number: Number, amount: Amount = None, as_json: AsJson = False) -> None:
    """Take money that was set aside for an order: all of it, or a part, and let the rest go."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        payment = shop.orders.capture(order.id, amount=_read(amount, order)).value
    if as_json:
        print_json(payment)
        return
    say(f"The payment of order {order.number} is {payment.status}.", _WHEN)


def void(number: Number, as_json: AsJson = False) -> None:
    """Let go of money that was set aside for an order, and was not taken."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        payment = shop.orders.void(order.id).value
    if as_json:
        print_json(payment)
        return
    say(f"The payment of order {order.number} is {payment.status}.", _WHEN)


def refund(
    number: Number,
    amount: Amount = None,
    reason: Annotated[str, typer.Option(help="Told to the shopper.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send money of an order back: all that is left of it, or a part."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        changed = shop.orders.refund(order.id, amount=_read(amount, order), reason=reason)
    payment = changed.value
    if as_json:
        print_json(payment)
        return
    back = money(payment.refunds[-1].amount)
    left = money(payment.captured - payment.refunded)
    say(f"{back} of order {order.number} goes back; {left} is left of what was paid.", _WHEN)


def _read(amount: str | None, order: OrderView) -> Money | None:
    return None if amount is None else Money.parse(amount, order.total.currency)
