"""`quickshop payments`, and the payment commands of `quickshop orders`."""

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

app = typer.Typer(help="Show the webhooks of payment gateways.", no_args_is_help=True)


@app.callback()
def payments() -> None:
    """Show the webhooks of payment gateways."""


@app.command("webhooks")
def webhooks(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the webhooks of payment gateways, newest first, with their verdict."""
    with opened_shop() as shop:
        found = list(shop.payments.webhooks(limit=limit))
    if as_json:
        print_json({"items": found})
        return
    if not found:
        say("There are no webhooks yet.")
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


_WHEN = "A worker sends it to the gateway; `quickshop jobs run` does it now."

Amount = Annotated[
    str | None,
    typer.Argument(metavar="AMOUNT", help="Amount in the order's currency, such as 12.50."),
]


def capture(number: Number, amount: Amount = None, as_json: AsJson = False) -> None:
    """Capture the authorized payment of an order, or a part of it; the rest is released."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        payment = shop.orders.capture(order.id, amount=_read(amount, order)).value
    if as_json:
        print_json(payment)
        return
    say(f"The payment of order {order.number} is {payment.status}.", _WHEN)


def void(number: Number, as_json: AsJson = False) -> None:
    """Void the authorized payment of an order that was not captured."""
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
    reason: Annotated[str, typer.Option(help="Reason, shown to the shopper.")] = "",
    as_json: AsJson = False,
) -> None:
    """Refund the payment of an order: the remaining amount, or a part of it."""
    with opened_shop() as shop:
        order = find_order(shop, number)
        changed = shop.orders.refund(order.id, amount=_read(amount, order), reason=reason)
    payment = changed.value
    if as_json:
        print_json(payment)
        return
    back = money(payment.refunds[-1].amount)
    remaining = money(payment.captured - payment.refunded)
    say(f"{back} of order {order.number} will be refunded; {remaining} remains.", _WHEN)


def _read(amount: str | None, order: OrderView) -> Money | None:
    return None if amount is None else Money.parse(amount, order.total.currency)
