"""`quickshop products`."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Any

import typer

from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.options import DEFAULT, AsJson, Limit, collect
from quickshop.entrypoints.cli.output import add_row, money, print_json, say, show, table, units
from quickshop.ports.catalog import ProductQuery, ProductSort, ProductView, VariantView


def products(
    search: Annotated[
        str | None, typer.Option("--search", help="Words in the title, vendor, type, tags or SKU.")
    ] = None,
    limit: Limit = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List the published products."""
    query = ProductQuery(text=search, sort=ProductSort.TITLE)
    with opened_shop() as shop:
        found, more = collect(
            lambda size, cursor: shop.products.list(replace(query, limit=size, cursor=cursor)),
            limit,
        )
    if as_json:
        print_json({"items": [_facts(product) for product in found], "more": more})
        return
    if not found:
        say(
            f"No published product matches {search!r}."
            if search
            else "The catalog is empty. `quickshop import shopify --sample` imports a small one."
        )
        return
    _show(found)
    if more:
        say(f"Only the first {limit} are shown; use --limit for more.")


def _facts(product: ProductView) -> dict[str, Any]:
    """The product as `--json` prints it: its content beside the rest."""
    shown = _flat(product) | {"variants": [_flat(each) for each in product.variants]}
    shown["options"] = shown.pop("option_names")
    return shown


def _flat(view: ProductView | VariantView) -> dict[str, Any]:
    parts = (view.content, view)
    every = {each.name: getattr(part, each.name) for part in parts for each in fields(part)}
    del every["content"]
    return every | {"title": view.title}


def _show(found: list[ProductView]) -> None:
    listing = table("Product", "SKUs", "Price", "Available", numbers=("Price", "Available"))
    for product in found:
        add_row(
            listing,
            product.title,
            _skus(product),
            _prices(product),
            units(sum(max(0, variant.available) for variant in product.variants)),
        )
    show(listing)


def _skus(product: ProductView) -> str:
    first, *others = product.variants
    return f"{first.sku} and {len(others)} more" if others else first.sku


def _prices(product: ProductView) -> str:
    prices = [variant.price for variant in product.variants]
    low, high = min(prices), max(prices)
    return money(low) if low == high else f"{money(low)} to {money(high)}"
