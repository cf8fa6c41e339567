"""Products in JSON, as staff write and read them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from quickshop.application.catalog import ChangedVariant, NewVariant
from quickshop.domain.catalog import Image
from quickshop.domain.catalog_rules import (
    MAX_ALT_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_IMAGES,
    MAX_METADATA,
    MAX_METADATA_LENGTH,
    MAX_OPTIONS,
    MAX_TAGS,
    MAX_VARIANTS,
    MAX_WEIGHT_GRAMS,
)
from quickshop.domain.values import MAX_URL_LENGTH
from quickshop.entrypoints.http.admin.shared import Id, Line, OptionalLine, Sku, Version
from quickshop.entrypoints.http.catalog import ProductOut, VariantOut
from quickshop.entrypoints.http.models import Input, Output
from quickshop.entrypoints.http.money import MoneyIn

Tags = Annotated[list[Line], Field(max_length=MAX_TAGS)]
OptionNames = Annotated[
    list[Line], Field(max_length=MAX_OPTIONS, description="Option names, such as `Size`.")
]
Description = Annotated[
    str,
    Field(
        max_length=MAX_DESCRIPTION_LENGTH,
        description="HTML; markup that could do harm is dropped.",
    ),
]
Metadata = Annotated[
    dict[Line, Annotated[str, Field(max_length=MAX_METADATA_LENGTH)]],
    Field(max_length=MAX_METADATA),
]


class AdminVariantOut(VariantOut):
    """One thing that can be put in a cart, as staff see it."""

    taxable: bool


class AdminProductOut(ProductOut):
    """A product as staff see it."""

    variants: tuple[AdminVariantOut, ...]
    category_id: UUID | None
    published: bool
    """Whether it is shown and sold."""
    version: int
    """How often it has been saved; stands in the `ETag` as well."""


class AdminProductPage(Output):
    """Some products, and the cursor that continues after them."""

    items: tuple[AdminProductOut, ...]
    next_cursor: str | None


class VariantIn(Input):
    """One thing that can be put in a cart."""

    sku: Sku
    price: MoneyIn
    options: Annotated[
        list[Line],
        Field(max_length=MAX_OPTIONS, description="One value per option, in their order."),
    ] = Field(default_factory=list)
    compare_at_price: MoneyIn | None = None
    weight_grams: Annotated[int, Field(ge=0, le=MAX_WEIGHT_GRAMS)] = 0
    barcode: Line | None = None
    requires_shipping: bool = True
    taxable: bool = True

    def to_new(self) -> NewVariant:
        """The same as the shop creates it."""
        return NewVariant(**self._content())

    def _content(self) -> dict[str, Any]:
        compare_at = self.compare_at_price
        return dict(self) | {
            "price": self.price.to_domain(),
            "options": tuple(self.options),
            "compare_at_price": compare_at.to_domain() if compare_at else None,
        }


class ChangedVariantIn(VariantIn):
    """A variant as it is to be. Without an `id` its SKU says which one it is; else it is new."""

    id: Id | None = None

    def to_changed(self) -> ChangedVariant:
        """The same as the shop changes it."""
        return ChangedVariant(**self._content())


class ImageIn(Input):
    """A picture that lies elsewhere; it is not fetched."""

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_URL_LENGTH,
            description="An https URL.",
            examples=["https://example.com/mug.jpg"],
        ),
    ]
    alt: Annotated[str, Field(max_length=MAX_ALT_LENGTH)] = ""

    def to_domain(self, position: int) -> Image:
        """The same as the shop keeps it."""
        return Image(self.url, self.alt, position)


Images = Annotated[
    list[ImageIn], Field(max_length=MAX_IMAGES, description="The first is shown first.")
]


class NewProductIn(Input):
    """A product to be created. Its stock starts empty."""

    title: Line
    variants: Annotated[list[VariantIn], Field(min_length=1, max_length=MAX_VARIANTS)]
    handle: Annotated[Line | None, Field(description="Made of the title unless given.")] = None
    description_html: Description = ""
    vendor: OptionalLine = ""
    product_type: OptionalLine = ""
    category_id: Id | None = None
    tags: Tags = Field(default_factory=list)
    options: OptionNames = Field(default_factory=list)
    images: Images = Field(default_factory=list)
    published: bool = True
    metadata: Metadata = Field(default_factory=dict)


class ProductChangesIn(Input):
    """What is to change. What is absent stays; a `category_id` of null takes it off its shelf."""

    version: Version | None = None
    title: Line | None = None
    handle: Line | None = None
    description_html: Description | None = None
    vendor: OptionalLine | None = None
    product_type: OptionalLine | None = None
    category_id: Id | None = None
    tags: Tags | None = None
    options: OptionNames | None = None
    variants: Annotated[
        list[ChangedVariantIn] | None,
        Field(
            min_length=1,
            max_length=MAX_VARIANTS,
            description="All of them, each one whole: those that are not named leave the product.",
        ),
    ] = None
    published: bool | None = None
    metadata: Metadata | None = None


class ImagesIn(Input):
    """The pictures of a product, and no others."""

    images: Images
    version: Version | None = None


class PriceIn(Input):
    """What a SKU costs from now on."""

    sku: Sku
    price: MoneyIn
    compare_at_price: MoneyIn | None = None


def gallery_of(images: list[ImageIn]) -> list[Image]:
    """The pictures in their order."""
    return [image.to_domain(position) for position, image in enumerate(images, start=1)]
