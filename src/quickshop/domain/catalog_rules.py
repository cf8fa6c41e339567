"""What a product, its variants and its images may hold.

Each function checks one field and refuses it with an `InvalidValueError` that names it.
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
"""Option names per product, as the shops that people come from have it."""
MAX_VARIANTS: Final = 2_048
"""Variants per product, as many as Shopify allows. They are stored in one transaction."""
MAX_DESCRIPTION_LENGTH: Final = 2_000_000
"""Characters of HTML in a description."""
MAX_TAGS: Final = 250
"""Tags per product, as many as Shopify allows."""
MAX_IMAGES: Final = 250
"""Images per product, as many as Shopify allows."""
MAX_ALT_LENGTH: Final = 512
"""Characters that describe an image, as many as Shopify allows."""
MAX_METADATA: Final = 50
"""Entries in the metadata of a product."""
MAX_METADATA_LENGTH: Final = 5_000
"""Characters in the value of one of them; its key is a name."""
MAX_WEIGHT_GRAMS: Final = 1_000_000_000
"""Weight of one unit."""
MAX_CATEGORY_DEPTH: Final = 10
"""Categories on the way from a root down, both ends counted."""

_UNFIT_FOR_AN_ADDRESS: Final = re.compile(r"[\s/?#%\\]")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def fits_an_address(text: str) -> bool:
    """Whether `text` can stand in the address of a product page as it is."""
    return _UNFIT_FOR_AN_ADDRESS.search(text) is None


def require_handle(handle: str) -> None:
    """Refuse a handle that cannot stand in the address of a product page."""
    require_name("handle", handle)
    if not fits_an_address(handle) or _UUID.fullmatch(handle):
        raise InvalidValueError("handle", "must be a slug such as blue-shirt, not an id")


def require_optional_name(field: str, value: str) -> None:
    """Refuse a name that is neither empty nor a name."""
    if value != "":
        require_name(field, value)


def require_prices(price: Money, compare_at: Money | None) -> None:
    """Refuse a price that no unit has, or one to compare with in another currency."""
    if not 0 <= price.minor <= MAX_PRICE_MINOR:
        raise InvalidValueError("price", f"must be between 0 and {MAX_PRICE_MINOR} minor units")
    if compare_at is None:
        return
    if compare_at.currency != price.currency:
        raise InvalidValueError("compare_at_price", "must be in the currency of the price")
    if not 0 <= compare_at.minor <= MAX_PRICE_MINOR:
        raise InvalidValueError("compare_at_price", "must be what a price may be")


def require_weight(weight_grams: int) -> None:
    """Refuse a weight below 0 or above `MAX_WEIGHT_GRAMS`."""
    require_between("weight_grams", weight_grams, 0, MAX_WEIGHT_GRAMS)


def require_barcode(barcode: str | None) -> None:
    """Refuse a barcode that is not a short text. None is no barcode."""
    if barcode is not None:
        require_name("barcode", barcode)


def require_options(options: Sequence[str]) -> None:
    """Refuse option names or values that are too many or not names."""
    if len(options) > MAX_OPTIONS:
        raise InvalidValueError("options", f"must be at most {MAX_OPTIONS}")
    for option in options:
        require_name("options", option)


def require_variant_count(count: int) -> None:
    """Refuse a product without variants, or with more than `MAX_VARIANTS`."""
    if count < 1:
        raise InvalidValueError("variants", "must hold at least one variant")
    if count > MAX_VARIANTS:
        raise InvalidValueError("variants", f"must be at most {MAX_VARIANTS:,} of one product")


def require_description(html: str) -> None:
    """Refuse a description of more than `MAX_DESCRIPTION_LENGTH` characters."""
    _require_length("description_html", html, MAX_DESCRIPTION_LENGTH)


def require_tags(tags: Sequence[str]) -> None:
    """Refuse tags that are too many or not names."""
    if len(tags) > MAX_TAGS:
        raise InvalidValueError("tags", f"must be at most {MAX_TAGS}")
    for tag in tags:
        require_name("tags", tag)


def require_metadata(metadata: Mapping[str, str]) -> None:
    """Refuse metadata with too many entries, a key that is no name, or a value too long."""
    if len(metadata) > MAX_METADATA:
        raise InvalidValueError("metadata", f"must be at most {MAX_METADATA} entries")
    for key, value in metadata.items():
        require_text("metadata", key, max_length=MAX_NAME_LENGTH)
        _require_length("metadata", value, MAX_METADATA_LENGTH)


def require_images(images: Iterable[tuple[str, str]]) -> None:
    """Refuse images, given as URL and text, that are too many, not https, or not described."""
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
