"""Small Shopify exports, and what is read from them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

import pytest

from quickshop.adapters.shopify.feed import ShopifyFeedReader
from quickshop.domain.errors import FileFormatError
from quickshop.ports.imports import FeedItem, ProductDraft, RowIssue, Severity, VariantDraft

COLUMNS = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published",
    "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value",
    "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty",
    "Variant Inventory Policy", "Variant Price", "Variant Compare At Price",
    "Variant Requires Shipping", "Variant Taxable", "Variant Barcode",
    "Image Src", "Image Alt Text", "SEO Title", "Variant Image",
]  # fmt: skip

Cells = Mapping[str, str]
Issues = list[RowIssue]


def shirt(**cells: str) -> dict[str, str]:
    """The first row of a product with sizes."""
    return {
        "Handle": "shirt",
        "Title": "Shirt",
        "Option1 Name": "Size",
        "Option1 Value": "S",
        "Variant SKU": "SHIRT-S",
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Qty": "5",
        "Variant Inventory Policy": "deny",
        "Variant Price": "20.00",
    } | named(cells)


def size(value: str, **cells: str) -> dict[str, str]:
    """A further row of that product."""
    return {
        "Handle": "shirt",
        "Option1 Value": value,
        "Variant SKU": f"SHIRT-{value}",
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Qty": "5",
        "Variant Inventory Policy": "deny",
        "Variant Price": "20.00",
    } | named(cells)


def mug(**cells: str) -> dict[str, str]:
    """A product without options, in one row."""
    more = named(cells)
    return (
        shirt()
        | {
            "Handle": "mug",
            "Title": "Mug",
            "Option1 Name": "Title",
            "Option1 Value": "Default Title",
            "Variant SKU": "MUG",
        }
        | more
    )


NAMES = {
    "body": "Body (HTML)",
    "category": "Product Category",
    "google": "Google Shopping / Google Product Category",
    "option1_name": "Option1 Name",
    "option2_name": "Option2 Name",
    "option1": "Option1 Value",
    "option2": "Option2 Value",
    "qty": "Variant Inventory Qty",
    "compare_at": "Variant Compare At Price",
    "tracker": "Variant Inventory Tracker",
    "policy": "Variant Inventory Policy",
    "shipping": "Variant Requires Shipping",
    "sku": "Variant SKU",
    "variant_image": "Variant Image",
    "image": "Image Src",
    "alt": "Image Alt Text",
    "position": "Image Position",
    "seo": "SEO Title",
}


def named(cells: Cells) -> dict[str, str]:
    variant = {"price", "grams", "barcode", "taxable"}
    return {
        NAMES.get(key) or (f"Variant {key.title()}" if key in variant else key.title()): cell
        for key, cell in cells.items()
    }


def as_csv(rows: Iterable[Cells], columns: list[str] | None = None) -> str:
    rows = list(rows)
    known = COLUMNS if columns is None else columns
    extra = [name for row in rows for name in row if name not in known]
    header = [*known, *dict.fromkeys(extra)] if columns is None else known
    out = StringIO()
    writer = csv.DictWriter(out, header, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Files:
    """Writes files and reads them as feeds."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "products.csv"

    def items(self, content: str | bytes, currency: str = "USD") -> list[FeedItem]:
        data = content.encode() if isinstance(content, str) else content
        self.path.write_bytes(data)
        feed = ShopifyFeedReader()(self.path, currency=currency)
        items = list(feed)
        assert sum(item.rows for item in items) == feed.rows
        for item in items:
            errors = {i.line for i in item.issues if i.severity is Severity.ERROR}
            assert len(errors) == item.rows - (item.draft.rows if item.draft else 0)
        return items

    def read(self, *rows: Cells, currency: str = "USD") -> tuple[list[ProductDraft], Issues]:
        items = self.items(as_csv(rows), currency)
        drafts = [item.draft for item in items if item.draft]
        return drafts, [issue for item in items for issue in item.issues]

    def product(self, *rows: Cells, currency: str = "USD") -> ProductDraft:
        (draft,), _ = self.read(*rows, currency=currency)
        return draft

    def variant(self, row: Cells, currency: str = "USD") -> VariantDraft:
        return self.product(row, currency=currency).variants[0]

    def error(self, *rows: Cells, currency: str = "USD") -> RowIssue:
        """The one reason why the one product was rejected."""
        drafts, issues = self.read(*rows, currency=currency)
        assert drafts == []
        (issue,) = errors(issues)
        return issue

    def refusal(self, content: str | bytes) -> str:
        with pytest.raises(FileFormatError) as caught:
            self.items(content)
        return str(caught.value)


def errors(issues: Issues) -> Issues:
    return [issue for issue in issues if issue.severity is Severity.ERROR]


def notes(issues: Issues, column: str) -> list[str]:
    return [
        issue.reason
        for issue in issues
        if issue.column == column and issue.severity is Severity.NOTE
    ]
