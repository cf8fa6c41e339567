"""JSON models of products."""

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
        description="HTML. Unsafe markup is removed.",
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
    """An image of a product. Position 1 is shown first."""

    url: str
    alt: str
    position: int


class _ContentOut(Output):
    """Read from a view: fields without a `validation_alias` come from the view's `content`."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasPath("content", name))
    )


class VariantOut(_ContentOut):
    """A variant of a product: what a shopper adds to a cart."""

    id: Annotated[UUID, Field(validation_alias="id")]
    sku: str
    title: str
    options: Annotated[dict[str, str], Field(validation_alias="options")]
    """The variant's value of each option."""
    price: MoneyOut
    compare_at_price: MoneyOut | None
    weight_grams: int
    barcode: str | None
    requires_shipping: bool
    available: Annotated[int, Field(validation_alias="available")]
    """Units that can be bought now."""


class AdminVariantOut(VariantOut):
    """A variant with the fields for staff."""

    taxable: bool


class ProductOut(_ContentOut):
    """A product, its variants, and the available units of each."""

    id: Annotated[UUID, Field(validation_alias="id")]
    handle: str
    title: str
    description_html: str
    vendor: str
    product_type: str
    category: Annotated[str | None, Field(validation_alias="category")]
    """The category's slug."""
    tags: tuple[str, ...]
    options: Annotated[
        tuple[str, ...], Field(validation_alias=AliasPath("content", "option_names"))
    ]
    """The names of the options, such as `Size`."""
    images: tuple[ImageOut, ...]
    variants: Annotated[tuple[VariantOut, ...], Field(validation_alias="variants")]
    metadata: dict[str, str]


class ProductPage(Output):
    """A page of products, and the cursor of the next page."""

    items: tuple[ProductOut, ...]
    next_cursor: str | None


class AdminProductOut(ProductOut):
    """A product with the fields for staff."""

    variants: Annotated[tuple[AdminVariantOut, ...], Field(validation_alias="variants")]
    category_id: UUID | None
    published: bool
    """Whether shoppers can see and buy it."""
    version: Annotated[int, Field(validation_alias="version")]
    """How often the product was saved. The `ETag` has the same number."""


class AdminProductPage(Output):
    """A page of products, and the cursor of the next page."""

    items: tuple[AdminProductOut, ...]
    next_cursor: str | None


class VariantIn(Input):
    """A variant of a product."""

    sku: Sku
    price: UnitPriceIn
    options: Annotated[
        list[Line],
        Field(max_length=MAX_OPTIONS, description="One value per option, in the same order."),
    ] = Field(default_factory=list)
    compare_at_price: UnitPriceIn | None = None
    weight_grams: Annotated[int, Field(ge=0, le=MAX_WEIGHT_GRAMS)] = 0
    barcode: Line | None = None
    requires_shipping: bool = True
    taxable: bool = True

    def to_content(self) -> VariantContent:
        """Convert to the content of a variant."""
        values = _values(self) | {"options": tuple(self.options)}
        values.pop("id", None)
        return VariantContent(**values)


class ChangedVariantIn(VariantIn):
    """A variant's new content. Without an `id`, it is the variant of this SKU, or a new one."""

    id: Id | None = None

    def to_changed(self) -> ChangedVariant:
        """Convert to a change of a variant."""
        return ChangedVariant(
            self.to_content(), id=None if self.id is None else VariantId(self.id)
        )


class ImageIn(Input):
    """The URL of an image. The shop does not fetch it."""

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
        """Convert to an image at this position."""
        return Image(self.url, self.alt, position)


Images = Annotated[
    list[ImageIn], Field(max_length=MAX_IMAGES, description="In the order they are shown.")
]


class NewProductIn(Input):
    """A new product. It has no stock yet."""

    title: Line
    variants: Annotated[list[VariantIn], Field(min_length=1, max_length=MAX_VARIANTS)]
    handle: Annotated[
        Handle | None,
        Field(
            description="Default: derived from the title. Required if the title has neither Latin "
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
        """Return all fields but the variants, as arguments of the use case."""
        return _renamed(self, {name for name, _ in self}) | {"images": gallery_of(self.images)}


class ProductChangesIn(Input):
    """Changes of a product; absent fields stay. A null `category_id` removes the category."""

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
            description="Replaces all variants. A variant that is not listed is removed.",
        ),
    ] = None
    published: bool | None = None
    metadata: Metadata | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the sent fields but the variants, as arguments of the use case."""
        return _renamed(self, self.model_fields_set - {"version"})


class ImagesIn(Input):
    """All images of a product. They replace the previous ones."""

    images: Images
    version: Version | None = None


class PriceIn(Input):
    """The new price of a SKU."""

    sku: Sku
    price: UnitPriceIn
    compare_at_price: UnitPriceIn | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the fields as arguments of the use case."""
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
    """Convert the images; their positions follow the order of the list."""
    return [image.to_domain(position) for position, image in enumerate(images, start=1)]
