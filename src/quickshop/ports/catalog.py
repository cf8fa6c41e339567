"""Ports that store and read products and categories."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from quickshop.domain.catalog import (
    Category,
    CategoryId,
    CategoryTree,
    Offer,
    Product,
    ProductContent,
    ProductId,
    VariantContent,
    VariantId,
)
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.money import MAX_MINOR, Money
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class ProductRepository(Protocol):
    """The products in one transaction."""

    def find_by_handle(self, handle: str) -> Product | None:
        """Return the product with this handle, if any, locked until the transaction ends."""
        ...

    def get(self, product_id: ProductId) -> Product:
        """Return the product, locked until the transaction ends.

        Raises:
            NotFoundError: no product has this id.
        """
        ...

    def offer(self, sku: str) -> Offer:
        """Return the offer of a SKU for carts, published or not.

        Raises:
            NotFoundError: no variant has this SKU.
        """
        ...

    def owners(self, skus: Collection[str]) -> Mapping[str, ProductId]:
        """Return the product of each SKU; unknown SKUs are left out."""
        ...

    def add(self, product: Product) -> None:
        """Store a new product and its events.

        Raises:
            ConflictError: its category was deleted concurrently.
            AlreadyExistsError: another product has its handle or one of its SKUs.
        """
        ...

    def save(self, product: Product) -> None:
        """Store the changes of a product read in this transaction, and its events.

        Raises:
            ConflictError: another transaction saved the product since it was read, or its category
                was deleted concurrently.
            AlreadyExistsError: another product has its handle or one of its SKUs.
        """
        ...


class CategoryRepository(Protocol):
    """The category tree in one transaction."""

    def tree(self) -> CategoryTree:
        """Return the whole tree, locked: other transactions wait for it until this one ends."""
        ...

    def exists(self, category_id: CategoryId) -> bool:
        """Return whether a category has this id."""
        ...

    def find(self, slug: str) -> Category | None:
        """Return the category with this slug, if any."""
        ...

    def get_or_create(self, category: Category) -> Category:
        """Return the category with the slug of `category`; store `category` if there is none.

        Raises:
            ConflictError: its parent was deleted concurrently.
        """
        ...

    def add(self, category: Category) -> None:
        """Store a new category.

        Raises:
            AlreadyExistsError: another category has its slug.
        """
        ...

    def save(self, category: Category) -> None:
        """Store a new name or parent of a category in the `tree` of this transaction."""
        ...

    def remove(self, category_id: CategoryId) -> None:
        """Delete a category in the `tree` of this transaction.

        Raises:
            CategoryInUseError: the category contains products or categories.
        """
        ...


class ProductSort(StrEnum):
    """Sort orders of a list of products. Ties are ordered by id."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_DESCENDING = "-price"
    TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductQuery:
    """Criteria for a list of products. All given criteria must match."""

    published: bool | None = True
    """None matches published and unpublished products."""

    text: str | None = None
    """Words, each the start of a word in the title, vendor, type, tags, options or SKUs."""
    category: str | None = None
    """The slug of a category; categories below it are included."""
    tag: str | None = None
    vendor: str | None = None
    min_price_minor: int | None = None
    """The lowest price of at least one variant, in minor units."""
    max_price_minor: int | None = None
    """The highest price of at least one variant, in minor units."""
    in_stock: bool | None = None
    """True: at least one variant can be bought now. False: none can."""
    sort: ProductSort = ProductSort.NEWEST
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        """Check the prices.

        Raises:
            InvalidValueError: a price is negative or too high.
        """
        for name in ("min_price_minor", "max_price_minor"):
            price = getattr(self, name)
            if price is not None and not 0 <= price < MAX_MINOR:
                raise InvalidValueError(name, "must be a price in minor units")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantView:
    """A variant as a shopper sees it."""

    id: VariantId
    content: VariantContent
    options: Mapping[str, str]
    """Values by option name."""
    available: int
    """Units that can be bought now, in all locations, including back-orders."""

    @property
    def sku(self) -> str:
        """Unique in the shop."""
        return self.content.sku

    @property
    def title(self) -> str:
        """The option values as text (`Black / 54 cm`); empty for a product without options."""
        return self.content.title

    @property
    def price(self) -> Money:
        """The price of one unit."""
        return self.content.price


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product as shoppers and staff see it."""

    id: ProductId
    content: ProductContent
    category: str | None
    """The slug of the category."""
    variants: Sequence[VariantView]
    version: int
    """How often it has been saved."""
    etag: str
    """Identifies the state of the product and its stock; every change gives a new one."""

    @property
    def handle(self) -> str:
        """Unique; part of the URL of the product page."""
        return self.content.handle

    @property
    def title(self) -> str:
        """The title that shoppers see."""
        return self.content.title


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category and its children, ordered by name."""

    id: CategoryId
    slug: str
    name: str
    children: Sequence[CategoryView]


class ProductReader(Protocol):
    """Reads the catalog without a transaction."""

    def get(self, key: str, *, unpublished: bool = False) -> ProductView:
        """Return the product with this id or handle. `unpublished` includes unpublished products.

        Raises:
            NotFoundError: no product has this id or handle, or it is not published.
        """
        ...

    def etag(self, key: str) -> str:
        """Return the `ProductView.etag` of a published product, with much less work than `get`.

        Raises:
            NotFoundError: no product has this id or handle, or it is not published.
        """
        ...

    def search(self, query: ProductQuery) -> Page[ProductView]:
        """Return one page of products.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def categories(self) -> Sequence[CategoryView]:
        """Return the category tree from its roots, each level ordered by name."""
        ...
