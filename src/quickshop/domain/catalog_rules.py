"""Rules for the fields of products, variants and images.

Each function checks one field and raises an `InvalidValueError` that names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.money import MAX_PRICE_MINOR, Money
from quickshop.domain.values import (
    MAX_NAME_LENGTH,
    require_between,
    require_https_url,
    require_name,
    require_text,
)

MAX_OPTIONS: Final = 3
"""Option names per product, as many as Shopify allows."""
MAX_VARIANTS: Final = 2_048
"""Variants per product, as many as Shopify allows. They are stored in one transaction."""
MAX_DESCRIPTION_LENGTH: Final = 2_000_000
"""Characters of HTML in a description."""
MAX_TAGS: Final = 250
"""Tags per product, as many as Shopify allows."""
MAX_IMAGES: Final = 250
"""Images per product, as many as Shopify allows."""
MAX_ALT_LENGTH: Final = 512
"""Characters in the alternative text of an image, as many as Shopify allows."""
MAX_METADATA: Final = 50
"""Entries in the metadata of a product."""
MAX_METADATA_LENGTH: Final = 5_000
"""Characters in the value of a metadata entry."""
MAX_WEIGHT_GRAMS: Final = 1_000_000_000
"""Highest weight of one unit, in grams."""
MAX_CATEGORY_DEPTH: Final = 10
"""Categories on the longest path from a root category down, including both ends."""

_UNFIT_FOR_AN_ADDRESS: Final = re.compile(r"[\s/?#%\\]")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def fits_an_address(text: str) -> bool:
    """Return whether `text` can be part of a URL path without escaping."""
    return _UNFIT_FOR_AN_ADDRESS.search(text) is None


def require_handle(handle: str) -> None:
    """Check that a handle can be part of the URL of a product page."""
    require_name("handle", handle)
    if not fits_an_address(handle) or _UUID.fullmatch(handle):
        raise InvalidValueError("handle", "must be a slug such as blue-shirt, not an id")


def require_optional_name(field: str, value: str) -> None:
    """Check a name that may be empty."""
    if value != "":
        require_name(field, value)


def require_prices(price: Money, compare_at: Money | None) -> None:
    """Check a price, and the compare-at price, which has the same currency."""
    if not 0 <= price.minor <= MAX_PRICE_MINOR:
        raise InvalidValueError("price", f"must be between 0 and {MAX_PRICE_MINOR} minor units")
    if compare_at is None:
        return
    if compare_at.currency != price.currency:
        raise InvalidValueError("compare_at_price", "must be in the currency of the price")
    if not 0 <= compare_at.minor <= MAX_PRICE_MINOR:
        raise InvalidValueError(
            "compare_at_price", f"must be between 0 and {MAX_PRICE_MINOR} minor units"
        )


def require_weight(weight_grams: int) -> None:
    """Check a weight, from 0 to `MAX_WEIGHT_GRAMS`."""
    require_between("weight_grams", weight_grams, 0, MAX_WEIGHT_GRAMS)


def require_barcode(barcode: str | None) -> None:
    """Check a barcode; None means that there is none."""
    if barcode is not None:
        require_name("barcode", barcode)


def require_options(options: Sequence[str]) -> None:
    """Check the number of option names or values, and each of them."""
    if len(options) > MAX_OPTIONS:
        raise InvalidValueError("options", f"must be at most {MAX_OPTIONS}")
    for option in options:
        require_name("options", option)


def require_variant_count(count: int) -> None:
    """Check the number of variants, from 1 to `MAX_VARIANTS`."""
    if count < 1:
        raise InvalidValueError("variants", "must contain at least one variant")
    if count > MAX_VARIANTS:
        raise InvalidValueError("variants", f"must be at most {MAX_VARIANTS:,} per product")


def require_description(html: str) -> None:
    """Check a description, of at most `MAX_DESCRIPTION_LENGTH` characters."""
    _require_length("description_html", html, MAX_DESCRIPTION_LENGTH)


def require_tags(tags: Sequence[str]) -> None:
    """Check the number of tags, and each tag."""
    if len(tags) > MAX_TAGS:
        raise InvalidValueError("tags", f"must be at most {MAX_TAGS}")
    for tag in tags:
        require_name("tags", tag)


def require_metadata(metadata: Mapping[str, str]) -> None:
    """Check the number of metadata entries, their keys and their values."""
    if len(metadata) > MAX_METADATA:
        raise InvalidValueError("metadata", f"must be at most {MAX_METADATA} entries")
    for key, value in metadata.items():
        require_text("metadata", key, max_length=MAX_NAME_LENGTH)
        _require_length("metadata", value, MAX_METADATA_LENGTH)


def require_images(images: Iterable[tuple[str, str]]) -> None:
    """Check the number of images, and the URL and alternative text of each."""
    for n, (url, alt) in enumerate(images):
        if n >= MAX_IMAGES:
            raise InvalidValueError("images", f"must be at most {MAX_IMAGES}")
        require_https_url(f"images.{n}.url", url)
        if len(alt) > MAX_ALT_LENGTH or not alt.isprintable():
            rule = f"must have at most {MAX_ALT_LENGTH} printable characters"
            raise InvalidValueError(f"images.{n}.alt", rule)


def _require_length(field: str, text: str, most: int) -> None:
    if not issubclass(type(text), str):
        raise InvalidValueError(field, "must be text")
    if len(text) > most:
        raise InvalidValueError(field, f"must have at most {most:,} characters")
