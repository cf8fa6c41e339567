"""Shopify product exports as a feed of product drafts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

from quickshop.adapters.shopify import columns
from quickshop.adapters.shopify.columns import Header
from quickshop.adapters.shopify.csv_file import Record, read_records, shown
from quickshop.adapters.shopify.handles import readable_handle
from quickshop.adapters.shopify.products import read_product
from quickshop.adapters.shopify.rows import Row, read_row
from quickshop.adapters.shopify.values import one_line
from quickshop.domain.errors import FileFormatError, InvalidValueError
from quickshop.domain.money import Money
from quickshop.ports.imports import FeedItem, ProductFeed, ProductFeedReader, RowIssue, Severity

_SHOWN_NAMES: Final = 6
_SHOWN_LENGTH: Final = 40
_HEADER_LINE: Final = 1
_MAX_COLUMNS: Final = 1_000
_REPORTED_IF_MISSING: Final = {
    columns.QUANTITY: "is missing: existing stock is kept, and new variants start without stock",
    columns.TRACKER: "is missing: variants are sold only while in stock",
}


@dataclass(frozen=True, slots=True)
class ShopifyFeedReader(ProductFeedReader):
    """Reads the product CSV that Shopify's admin exports, with old or new column names."""

    @override
    def __call__(self, path: Path, *, currency: str, max_rows: int | None = None) -> ProductFeed:
        """Open a file of at most 100 MB, read it into memory and check its structure.

        Raises:
            FileFormatError: the file cannot be read, is not a Shopify product CSV in UTF-8, or has
                too many rows.
            InvalidValueError: the currency is not an ISO 4217 code.
        """
        Money.zero(currency)
        header, *records = read_records(path, max_rows=max_rows)
        if len(header.fields) > _MAX_COLUMNS:
            raise FileFormatError(shown(path), f"has more than {_MAX_COLUMNS:,} columns")
        layout = Header.of(header.fields)
        if missing := layout.missing:
            raise FileFormatError(
                shown(path),
                f"has no column {' or '.join(missing)}",
                seen=_listed(layout.written),
                advice=f"A Shopify product CSV has at least {', '.join(columns.REQUIRED)}",
            )
        return _ShopifyFeed(layout, records, currency, rows=len(records))


def _listed(names: Sequence[str]) -> str:
    listed = [repr(one_line(name)[:_SHOWN_LENGTH]) for name in names[:_SHOWN_NAMES]]
    return ", ".join(listed) + (", …" if len(names) > _SHOWN_NAMES else "")


@dataclass(slots=True)
class _ShopifyFeed(ProductFeed):
    header: Header
    records: Sequence[Record]
    currency: str
    rows: int

    @override
    def column_of(self, field: str) -> str:
        return columns.BY_FIELD.get(field, columns.HANDLE)

    @override
    def __iter__(self) -> Iterator[FeedItem]:
        """Yield the issues of the whole file first, then one product at a time."""
        yield FeedItem(None, 0, tuple(self._remarks()))
        products: dict[str, list[Row]] = {}
        for row in (read_row(record, self.header) for record in self.records):
            try:
                handle = readable_handle(row)
            except InvalidValueError as error:
                row.reject(columns.HANDLE, error.rule)
                handle = f"\n{row.line}"  # not a valid handle: the row stays separate
            products.setdefault(handle, []).append(row)
        for handle, rows in products.items():
            yield read_product(handle, rows, self.currency)

    def _remarks(self) -> Iterator[RowIssue]:
        filled = {
            index
            for record in self.records
            for index, cell in enumerate(record.fields)
            if cell and not cell.isspace()
        }
        for index in self.header.unused:
            if index in filled:
                name = one_line(self.header.written[index])[:_SHOWN_LENGTH]
                yield _note(
                    name or f"field {index + 1}",
                    "is not used by QuickShop",
                )
        for column, reason in _REPORTED_IF_MISSING.items():
            if column not in self.header.used:
                yield _note(column, reason)
        if not self.records:
            yield _note(columns.HANDLE, "is in the header, but the file has no rows after it")


def _note(column: str, reason: str) -> RowIssue:
    return RowIssue(line=_HEADER_LINE, column=column, reason=reason, severity=Severity.NOTE)
