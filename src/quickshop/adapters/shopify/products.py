"""Conversion of the rows of one product to a draft."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from quickshop.adapters.shopify import columns, values
from quickshop.adapters.shopify.options import Options
from quickshop.adapters.shopify.rows import Row
from quickshop.adapters.shopify.variants import read_variants
from quickshop.domain.catalog import Image, ProductContent, slugify
from quickshop.domain.catalog_rules import (
    MAX_ALT_LENGTH,
    MAX_CATEGORY_DEPTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_IMAGES,
    MAX_METADATA,
    MAX_METADATA_LENGTH,
    MAX_TAGS,
)
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.ports.imports import FeedItem, ProductDraft, RowIssue

_LAST: Final = values.MAX_POSITION + 1
_USEFUL: Final = columns.VARIANT_SIGNS | {columns.IMAGE_SRC}
_NO_CATEGORY: Final = frozenset({"", "uncategorized"})


def read_product(handle: str, rows: Sequence[Row], currency: str) -> FeedItem:
    """Convert all rows that share a handle to a product draft.

    The first row with a title describes the product. If that row is invalid, none of the rows is
    imported; any other invalid row is left out alone.
    """
    main = next((row for row in rows if columns.TITLE in row.cells), rows[0])
    if main.is_rejected():
        return _reject_all(main, rows)
    options = Options.of(main, rows)
    draft = _read_main(handle, main, options.names)
    variants = tuple(read_variants(main, rows, options, currency))
    if main.is_rejected():
        return _reject_all(main, rows)
    for row in rows:
        _note_leftovers(row, main)
    kept = [row for row in rows if not row.is_rejected()]
    content = replace(draft.content, images=_images(main, kept))
    draft = replace(draft, content=content, variants=variants, rows=len(kept))
    return FeedItem(draft, len(rows), _issues(rows))


def _reject_all(main: Row, rows: Sequence[Row]) -> FeedItem:
    for row in rows:
        if not row.is_rejected():
            row.reject(
                columns.HANDLE,
                f"belongs to the product on line {main.line}, which was not imported",
            )
    return FeedItem(None, len(rows), _issues(rows))


def _issues(rows: Sequence[Row]) -> tuple[RowIssue, ...]:
    return tuple(chain.from_iterable(row.issues for row in rows))


def _read_main(handle: str, main: Row, option_names: tuple[str, ...]) -> ProductDraft:
    title = main.text(columns.TITLE)
    if not title:
        main.reject(columns.TITLE, "is required on the first row of a product")
    published = main.value(columns.PUBLISHED, values.flag, True)
    active = main.value(columns.STATUS, values.is_active, True)
    content = ProductContent(
        handle=handle,
        title=title,
        description_html=_description(main),
        vendor=main.text(columns.VENDOR),
        product_type=main.text(columns.PRODUCT_TYPE),
        tags=_tags(main),
        option_names=option_names,
        published=published and active,
        metadata=_metadata(main),
    )
    return ProductDraft(
        line=main.line,
        content=content,
        category_path=_category_path(main),
        variants=(),
        rows=0,
    )


def _description(main: Row) -> str:
    html = main.cells.get(columns.BODY, "")
    if len(html) > MAX_DESCRIPTION_LENGTH:
        main.note(columns.BODY, f"was cut to {MAX_DESCRIPTION_LENGTH} characters")
    return html[:MAX_DESCRIPTION_LENGTH]


def _category_path(main: Row) -> tuple[str, ...]:
    for column in (columns.PRODUCT_CATEGORY, columns.GOOGLE_CATEGORY):
        text = main.cells.get(column, "")
        # Google's taxonomy also identifies categories by numbers, which are not names.
        if text.casefold() not in _NO_CATEGORY and not text.isdigit():
            return _levels(main, column, text)
    product_type = main.cells.get(columns.PRODUCT_TYPE, "")
    return (values.one_line(product_type)[:MAX_NAME_LENGTH].rstrip(),) if product_type else ()


def _levels(main: Row, column: str, text: str) -> tuple[str, ...]:
    names = [main.fit(column, name.strip()) for name in text.split(">")]
    path = [name for name in names if name]
    if len(path) > MAX_CATEGORY_DEPTH:
        main.note(column, f"was cut to {MAX_CATEGORY_DEPTH} levels")
    return tuple(path[:MAX_CATEGORY_DEPTH])


def _tags(main: Row) -> tuple[str, ...]:
    tags: dict[str, str] = {}
    for text in main.cells.get(columns.TAGS, "").split(","):
        tag = main.fit(columns.TAGS, text.strip())
        tags.setdefault(tag.casefold(), tag)
    tags.pop("", None)
    if len(tags) > MAX_TAGS:
        main.note(columns.TAGS, f"only the first {MAX_TAGS} tags were imported")
    return tuple(tags.values())[:MAX_TAGS]


def _metadata(main: Row) -> dict[str, str]:
    kept = [column for column in main.cells if columns.is_metadata(column)]
    for column in kept[MAX_METADATA:]:
        main.note(column, f"was left out: only the first {MAX_METADATA} such columns are imported")
    return {
        slugify(column).replace("-", "_")[:MAX_NAME_LENGTH]: main.text(
            column, limit=MAX_METADATA_LENGTH
        )
        for column in kept[:MAX_METADATA]
    }


def _note_leftovers(row: Row, main: Row) -> None:
    if row is not main:
        for column, cell in row.cells.items():
            if columns.belongs_to_product(column) and cell != main.cells.get(column):
                row.note(column, f"was ignored: the value on line {main.line} is used")
        if not row.cells.keys() & _USEFUL:
            row.note(columns.HANDLE, "was ignored: this row has no variant and no image")
    if columns.IMAGE_ALT in row.cells and columns.IMAGE_SRC not in row.cells:
        row.note(columns.IMAGE_ALT, "was ignored: this row has no image")


def _images(main: Row, rows: Iterable[Row]) -> tuple[Image, ...]:
    found: dict[str, Image] = {}
    for row in rows:
        if url := _image_url(row, columns.IMAGE_SRC):
            alt = row.text(columns.IMAGE_ALT, limit=MAX_ALT_LENGTH)
            found.setdefault(url, Image(url, alt, _position(row, len(found) + 1)))
    for row in rows:
        if url := _image_url(row, columns.VARIANT_IMAGE):
            found.setdefault(url, Image(url, position=_LAST))
    if len(found) > MAX_IMAGES:
        main.note(columns.IMAGE_SRC, f"only the first {MAX_IMAGES} images were imported")
    in_order = sorted(found.values(), key=lambda image: image.position)[:MAX_IMAGES]
    return tuple(replace(image, position=n) for n, image in enumerate(in_order, start=1))


def _image_url(row: Row, column: str) -> str | None:
    try:
        return values.image_url(row.cells[column]) if column in row.cells else None
    except InvalidValueError as error:
        row.note(column, f"was left out: it {error.rule}")
        return None


def _position(row: Row, default: int) -> int:
    try:
        return values.position(row.cells.get(columns.IMAGE_POSITION, str(default)))
    except InvalidValueError as error:
        row.note(columns.IMAGE_POSITION, f"was ignored: it {error.rule}")
        return default
