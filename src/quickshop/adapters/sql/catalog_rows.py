"""The contents of products and variants as rows, for the repository and the reader."""

from __future__ import annotations

from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Row

from quickshop.adapters.sql.tables import products, variants
from quickshop.domain.catalog import Image, ProductContent, VariantContent, search_words
from quickshop.domain.money import Money

# A plain field has the name of its column. Only fields that need a conversion are listed here.
_LISTS: Final = ("tags", "option_names")
_PLAIN: Final = tuple(
    each.name for each in fields(ProductContent) if each.name not in {*_LISTS, "images"}
)
_VARIANT_PLAIN: Final = tuple(
    each.name
    for each in fields(VariantContent)
    if each.name not in {"options", "price", "compare_at_price"}
)
_plain = attrgetter(*_PLAIN)
_variant_plain = attrgetter(*_VARIANT_PLAIN)

PRODUCT_COLUMNS: Final = tuple(products.c[name] for name in (*_PLAIN, *_LISTS, "images"))
"""The columns that `product_content` reads."""
VARIANT_COLUMNS: Final = tuple(
    variants.c[name]
    for name in (*_VARIANT_PLAIN, "options", "price_minor", "compare_at_minor", "currency")
)
"""The columns that `variant_content` reads."""


def product_content(row: Row[Any]) -> ProductContent:
    """Return the product content in a row with `PRODUCT_COLUMNS`."""
    return ProductContent(
        tags=tuple(row.tags),
        option_names=tuple(row.option_names),
        images=tuple(Image(**image) for image in row.images),
        **dict(zip(_PLAIN, _plain(row), strict=True)),
    )


def product_values(content: ProductContent) -> dict[str, Any]:
    """Return the column values of a product content."""
    plain = dict(zip(_PLAIN, _plain(content), strict=True))
    return plain | {
        "metadata": dict(content.metadata),
        "tags": list(content.tags),
        "option_names": list(content.option_names),
        "images": [asdict(image) for image in content.images],
        "title_sort": content.title.casefold(),
        "title_words": " " + " ".join(search_words(content.title)),
    }


def variant_content(row: Row[Any]) -> VariantContent:
    """Return the variant content in a row with `VARIANT_COLUMNS`."""
    compare_at = row.compare_at_minor
    return VariantContent(
        options=tuple(row.options),
        price=Money(row.price_minor, row.currency),
        compare_at_price=None if compare_at is None else Money(compare_at, row.currency),
        **dict(zip(_VARIANT_PLAIN, _variant_plain(row), strict=True)),
    )


def variant_values(content: VariantContent) -> dict[str, Any]:
    """Return the column values of a variant content."""
    compare_at = content.compare_at_price
    plain = dict(zip(_VARIANT_PLAIN, _variant_plain(content), strict=True))
    return plain | {
        "options": list(content.options),
        "option_key": "\n".join(content.options),
        "price_minor": content.price.minor,
        "compare_at_minor": None if compare_at is None else compare_at.minor,
        "currency": content.price.currency,
    }
