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

Sku = Annotated[str, typer.Argument(metavar="SKU", help="SKU of a variant.")]
Location = Annotated[str | None, typer.Option(help="Stock location; by default the shop's.")]


@app.command("show")
def show_stock(
    sku: Annotated[str | None, typer.Argument(metavar="SKU", help="Show only this SKU.")] = None,
    limit: Limit = _MANY,
    as_json: AsJson = False,
) -> None:
    """Show stock by location. Available units include those that can be backordered."""
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
            say(f"Only the first {limit} are shown; use --limit for more.")


@app.command("receive")
def receive(
    sku: Sku,
    quantity: Annotated[
        int, typer.Argument(metavar="QUANTITY", min=1, help="Units that arrived.")
    ],
    location: Location = None,
    reason: Annotated[str, typer.Option(help="Reason, for the ledger.")] = "received",
    as_json: AsJson = False,
) -> None:
    """Add received units to the stock."""
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
    reason: Annotated[str, typer.Option(help="Reason, for the ledger.")],
    location: Location = None,
    as_json: AsJson = False,
) -> None:
    """Correct the stock, up or down, with a reason."""
    with opened_shop() as shop:
        shop.inventory.adjust(sku, quantity, reason=reason, location=location)
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)


@app.command("count")
def count(
    sku: Sku,
    counted: Annotated[int, typer.Argument(metavar="COUNTED", min=0, help="Units on hand.")],
    reason: Annotated[str, typer.Option(help="Reason, for the ledger.")] = "counted",
    location: Location = None,
    as_json: AsJson = False,
) -> None:
    """Set the stock to the counted units, including those allocated to orders."""
    with opened_shop() as shop:
        answer = shop.inventory.count(sku, counted, reason=reason, location=location)
        levels, _more = _levels(shop, sku, _MANY)
    _show_changed(levels, as_json=as_json)
    if not as_json:
        difference = answer.value.quantity
        say(f"{difference:+} units." if difference else "No difference.")


@app.command("transfer")
def transfer(
    sku: Sku,
    quantity: Annotated[
        int, typer.Argument(metavar="QUANTITY", min=1, help="Unreserved units to move.")
    ],
    to_location: Annotated[
        str,
        typer.Option("--to", metavar="LOCATION", help="Destination; a new location is created."),
    ],
    from_location: Annotated[
        str | None,
        typer.Option("--from", metavar="LOCATION", help="Origin; by default the shop's location."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Reason, for the ledger.")] = "transferred",
    as_json: AsJson = False,
) -> None:
    """Move units from one location to another."""
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
        int | None, typer.Option(min=0, help="Units that can be sold without stock.")
    ] = None,
    low_stock_threshold: Annotated[
        int | None, typer.Option(min=0, help="Email the staff at this many free units or fewer.")
    ] = None,
    stripes: Annotated[
        int | None,
        typer.Option(
            min=0, max=MAX_STRIPES, help="Database rows for a SKU in high demand, such as 16."
        ),
    ] = None,
    location: Location = None,
    as_json: AsJson = False,
) -> None:
    """Set the backorder limit, low-stock threshold and stripes of a SKU."""
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
        bool, typer.Option("--repair", help="Set counters to the sums of the ledger.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every counter with its ledger, open orders and active holds.

    Exit code 1 if differences remain.
    """
    with opened_shop() as shop:
        found = shop.inventory.reconcile(repair=repair)
        remaining = shop.inventory.reconcile()
    if as_json:
        print_json({"discrepancies": list(found), "remaining": list(remaining)})
    else:
        _show_discrepancies(found, repaired=len(found) - len(remaining))
    if remaining:
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
    say(f"{len(found)} differences; {repaired} repaired.")
