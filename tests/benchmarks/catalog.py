"""What the measured shop sells: a file as a shop exports it, and a shelf of numbered products."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from itertools import count, product
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from quickshop import Money, Shop
from quickshop.application.catalog import NewVariant

PRODUCTS: Final = 350
_SIZES: Final = ("S", "M")
_COLORS: Final = ("Black", "Sand")
VARIANTS_EACH: Final = len(_SIZES) * len(_COLORS)

KINDS: Final = tuple("Jacket Shirt Pack Mug Candle Boot Belt Scarf Lamp Kettle".split())
"""Words to search for: each is in the title of one product in ten."""
_STYLES: Final = tuple("Harbor Alpine Meadow Cedar Granite Juniper Willow".split())
_SENTENCES: Final = (
    "<p>Made in small batches from what grows nearby, and meant to be handed on.</p>"
    "<ul><li>Double stitched</li><li>Washes well</li><li>Repaired for free</li></ul>"
)

_HEADER: Final = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,"
    "Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Requires Shipping,"
    "Variant Taxable,Variant Barcode,Image Src,Image Position,Image Alt Text"
).split(",")


def handle(number: int) -> str:
    """Handle of a product of the file, from 0."""
    return f"item-{number:04}"


def write_file(file: Path) -> int:
    """Write the file; the number of its rows without the header."""
    with file.open("w", newline="") as output:
        writer = csv.DictWriter(output, _HEADER)
        writer.writeheader()
        for number in range(PRODUCTS):
            writer.writerows(_rows(number))
    return PRODUCTS * VARIANTS_EACH


def _rows(number: int) -> list[dict[str, Any]]:
    rows = [
        {
            "Handle": handle(number),
            "Option1 Value": size,
            "Option2 Value": color,
            "Variant SKU": f"ITEM-{number:04}-{size}-{color}",
            "Variant Grams": 300 + number,
            "Variant Inventory Tracker": "shopify",
            "Variant Inventory Qty": 50 + number,
            "Variant Inventory Policy": "deny",
            "Variant Price": f"{10 + number % 90}.{number % 100:02}",
            "Variant Compare At Price": f"{120 + number % 90}.00",
            "Variant Requires Shipping": "true",
            "Variant Taxable": "true",
            "Image Src": f"https://example.com/{number}-{place}.jpg",
            "Image Position": place,
            "Image Alt Text": f"Seen from side {place}",
        }
        for place, (size, color) in enumerate(product(_SIZES, _COLORS), start=1)
    ]
    kind, style = KINDS[number % len(KINDS)], _STYLES[number % len(_STYLES)]
    rows[0] |= {
        "Title": f"{style} {kind} {number}",
        "Body (HTML)": _SENTENCES * 3,
        "Vendor": f"{style} Works",
        "Type": kind,
        "Tags": f"{kind.lower()}, {style.lower()}, season-{number % 4}",
        "Published": "true",
        "Option1 Name": "Size",
        "Option2 Name": "Color",
    }
    return rows


# -- The shelf that orders are placed from

SHELVES: Final = 40
LINES: Final = 3
"""Lines per order: one order takes every SKU of a shelf."""
APART: Final = LINES + 1
"""From a shelf to the next, in numbers of ids: a product and its variants."""
_FIRST_ID: Final = 0xC0FFEE << 24


class _Numbers:
    """Identifiers whose ids count up, so that a script can work them out."""

    def __init__(self) -> None:
        self._next = count(_FIRST_ID)

    def new(self) -> UUID:
        return UUID(int=next(self._next))

    def secret(self) -> str:
        raise AssertionError("no secret was expected")


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """Three SKUs that are bought together."""

    skus: tuple[str, ...]
    variant_ids: tuple[UUID, ...]


def shelf(number: int) -> StoredLevel:
    """A shelf by its number, from 0."""
    first = variant_number(number)
    return StoredLevel(
        tuple(f"SHELF-{number:02}-{place}" for place in range(LINES)),
        tuple(UUID(int=first + place) for place in range(LINES)),
    )


def variant_number(shelf_number: int) -> int:
    """Id of the first variant of a shelf, as a number; the others follow."""
    return _FIRST_ID + shelf_number * APART + 1


def fill_shelves(shop: Shop) -> None:
    """Put plenty on every shelf."""
    create = replace(shop.products.create, identifiers=_Numbers())
    for number in range(SHELVES):
        wanted = shelf(number)
        made = create(
            title=f"StoredLevel {number}",
            option_names=["Place"],
            variants=[
                NewVariant(sku=sku, price=Money(1999, "USD"), options=(sku,))
                for sku in wanted.skus
            ],
        )
        assert tuple(variant.id for variant in made.variants) == wanted.variant_ids
        for sku in wanted.skus:
            shop.inventory.receive(sku, 1_000_000)
