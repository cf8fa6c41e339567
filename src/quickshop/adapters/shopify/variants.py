"""The rows of a product that describe variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quickshop.adapters.shopify import columns, values
from quickshop.adapters.shopify.options import Options
from quickshop.adapters.shopify.rows import Row
from quickshop.domain.catalog import VariantContent
from quickshop.domain.inventory import UNLIMITED_BACKORDER
from quickshop.domain.money import Money
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.ports.imports import VariantDraft


def read_variants(
    main: Row, rows: Sequence[Row], options: Options, currency: str
) -> Iterator[VariantDraft]:
    """Read every row that describes a variant; reject the invalid ones."""
    lines: dict[tuple[str, ...], int] = {}
    for row in rows:
        if row.is_rejected() or not (row is main or row.cells.keys() & columns.VARIANT_SIGNS):
            continue
        variant = _read_variant(row, options.values(row), currency)
        if (
            not row.is_rejected()
            and (first := lines.setdefault(variant.content.options, row.line)) != row.line
        ):
            row.reject(
                columns.OPTION_VALUES[0],
                f"must differ from line {first}, which has the same option values",
            )
        if not row.is_rejected():
            yield variant


def _read_variant(row: Row, options: tuple[str, ...], currency: str) -> VariantDraft:
    if columns.PRICE not in row.cells:
        row.reject(columns.PRICE, "is required, such as 36.00")
    nothing = Money.zero(currency)
    compare_at = row.value(
        columns.COMPARE_AT_PRICE, lambda text: values.amount(text, currency), nothing
    )
    content = VariantContent(
        sku=_sku(row),
        options=options,
        price=row.value(columns.PRICE, lambda text: values.amount(text, currency), nothing),
        compare_at_price=None if compare_at == nothing else compare_at,
        weight_grams=row.value(columns.GRAMS, values.grams, 0),
        barcode=_barcode(row),
        requires_shipping=row.value(columns.REQUIRES_SHIPPING, values.flag, True),
        taxable=row.value(columns.TAXABLE, values.flag, True),
    )
    return VariantDraft(
        line=row.line,
        content=content,
        on_hand=_on_hand(row),
        backorder_limit=_backorder_limit(row),
    )


def _sku(row: Row) -> str:
    sku = values.one_line(row.cells.get(columns.SKU, ""))
    if len(sku) > MAX_NAME_LENGTH:
        row.reject(columns.SKU, f"must be at most {MAX_NAME_LENGTH} characters")
    return row.text(columns.SKU)


def _barcode(row: Row) -> str | None:
    # A leading apostrophe stops spreadsheets from rounding long numbers.
    text = row.cells.get(columns.BARCODE, "").lstrip("'")
    if len(text) > MAX_NAME_LENGTH:
        row.note(columns.BARCODE, f"was left out: it is longer than {MAX_NAME_LENGTH} characters")
        return None
    return row.fit(columns.BARCODE, text.strip()) or None


def _on_hand(row: Row) -> int | None:
    quantity = row.value(columns.QUANTITY, values.quantity, None)
    if quantity is not None and quantity < 0:
        row.note(columns.QUANTITY, "is negative; imported as 0")
        return 0
    return quantity


def _backorder_limit(row: Row) -> int:
    sells_on = row.value(columns.POLICY, values.sells_on, False)
    untracked = row.has_column(columns.TRACKER) and columns.TRACKER not in row.cells
    return UNLIMITED_BACKORDER if sells_on or untracked else 0
