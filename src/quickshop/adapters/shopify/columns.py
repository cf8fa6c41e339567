"""The columns of a Shopify product export, under all their names, old and new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

HANDLE: Final = "Handle"
TITLE: Final = "Title"
BODY: Final = "Body (HTML)"
VENDOR: Final = "Vendor"
PRODUCT_TYPE: Final = "Type"
TAGS: Final = "Tags"
PUBLISHED: Final = "Published"
STATUS: Final = "Status"
PRODUCT_CATEGORY: Final = "Product Category"
OPTION_NAMES: Final = ("Option1 Name", "Option2 Name", "Option3 Name")
OPTION_VALUES: Final = ("Option1 Value", "Option2 Value", "Option3 Value")
SKU: Final = "Variant SKU"
PRICE: Final = "Variant Price"
COMPARE_AT_PRICE: Final = "Variant Compare At Price"
GRAMS: Final = "Variant Grams"
BARCODE: Final = "Variant Barcode"
TRACKER: Final = "Variant Inventory Tracker"
QUANTITY: Final = "Variant Inventory Qty"
POLICY: Final = "Variant Inventory Policy"
REQUIRES_SHIPPING: Final = "Variant Requires Shipping"
TAXABLE: Final = "Variant Taxable"
VARIANT_IMAGE: Final = "Variant Image"
IMAGE_SRC: Final = "Image Src"
IMAGE_ALT: Final = "Image Alt Text"
IMAGE_POSITION: Final = "Image Position"

_GOOGLE: Final = "Google Shopping / "
GOOGLE_CATEGORY: Final = f"{_GOOGLE}Google Product Category"
_METADATA: Final = ("Gift Card", "SEO Title", "SEO Description")

BY_FIELD: Final = {
    "handle": HANDLE,
    "title": TITLE,
    "description_html": BODY,
    "vendor": VENDOR,
    "product_type": PRODUCT_TYPE,
    "tags": TAGS,
    "options": OPTION_NAMES[0],
    "variants": OPTION_VALUES[0],
    "images": IMAGE_SRC,
    "sku": SKU,
    "price": PRICE,
    "compare_at_price": COMPARE_AT_PRICE,
    "weight_grams": GRAMS,
    "barcode": BARCODE,
    "on_hand": QUANTITY,
    "quantity": QUANTITY,
    "backorder_limit": POLICY,
}
"""The column that a field of a product, a variant or a stock level comes from."""

REQUIRED: Final = (HANDLE, TITLE, PRICE)
_PRODUCT_COLUMNS: Final = frozenset(
    {TITLE, BODY, VENDOR, PRODUCT_TYPE, TAGS, PUBLISHED, STATUS, PRODUCT_CATEGORY, *OPTION_NAMES}
)
VARIANT_SIGNS: Final = frozenset(
    {*OPTION_VALUES, SKU, PRICE, COMPARE_AT_PRICE, BARCODE, QUANTITY, VARIANT_IMAGE}
)
"""A row that fills none of these columns describes only another image."""

_KNOWN: Final = (
    HANDLE,
    *sorted(_PRODUCT_COLUMNS),
    *sorted(VARIANT_SIGNS),
    *(GRAMS, TRACKER, POLICY, REQUIRES_SHIPPING, TAXABLE),
    *(IMAGE_SRC, IMAGE_ALT, IMAGE_POSITION, *_METADATA),
)
# Names of the same columns in newer exports, compared without regard to case.
_RENAMED: Final = {
    "url handle": HANDLE,
    "description": BODY,
    "published on online store": PUBLISHED,
    "sku": SKU,
    "price": PRICE,
    "compare-at price": COMPARE_AT_PRICE,
    "weight value (grams)": GRAMS,
    "barcode": BARCODE,
    "inventory tracker": TRACKER,
    "inventory quantity": QUANTITY,
    "continue selling when out of stock": POLICY,
    "requires shipping": REQUIRES_SHIPPING,
    "charge tax": TAXABLE,
    "product image url": IMAGE_SRC,
    "variant image url": VARIANT_IMAGE,
}
_BY_NAME: Final = {name.casefold(): name for name in _KNOWN}


def is_metadata(column: str) -> bool:
    """Return whether a column is kept unchanged as metadata, under its own name."""
    return column in _METADATA or column.startswith(_GOOGLE)


def belongs_to_product(column: str) -> bool:
    """Return whether a column describes the whole product, so that one row fills it."""
    return column in _PRODUCT_COLUMNS or is_metadata(column)


def _known_name(name: str) -> str | None:
    folded = " ".join(name.split()).casefold()
    if folded.startswith(_GOOGLE.casefold()):
        return _GOOGLE + " ".join(name.split())[len(_GOOGLE) :]
    return _BY_NAME.get(folded)


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a file, with the meaning of each field."""

    written: tuple[str, ...]
    """The names as written in the file."""
    used: tuple[str | None, ...]
    """The column that each field is read as; None if the field is not read."""

    @classmethod
    def of(cls, names: Sequence[str]) -> Header:
        """Recognize the known names. If two fields have one name, the first is read."""
        used: list[str | None] = [None] * len(names)
        for meaning in (_known_name, lambda name: _RENAMED.get(name.strip().casefold())):
            for index, name in enumerate(names):
                column = meaning(name)
                if column is not None and used[index] is None and column not in used:
                    used[index] = column
        return cls(tuple(names), tuple(used))

    @property
    def missing(self) -> list[str]:
        """The required columns that the file lacks."""
        return [column for column in REQUIRED if column not in self.used]

    @property
    def unused(self) -> Iterator[int]:
        """The indexes of the fields that are not read."""
        return (index for index, column in enumerate(self.used) if column is None)
