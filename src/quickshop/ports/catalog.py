"""What the shop needs from whoever keeps its catalog."""

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
    """The products, as seen from inside one transaction."""

    def find_by_handle(self, handle: str) -> Product | None:
        """The product with this handle, locked until the transaction ends."""
        ...

    def get(self, product_id: ProductId) -> Product:
        """The product, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def offer(self, sku: str) -> Offer:
        """What a cart needs to know of a SKU, published or not.

        Raises:
            NotFoundError: no variant has this SKU.
        """
        ...

    def owners(self, skus: Collection[str]) -> Mapping[str, ProductId]:
        """Which product each SKU belongs to; SKUs that nobody has are left out."""
        ...

    def add(self, product: Product) -> None:
        """Store a new product and its events.

        Raises:
            ConflictError: its category was deleted meanwhile.
            AlreadyExistsError: its handle or one of its SKUs is taken.
        """
        ...

    def save(self, product: Product) -> None:
        """Store the changes of a product got from here, and its events.

        Raises:
            ConflictError: it was saved by someone else since it was got, or its category was
                deleted meanwhile.
            AlreadyExistsError: its handle or one of its SKUs is taken.
        """
        ...


class CategoryRepository(Protocol):
    """The category tree, as seen from inside one transaction."""

    def tree(self) -> CategoryTree:
        """All of it. Until the transaction ends nobody else who asks for the tree gets it."""
        ...

    def exists(self, category_id: CategoryId) -> bool:
        """Whether there is a category of this id."""
        ...

    def find(self, slug: str) -> Category | None:
        """The category with this slug."""
        ...

    def get_or_create(self, category: Category) -> Category:
        """The category of that slug, stored as given if there is none.

        Raises:
            ConflictError: the category above it was deleted meanwhile.
        """
        ...

    def add(self, category: Category) -> None:
        """Store a new category.

        Raises:
            AlreadyExistsError: its slug is taken.
        """
        ...

    def save(self, category: Category) -> None:
        """Store another name or place of a category that is in the `tree` of this transaction."""
        ...

    def remove(self, category_id: CategoryId) -> None:
        """Delete a category that is in the `tree` of this transaction.

        Raises:
            CategoryInUseError: products or categories are in it.
        """
        ...


class ProductSort(StrEnum):
    """Orders that a list of products may come in; ties go by id."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_DESCENDING = "-price"
    TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductQuery:
    """Which products to list. Every criterion given must hold."""

    published: bool | None = True
    """None: those that are shown and those that are not."""

    text: str | None = None
    """Words that must all begin some word of title, vendor, type, tags, options or SKUs."""
    category: str | None = None
    """Slug; products of the categories below it count."""
    tag: str | None = None
    vendor: str | None = None
    min_price_minor: int | None = None
    """Some variant costs at least this, in minor units."""
    max_price_minor: int | None = None
    """Some variant costs at most this, in minor units."""
    in_stock: bool | None = None
    """True: some variant can be bought now. False: none can."""
    sort: ProductSort = ProductSort.NEWEST
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        """Refuse prices that nothing can have.

        Raises:
            InvalidValueError: with the criterion that is wrong.
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
    """Value by option name."""
    available: int
    """Units that can be bought now, over all locations, back-orders included."""

    @property
    def sku(self) -> str:
        """Unique in the shop."""
        return self.content.sku

    @property
    def title(self) -> str:
        """The options in words (`Black / 54 cm`); empty for a product without options."""
        return self.content.title

    @property
    def price(self) -> Money:
        """The price of one unit."""
        return self.content.price


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product as people see it."""

    id: ProductId
    content: ProductContent
    category: str | None
    """Slug."""
    variants: Sequence[VariantView]
    version: int
    """How often it has been saved."""
    etag: str
    """Names this state of this product and its stock; any change gives another."""

    @property
    def handle(self) -> str:
        """Unique; stands in the product's address."""
        return self.content.handle

    @property
    def title(self) -> str:
        """The name that shoppers see."""
        return self.content.title


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category with the ones below it, by name."""

    id: CategoryId
    slug: str
    name: str
    children: Sequence[CategoryView]


class ProductReader(Protocol):
    """The catalog as people read it; no transaction needed."""

    def get(self, key: str, *, unpublished: bool = False) -> ProductView:
        """The product with this id or handle; only with `unpublished` one that is not shown.

        Raises:
            NotFoundError: there is none, or it is not published.
        """
        ...

    def etag(self, key: str) -> str:
        """The `ProductView.etag` of a published product, for much less work than `get`.

        Raises:
            NotFoundError: as `get`.
        """
        ...

    def search(self, query: ProductQuery) -> Page[ProductView]:
        """One page of products.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def categories(self) -> Sequence[CategoryView]:
        """The tree, from its roots, each level by name."""
        ...
