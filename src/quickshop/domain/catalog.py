"""The catalog: products, their variants and prices, and categories."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NewType, TypedDict
from uuid import UUID

from quickshop.domain.catalog_rules import (
    MAX_CATEGORY_DEPTH,
    require_barcode,
    require_description,
    require_handle,
    require_images,
    require_metadata,
    require_optional_name,
    require_options,
    require_prices,
    require_tags,
    require_variant_count,
    require_weight,
)
from quickshop.domain.errors import CurrencyMismatchError, InvalidValueError, NotFoundError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.money import Money
from quickshop.domain.values import require_name

ProductId = NewType("ProductId", UUID)
VariantId = NewType("VariantId", UUID)
CategoryId = NewType("CategoryId", UUID)


def slugify(text: str) -> str:
    """Return the slug of a name: `creme-co` for `Crème & Co.`. It may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def search_words(text: str) -> list[str]:
    """Return the words of a text as search compares them: no accents, case or punctuation."""
    # Twice: decomposing can leave a capital letter, and case-folding a composed one.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return re.findall(r"[^\W_]+", plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent(DomainEvent):
    """An event of one product."""

    product_id: ProductId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCreated(ProductEvent):
    """A product was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(ProductEvent):
    """The content or variants of a product changed."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a product; `position` 1 is shown first."""

    url: str
    alt: str = ""
    position: int = 1


def gallery(images: Sequence[Image]) -> tuple[Image, ...]:
    """Return images ordered by their positions, which are renumbered from 1.

    Raises:
        InvalidValueError: there are too many images, a URL is not https, or a text is too long.
    """
    require_images((image.url, image.alt) for image in images)
    in_order = sorted(images, key=lambda image: image.position)
    return tuple(replace(image, position=n) for n, image in enumerate(in_order, start=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantContent:
    """The fields of a variant, except its id. A `Variant` checks them."""

    sku: str
    price: Money
    options: tuple[str, ...] = ()
    """One value per option name of the product, in the same order."""
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None
    requires_shipping: bool = True
    taxable: bool = True

    def require_valid(self) -> None:
        """Check every field.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        require_name("sku", self.sku)
        require_prices(self.price, self.compare_at_price)
        require_options(self.options)
        require_weight(self.weight_grams)
        require_barcode(self.barcode)

    @property
    def title(self) -> str:
        """The option values as text (`Black / 54 cm`); empty for a product without options."""
        return " / ".join(self.options)


@dataclass(frozen=True, slots=True)
class Variant:
    """A product in one combination of its options, which shoppers add to a cart."""

    id: VariantId
    content: VariantContent

    def __post_init__(self) -> None:
        """Check the content.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        self.content.require_valid()

    @property
    def sku(self) -> str:
        """Unique in the shop."""
        return self.content.sku

    @property
    def price(self) -> Money:
        """The price of one unit."""
        return self.content.price

    @property
    def options(self) -> tuple[str, ...]:
        """One value per option name of the product, in the same order."""
        return self.content.options


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductContent:
    """The fields of a product, except its id and variants. A `Product` checks them."""

    handle: str
    """Unique; part of the URL of the product page."""
    title: str
    description_html: str = ""
    """HTML. Sanitize it before you store it."""
    vendor: str = ""
    product_type: str = ""
    category_id: CategoryId | None = None
    tags: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    published: bool = True
    """Only published products are shown and sold."""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def require_valid(self) -> None:
        """Check every field.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        require_handle(self.handle)
        require_name("title", self.title)
        require_description(self.description_html)
        require_optional_name("vendor", self.vendor)
        require_optional_name("product_type", self.product_type)
        require_tags(self.tags)
        require_options(self.option_names)
        require_images((image.url, image.alt) for image in self.images)
        require_metadata(self.metadata)


class ProductDetails(TypedDict, total=False):
    """`ProductContent` without the title, as keyword arguments. None means not given."""

    handle: str | None
    description_html: str | None
    vendor: str | None
    product_type: str | None
    category_id: CategoryId | None
    tags: Sequence[str] | None
    option_names: Sequence[str] | None
    images: Sequence[Image] | None
    published: bool | None
    metadata: Mapping[str, str] | None


@dataclass(slots=True, eq=False, kw_only=True)
class Product(Aggregate):
    """A product: its content and the variants that can be bought."""

    id: ProductId
    content: ProductContent
    variants: tuple[Variant, ...]

    def __post_init__(self) -> None:
        """Check every rule, also for a stored product.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        self.content.require_valid()
        require_variant_count(len(self.variants))
        names = self.content.option_names
        if any(len(variant.options) != len(names) for variant in self.variants):
            raise InvalidValueError("variants", "must each have one value per option")
        for name, values in (
            ("SKU", {variant.sku for variant in self.variants}),
            ("combination of options", {variant.options for variant in self.variants}),
        ):
            if len(values) < len(self.variants):
                raise InvalidValueError("variants", f"must each have a different {name}")
        if len({variant.price.currency for variant in self.variants}) > 1:
            raise InvalidValueError("variants", "must all have prices in one currency")

    @classmethod
    def create(cls, product: Product, *, now: datetime) -> Product:
        """Record that `product` is new, and return it."""
        product._record(ProductCreated(product_id=product.id, occurred_at=now))
        return product

    def revise(
        self, content: ProductContent, variants: tuple[Variant, ...], *, now: datetime
    ) -> bool:
        """Replace content and variants. Returns whether anything changed.

        The currency cannot change, because carts contain the product at its price.

        Raises:
            InvalidValueError: for the first field with an invalid value.
            CurrencyMismatchError: the variants have prices in another currency.
        """
        revised = replace(self, content=content, variants=variants)
        if revised.currency != self.currency:
            raise CurrencyMismatchError(revised.currency, self.currency)
        if (content, variants) == (self.content, self.variants):
            return False
        self.content, self.variants = content, variants
        self._record(ProductChanged(product_id=self.id, occurred_at=now))
        return True

    @property
    def handle(self) -> str:
        """Unique; part of the URL of the product page."""
        return self.content.handle

    @property
    def title(self) -> str:
        """The title that shoppers see."""
        return self.content.title

    @property
    def currency(self) -> str:
        """The currency of the prices of all variants."""
        return self.variants[0].price.currency

    @property
    def search_text(self) -> str:
        """The words that find this product in a search, without accents or case."""
        content = self.content
        text = (content.title, content.vendor, content.product_type, *content.tags)
        variants = (variant.content for variant in self.variants)
        codes = (code for v in variants for code in (v.sku, *v.options, v.barcode or ""))
        return " ".join(dict.fromkeys(search_words(" ".join((*text, *codes)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category of products. Categories form a tree."""

    id: CategoryId
    slug: str
    """Unique in the shop."""
    name: str
    parent_id: CategoryId | None = None

    def __post_init__(self) -> None:
        """Check the name and the slug.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        require_name("name", self.name)
        if slugify(self.slug) != self.slug or not self.slug:
            raise InvalidValueError("slug", "must be a slug such as road-bikes")


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """All categories, to check the place of one."""

    categories: Mapping[CategoryId, Category]

    def get(self, category_id: CategoryId) -> Category:
        """Return the category with this id.

        Raises:
            NotFoundError: no category has this id.
        """
        if category_id not in self.categories:
            raise NotFoundError("category")
        return self.categories[category_id]

    def require_room(self, category: Category) -> None:
        """Check that `category`, with all categories below it, can be below its parent.

        Raises:
            InvalidValueError: the parent does not exist, is below `category`, or is too deep.
        """
        above = 0
        parent_id = category.parent_id
        while parent_id is not None:
            if parent_id == category.id:
                raise InvalidValueError("parent_id", "must not be below the category itself")
            if parent_id not in self.categories:
                raise InvalidValueError("parent_id", "must be the id of a category")
            above += 1
            parent_id = self.categories[parent_id].parent_id
        if above + self._height(category.id) > MAX_CATEGORY_DEPTH:
            rule = (
                f"must be at most {MAX_CATEGORY_DEPTH} levels deep, including the categories below"
            )
            raise InvalidValueError("parent_id", rule)

    def _height(self, category_id: CategoryId) -> int:
        """Return the number of levels from this category down, including its own."""
        height, level = 0, {category_id}
        while level:
            height += 1
            level = {c.id for c in self.categories.values() if c.parent_id in level}
        return height


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A variant with its current title and price, as a cart shows it."""

    variant_id: VariantId
    product_id: ProductId
    sku: str
    title: str
    variant_title: str
    unit_price: Money
    published: bool
