"""`quickshop stock`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from quickshop.domain.inventory import MAX_STRIPES, StockDiscrepancy
from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.failures import FAILED
from quickshop.entrypoints.cli.options import AsJson, Limit, TakesNegativeNumbers, collect
from quickshop.entrypoints.cli.output import (
    add_row,
    complain,
    print_json,
    say,
    show,
    table,
    units,
)
from quickshop.ports.inventory import StockView
from quickshop.shop import Shop

app = typer.Typer(
    help="Show, receive, adjust, count, transfer, configure and reconcile stock.",
    no_args_is_help=True,
)

_NUMBERS: Final = ("On hand", "Allocated", "Held", "Available")
_MANY: Final = 50

Sku = Annotated[str, typer.Argument(metavar="SKU", help="What is counted.")]
Location = Annotated[
    str | None, typer.Option(help="Where it lies; without it, where the shop's stock lies.")
]


@app.command("show")
def show_stock(
    sku: Annotated[str | None, typer.Argument(metavar="SKU", help="Only this one.")] = None,
    limit: Limit = _MANY,
    as_json: AsJson = False,
) -> None:
    """Show how many units lie where. Available counts what may be back-ordered, too."""
    with opened_shop() as shop:
        levels, more = _levels(shop, sku, limit)
    if sku is not None and not levels:
        complain(f"there is no stock of {sku}, or no such SKU")
        raise typer.Exit(FAILED)
    if as_json:
        print_json({"items": levels, "more": more})
    elif not levels:
        say("There is no stock yet.")
    else:
        _show(levels)
        if more:
            say(f"The first {limit} of more; --limit shows others.")


@app.command("receive")
def receive(
    sku: Sku,
    quantity: Annotated[
        int, typer.Argument(metavar="QUANTITY", min=1, help="Units that arrived.")
    ],
    location: Location = None,
    reason: Annotated[str, typer.Option(help="Stands in the ledger.")] = "received",
    as_json: AsJson = False,
) -> None:
    """Put units that arrived on the shelf."""
    with opened_shop() as shop:
        shop.inventory.receive(sku, quantity, location=location, reason=reason)
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)


@app.command("adjust", cls=TakesNegativeNumbers)
def adjust(
    sku: Sku,
    quantity: Annotated[
        int, typer.Argument(metavar="QUANTITY", help="The difference, such as 2 or -3.")
    ],
    reason: Annotated[str, typer.Option(help="Stands in the ledger.")],
    location: Location = None,
    as_json: AsJson = False,
) -> None:
    """Correct the shelf, up or down, and say why."""
    with opened_shop() as shop:
        shop.inventory.adjust(sku, quantity, reason=reason, location=location)
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)


@app.command("count")
def count(
    sku: Sku,
    counted: Annotated[
        int, typer.Argument(metavar="COUNTED", min=0, help="Units that lie there.")
    ],
    reason: Annotated[str, typer.Option(help="Stands in the ledger.")] = "counted",
    location: Location = None,
    as_json: AsJson = False,
) -> None:
    """Have the shelf hold what somebody counted there, units promised to orders included."""
    with opened_shop() as shop:
        answer = shop.inventory.count(sku, counted, reason=reason, location=location)
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)
    if not as_json:
        difference = answer.value.quantity
        say(f"{difference:+} units." if difference else "As expected.")


@app.command("transfer")
def transfer(
    sku: Sku,
    quantity: Annotated[
        int, typer.Argument(metavar="QUANTITY", min=1, help="Units that nobody was promised.")
    ],
    to_location: Annotated[
        str, typer.Option("--to", metavar="LOCATION", help="Where they go; opened if it is new.")
    ],
    from_location: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="LOCATION", help="Where they lie; by default the shop's place."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Stands in the ledger.")] = "transferred",
    as_json: AsJson = False,
) -> None:
    """Take units from one location to another."""
    with opened_shop() as shop:
        shop.inventory.transfer(
            sku, quantity, to_location=to_location, from_location=from_location, reason=reason
        )
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)


@app.command("configure")
def configure(
    sku: Sku,
    backorder_limit: Annotated[
        int | None, typer.Option(min=0, help="Units that may be sold beyond what is there.")
    ] = None,
    low_stock_threshold: Annotated[
        int | None, typer.Option(min=0, help="Tell the staff when so few units are free.")
    ] = None,
    stripes: Annotated[
        int | None,
        typer.Option(min=0, max=MAX_STRIPES, help="Rows to spread a hot SKU over, such as 16."),
    ] = None,
    location: Location = None,
    as_json: AsJson = False,
) -> None:
    """Say how far a SKU may be sold below nothing, and when staff are to be told."""
    if backorder_limit is low_stock_threshold is stripes is None:
        raise typer.BadParameter("give --backorder-limit, --low-stock-threshold or --stripes")
    with opened_shop() as shop:
        shop.inventory.configure(
            sku,
            location=location,
            backorder_limit=backorder_limit,
            low_stock_threshold=low_stock_threshold,
            stripes=stripes,
        )
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)


@app.command("reconcile")
def reconcile(
    repair: Annotated[
        bool, typer.Option("--repair", help="Set counters to what their ledger says.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every counter with its ledger, live orders and live holds.

    Exit code 1 when something differs and was not set right.
    """
    with opened_shop() as shop:
        found = shop.inventory.reconcile(repair=repair)
        left = shop.inventory.reconcile()
    if as_json:
        print_json({"discrepancies": list(found), "remaining": list(left)})
    else:
        _show_discrepancies(found, repaired=len(found) - len(left))
    if left:
        raise typer.Exit(FAILED)


def _levels(shop: Shop, sku: str | None, limit: int) -> tuple[list[StockView], bool]:
    return collect(
        lambda size, cursor: shop.inventory.list(sku=sku, limit=size, cursor=cursor), limit
    )


def _show_changed(levels: list[StockView], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": levels, "more": False})
    else:
        _show(levels)


def _show(levels: list[StockView]) -> None:
    listing = table("SKU", "Product", "Location", *_NUMBERS, numbers=_NUMBERS)
    for level in levels:
        counters = (level.on_hand, level.allocated, level.held, units(level.available))
        add_row(listing, level.sku, level.title, level.location, *counters)
    show(listing)


def _show_discrepancies(found: Sequence[StockDiscrepancy], *, repaired: int) -> None:
    if not found:
        say("Every counter equals the sum of its movements.")
        return
    for discrepancy in found:
        say(discrepancy)
    say(f"{len(found)} differ; {repaired} set right.")
