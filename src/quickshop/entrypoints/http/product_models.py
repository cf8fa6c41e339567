"""Products in JSON, as staff write and read them."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, Any
from uuid import UUID

from pydantic import AliasGenerator, AliasPath, ConfigDict, Field

from quickshop.application.catalog import ChangedVariant
from quickshop.domain.catalog import Image, VariantContent, VariantId
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
from quickshop.domain.values import MAX_NAME_LENGTH, MAX_URL_LENGTH
from quickshop.entrypoints.http.models import (
    Id,
    Input,
    Line,
    OptionalLine,
    Output,
    Sku,
    Version,
)
from quickshop.entrypoints.http.money import MoneyIn, MoneyOut, UnitPriceIn
from quickshop.entrypoints.http.texts import HANDLE, HTTPS_URL, PRINTABLE, STORABLE

Tags = Annotated[list[Line], Field(max_length=MAX_TAGS)]
OptionNames = Annotated[
    list[Line], Field(max_length=MAX_OPTIONS, description="Option names, such as `Size`.")
]
Handle = Annotated[Line, HANDLE]
Description = Annotated[
    str,
    STORABLE,
    Field(
        max_length=MAX_DESCRIPTION_LENGTH,
        description="HTML; markup that could do harm is dropped.",
    ),
]
Metadata = Annotated[
    dict[Line, Annotated[str, Field(max_length=MAX_METADATA_LENGTH), STORABLE]],
    Field(
        max_length=MAX_METADATA,
        # pydantic states the pattern of the keys as `patternProperties`, which allows other keys.
        json_schema_extra={
            "additionalProperties": False,
            "propertyNames": {"minLength": 1, "maxLength": MAX_NAME_LENGTH},
        },
    ),
]


class ImageOut(Output):
    """A picture; position 1 is shown first."""

    url: str
    alt: str
    position: int


class _ContentOut(Output):
    """Read off a view and its content: a field is the content's unless it says otherwise."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasPath("content", name))
    )


class VariantOut(_ContentOut):
    """One thing that can be put in a cart."""

    id: Annotated[UUID, Field(validation_alias="id")]
    sku: str
    title: str
    options: Annotated[dict[str, str], Field(validation_alias="options")]
    """Value by option name."""
    price: MoneyOut
    compare_at_price: MoneyOut | None
    weight_grams: int
    barcode: str | None
    requires_shipping: bool
    available: Annotated[int, Field(validation_alias="available")]
    """Units that can be bought now."""


class AdminVariantOut(VariantOut):
    """One thing that can be put in a cart, as staff see it."""

    taxable: bool


class ProductOut(_ContentOut):
    """A product, its variants, and how many of each can be bought."""

    id: Annotated[UUID, Field(validation_alias="id")]
    handle: str
    title: str
    description_html: str
    vendor: str
    product_type: str
    category: Annotated[str | None, Field(validation_alias="category")]
    """Slug."""
    tags: tuple[str, ...]
    options: Annotated[
        tuple[str, ...], Field(validation_alias=AliasPath("content", "option_names"))
    ]
    """Option names."""
    images: tuple[ImageOut, ...]
    variants: Annotated[tuple[VariantOut, ...], Field(validation_alias="variants")]
    metadata: dict[str, str]


class ProductPage(Output):
    """Some products, and the cursor that continues after them."""

    items: tuple[ProductOut, ...]
    next_cursor: str | None


class AdminProductOut(ProductOut):
    """A product as staff see it."""

    variants: Annotated[tuple[AdminVariantOut, ...], Field(validation_alias="variants")]
    category_id: UUID | None
    published: bool
    """Whether it is shown and sold."""
    version: Annotated[int, Field(validation_alias="version")]
    """How often it has been saved; stands in the `ETag` as well."""


class AdminProductPage(Output):
    """Some products, and the cursor that continues after them."""

    items: tuple[AdminProductOut, ...]
    next_cursor: str | None


class VariantIn(Input):
    """One thing that can be put in a cart."""

    sku: Sku
    price: UnitPriceIn
    options: Annotated[
        list[Line],
        Field(max_length=MAX_OPTIONS, description="One value per option, in their order."),
    ] = Field(default_factory=list)
    compare_at_price: UnitPriceIn | None = None
    weight_grams: Annotated[int, Field(ge=0, le=MAX_WEIGHT_GRAMS)] = 0
    barcode: Line | None = None
    requires_shipping: bool = True
    taxable: bool = True

    def to_content(self) -> VariantContent:
        """Convert to what the shop holds of a variant."""
        values = _values(self) | {"options": tuple(self.options)}
        values.pop("id", None)
        return VariantContent(**values)


class ChangedVariantIn(VariantIn):
    """A variant as it is to be. Without an `id` its SKU says which one it is; else it is new."""

    id: Id | None = None

    def to_changed(self) -> ChangedVariant:
        """Convert to what the shop changes a variant by."""
        return ChangedVariant(
            self.to_content(), id=None if self.id is None else VariantId(self.id)
        )


class ImageIn(Input):
    """A picture that lies elsewhere; it is not fetched."""

    url: Annotated[
        str,
        HTTPS_URL,
        Field(
            min_length=1,
            max_length=MAX_URL_LENGTH,
            description="An https URL.",
            examples=["https://example.com/mug.jpg"],
        ),
    ]
    alt: Annotated[str, Field(max_length=MAX_ALT_LENGTH), PRINTABLE] = ""

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
    handle: Annotated[
        Handle | None,
        Field(
            description="Made from the title by default; required if the title has neither Latin "
            "letters nor digits. Not an id."
        ),
    ] = None
    description_html: Description = ""
    vendor: OptionalLine = ""
    product_type: OptionalLine = ""
    category_id: Id | None = None
    tags: Tags = Field(default_factory=list)
    options: OptionNames = Field(default_factory=list)
    images: Images = Field(default_factory=list)
    published: bool = True
    metadata: Metadata = Field(default_factory=dict)

    def to_fields(self) -> dict[str, Any]:
        """Everything but the variants, by the names that the shop has for it."""
        return _renamed(self, {name for name, _ in self}) | {"images": gallery_of(self.images)}


class ProductChangesIn(Input):
    """What is to change. What is absent stays; a `category_id` of null takes it off its shelf."""

    version: Version | None = None
    title: Line | None = None
    handle: Handle | None = None
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

    def to_fields(self) -> dict[str, Any]:
        """Everything that was sent but the variants, by the names that the shop has for it."""
        return _renamed(self, self.model_fields_set - {"version"})


class ImagesIn(Input):
    """The pictures of a product, and no others."""

    images: Images
    version: Version | None = None


class PriceIn(Input):
    """What a SKU costs from now on."""

    sku: Sku
    price: UnitPriceIn
    compare_at_price: UnitPriceIn | None = None

    def to_fields(self) -> dict[str, Any]:
        """What was sent, by the names that the shop has for it."""
        return _values(self)


def _values(body: Input) -> dict[str, Any]:
    return {
        name: value.to_domain() if isinstance(value, MoneyIn) else value for name, value in body
    }


def _renamed(body: Input, names: Set[str]) -> dict[str, Any]:
    return {
        "option_names" if name == "options" else name: getattr(body, name)
        for name in names
        if name != "variants"
    }


def gallery_of(images: list[ImageIn]) -> list[Image]:
    """The pictures in their order."""
    return [image.to_domain(position) for position, image in enumerate(images, start=1)]
