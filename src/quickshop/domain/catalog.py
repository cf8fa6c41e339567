"""The catalog: what is sold, in which variants, at which price."""

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
    """Turn a name into a handle: `Crème & Co.` becomes `creme-co`. Empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def search_words(text: str) -> list[str]:
    """The words of a text as search compares them: no accents, case or punctuation."""
    # Twice, because taking a letter apart can leave a capital, and folding one that is composed.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return re.findall(r"[^\W_]+", plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent(DomainEvent):
    """Something about one product."""

    product_id: ProductId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCreated(ProductEvent):
    """A product joined the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(ProductEvent):
    """What shoppers see of a product changed."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a product; `position` 1 is shown first."""

    url: str
    alt: str = ""
    position: int = 1


def gallery(images: Sequence[Image]) -> tuple[Image, ...]:
    """The pictures that staff chose, by their positions, numbered anew from 1.

    Raises:
        InvalidValueError: too many, or one that is not an https address with a short text.
    """
    require_images((image.url, image.alt) for image in images)
    in_order = sorted(images, key=lambda image: image.position)
    return tuple(replace(image, position=n) for n, image in enumerate(in_order, start=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantContent:
    """All that a variant holds besides its id. A plain value: a `Variant` checks it."""

    sku: str
    price: Money
    options: tuple[str, ...] = ()
    """One value per option name of the product, in their order."""
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None
    requires_shipping: bool = True
    taxable: bool = True

    def require_valid(self) -> None:
        """Refuse a variant that could not be sold.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        require_name("sku", self.sku)
        require_prices(self.price, self.compare_at_price)
        require_options(self.options)
        require_weight(self.weight_grams)
        require_barcode(self.barcode)

    @property
    def title(self) -> str:
        """The options in words (`Black / 54 cm`); empty for a product without options."""
        return " / ".join(self.options)


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be put in a cart: a product in one combination of its options."""

    id: VariantId
    content: VariantContent

    def __post_init__(self) -> None:
        """Check the content.

        Raises:
            InvalidValueError: with the field that is wrong.
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
        """One value per option name of the product, in their order."""
        return self.content.options


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductContent:
    """All that a product holds besides its id and variants. A `Product` checks it."""

    handle: str
    """Unique; stands in the product's address."""
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
        """Refuse a product that could not be shown.

        Raises:
            InvalidValueError: with the field that is wrong.
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
    """A product page: text, pictures, and the variants that can be bought."""

    id: ProductId
    content: ProductContent
    variants: tuple[Variant, ...]

    def __post_init__(self) -> None:
        """Check every rule, also for a stored product.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        self.content.require_valid()
        require_variant_count(len(self.variants))
        names = self.content.option_names
        if any(len(variant.options) != len(names) for variant in self.variants):
            raise InvalidValueError("variants", "must each give one value per option")
        for name, values in (
            ("SKU", {variant.sku for variant in self.variants}),
            ("combination of options", {variant.options for variant in self.variants}),
        ):
            if len(values) < len(self.variants):
                raise InvalidValueError("variants", f"must each have their own {name}")
        if len({variant.price.currency for variant in self.variants}) > 1:
            raise InvalidValueError("variants", "must all be priced in one currency")

    @classmethod
    def create(cls, product: Product, *, now: datetime) -> Product:
        """Add a product, as its constructor built it, to the catalog."""
        product._record(ProductCreated(product_id=product.id, occurred_at=now))
        return product

    def revise(
        self, content: ProductContent, variants: tuple[Variant, ...], *, now: datetime
    ) -> bool:
        """Replace content and variants. Returns whether anything changed.

        The currency stays as it is: carts hold the product at its price.

        Raises:
            InvalidValueError: with the field that is wrong.
            CurrencyMismatchError: the variants are priced in another currency.
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
        """Unique; stands in the product's address."""
        return self.content.handle

    @property
    def title(self) -> str:
        """The name that shoppers see."""
        return self.content.title

    @property
    def currency(self) -> str:
        """The one currency that all variants are priced in."""
        return self.variants[0].price.currency

    @property
    def search_text(self) -> str:
        """Every word that a search for this product may name, folded for comparison."""
        said = self.content
        text = (said.title, said.vendor, said.product_type, *said.tags)
        sold = (variant.content for variant in self.variants)
        codes = (code for v in sold for code in (v.sku, *v.options, v.barcode or ""))
        return " ".join(dict.fromkeys(search_words(" ".join((*text, *codes)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A shelf of the catalog; shelves stand on shelves."""

    id: CategoryId
    slug: str
    """Unique in the shop."""
    name: str
    parent_id: CategoryId | None = None

    def __post_init__(self) -> None:
        """Refuse a category that has no name.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        require_name("name", self.name)
        if slugify(self.slug) != self.slug or not self.slug:
            raise InvalidValueError("slug", "must be a slug such as road-bikes")


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """All categories at once, to tell where one may stand."""

    categories: Mapping[CategoryId, Category]

    def get(self, category_id: CategoryId) -> Category:
        """The category of this id.

        Raises:
            NotFoundError: there is none.
        """
        if category_id not in self.categories:
            raise NotFoundError("category")
        return self.categories[category_id]

    def require_room(self, category: Category) -> None:
        """Refuse to have `category`, with all that stands below it, where it says it stands.

        Raises:
            InvalidValueError: that is nowhere, below itself, or too deep.
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
            rule = f"must leave at most {MAX_CATEGORY_DEPTH} categories above one another"
            raise InvalidValueError("parent_id", rule)

    def _height(self, category_id: CategoryId) -> int:
        """Categories from this one down to the lowest below it."""
        height, level = 0, {category_id}
        while level:
            height += 1
            level = {c.id for c in self.categories.values() if c.parent_id in level}
        return height


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A variant as a cart sees it: what it is called and costs at this moment."""

    variant_id: VariantId
    product_id: ProductId
    sku: str
    title: str
    variant_title: str
    unit_price: Money
    published: bool
