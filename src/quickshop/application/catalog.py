"""Use cases about the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from quickshop.application.retries import retried
from quickshop.domain.catalog import (
    CategoryId,
    Image,
    Product,
    ProductId,
    Variant,
    VariantId,
    slugify,
)
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.money import Money
from quickshop.ports.cache import CachedPage, ProductCache
from quickshop.ports.catalog import CategoryView, ProductQuery, ProductReader, ProductView
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.paging import Page
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A variant to be created; one value in `options` per option name of its product."""

    sku: str
    price: Money
    options: tuple[str, ...] = ()
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None
    requires_shipping: bool = True
    taxable: bool = True


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """Add a product to the catalog. Its stock starts empty: receive some."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    sanitize: HtmlSanitizer

    @retried
    def __call__(
        self,
        *,
        title: str,
        variants: Sequence[NewVariant],
        handle: str | None = None,
        description_html: str = "",
        vendor: str = "",
        product_type: str = "",
        category_id: CategoryId | None = None,
        tags: Sequence[str] = (),
        option_names: Sequence[str] = (),
        images: Sequence[Image] = (),
        published: bool = True,
        metadata: Mapping[str, str] | None = None,
    ) -> Product:
        """Markup in the description that could do harm is dropped.

        With `option_names=("Size", "Color")` each variant gives its values in that order, as
        `options=("M", "Blue")`. Carts hold one currency: price in that of the shop.

        Raises:
            InvalidValueError: something is not as it should be; says what.
            AlreadyExistsError: the handle or a SKU is taken.
        """
        for field, names in (("tags", tags), ("option_names", option_names)):
            if isinstance(names, str):
                raise InvalidValueError(field, "must be several texts, not one")
        content = Product(
            id=ProductId(self.identifiers.new()),
            handle=handle if handle is not None else slugify(title),
            title=title,
            variants=tuple(self._variant(variant) for variant in variants),
            description_html=self.sanitize(description_html),
            vendor=vendor,
            product_type=product_type,
            category_id=category_id,
            tags=tuple(tags),
            option_names=tuple(option_names),
            images=tuple(images),
            published=published,
            metadata=metadata or {},
        )
        with self.unit_of_work() as tx:
            product = Product.create(content, now=self.clock.now())
            tx.products.add(product)
        return product

    def _variant(self, new: NewVariant) -> Variant:
        return Variant(
            id=VariantId(self.identifiers.new()),
            sku=new.sku,
            price=new.price,
            options=tuple(new.options),
            compare_at_price=new.compare_at_price,
            weight_grams=new.weight_grams,
            barcode=new.barcode,
            requires_shipping=new.requires_shipping,
            taxable=new.taxable,
        )


@dataclass(frozen=True, slots=True)
class ChangePrice:
    """Set what a SKU costs from now on. Orders already placed keep their price."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: ProductCache

    @retried
    def __call__(
        self, sku: str, price: Money, *, compare_at_price: Money | None = None
    ) -> Product:
        """Safe to repeat.

        Raises:
            NotFoundError: no variant has this SKU.
            InvalidValueError: negative, or too high to be true.
            CurrencyMismatchError: not in the currency of the product.
        """
        with self.unit_of_work() as tx:
            product = tx.products.get(tx.products.offer(sku).product_id)
            variants = tuple(
                replace(variant, price=price, compare_at_price=compare_at_price)
                if variant.sku == sku
                else variant
                for variant in product.variants
            )
            if product.revise(replace(product, variants=variants), now=self.clock.now()):
                tx.products.save(product)
        self.cache.forget(str(product.id), product.handle)
        return product


@dataclass(frozen=True, slots=True)
class GetProduct:
    """Show a published product, as the database has it now."""

    products: ProductReader

    def __call__(self, key: str) -> ProductView:
        """By id or handle.

        Raises:
            NotFoundError: there is none, or it is not published.
        """
        return self.products.get(key)


@dataclass(frozen=True, slots=True)
class GetProductPage:
    """A product as rendered bytes, from the cache if it has them: at most seconds old."""

    products: ProductReader
    cache: ProductCache

    def __call__(self, key: str, render: Callable[[ProductView], bytes]) -> CachedPage:
        """By id or handle; `render` is called only for a state that the cache does not hold.

        Raises:
            NotFoundError: there is none, or it is not published.
        """
        if self.cache.keeps:
            if page := self.cache.current(key):
                return page
            if page := self.cache.page(key, self.products.etag(key)):
                return page
        view = self.products.get(key)
        page = CachedPage(view.etag, render(view))
        self.cache.put(key, page)
        return page


@dataclass(frozen=True, slots=True)
class ListProducts:
    """List and search the published products."""

    products: ProductReader

    def __call__(self, query: ProductQuery | None = None) -> Page[ProductView]:
        """One page; without a query the newest products.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.products.search(query or ProductQuery())


@dataclass(frozen=True, slots=True)
class ListCategories:
    """Show the category tree."""

    products: ProductReader

    def __call__(self) -> Sequence[CategoryView]:
        """From its roots, each level by name."""
        return self.products.categories()
