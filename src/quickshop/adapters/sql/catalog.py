"""The catalog in tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from quickshop.adapters.sql.catalog_rows import (
    product_content,
    product_values,
    variant_content,
    variant_values,
)
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import is_violation_of
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.tables import categories, product_tags, products, variants
from quickshop.adapters.tracking import Tracker
from quickshop.domain.catalog import (
    Category,
    CategoryId,
    CategoryTree,
    Offer,
    Product,
    ProductId,
    Variant,
    VariantId,
)
from quickshop.domain.errors import (
    AlreadyExistsError,
    CategoryInUseError,
    ConflictError,
    NotFoundError,
    QuickShopError,
)
from quickshop.domain.money import Money
from quickshop.ports.catalog import CategoryRepository, ProductRepository

OFFER_COLUMNS: Final = (
    variants.c.id.label("variant_id"),
    variants.c.product_id,
    variants.c.sku,
    variants.c.options,
    variants.c.price_minor,
    variants.c.currency,
    variants.c.retired,
    products.c.title,
    products.c.published,
)

_OFFER: Final[Select[Any]] = (
    select(*OFFER_COLUMNS)
    .select_from(variants.join(products))
    .where(variants.c.sku == bindparam("code"), ~variants.c.retired)
)
_GET: Final = select(products).where(products.c.id == bindparam("product")).with_for_update()
_GET_BY_HANDLE: Final = (
    select(products).where(products.c.handle == bindparam("slug")).with_for_update()
)
_VARIANTS: Final = (
    select(variants)
    .where(variants.c.product_id == bindparam("product"), ~variants.c.retired)
    .order_by(variants.c.position)
)
_OWNERS: Final = select(variants.c.sku, variants.c.product_id).where(
    variants.c.sku.in_(bindparam("skus", expanding=True)), ~variants.c.retired
)
_ALL_VARIANTS: Final = select(variants.c.id).where(variants.c.product_id == bindparam("product"))
_CHANGEABLE: Final = tuple(
    column.name for column in variants.c if column.name not in {"id", "product_id"}
)
_UPDATE_VARIANT: Final = (
    update(variants)
    .where(variants.c.id == bindparam("variant"))
    .values({name: bindparam(f"new_{name}", type_=variants.c[name].type) for name in _CHANGEABLE})
)
_RETIRE: Final = (
    update(variants).where(variants.c.product_id == bindparam("product")).values(retired=True)
)


def offer_of(row: Row[Any]) -> Offer:
    """Return the offer in a row with `OFFER_COLUMNS`."""
    return Offer(
        variant_id=VariantId(row.variant_id),
        product_id=ProductId(row.product_id),
        sku=row.sku,
        title=row.title,
        variant_title=" / ".join(row.options),
        unit_price=Money(row.price_minor, row.currency),
        published=row.published and not row.retired,
    )


class SqlProducts(ProductRepository):
    """Products, locked from reading to the end of the transaction."""

    def __init__(
        self, connection: BatchingConnection, dialect: SqlDialect, tracker: Tracker, log: EventLog
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._tracker = tracker
        self._log = log

    @override
    def find_by_handle(self, handle: str) -> Product | None:
        return self._product(
            self._connection.execute(_GET_BY_HANDLE, {"slug": handle}).one_or_none()
        )

    @override
    def get(self, product_id: ProductId) -> Product:
        product = self._product(
            self._connection.execute(_GET, {"product": product_id}).one_or_none()
        )
        if product is None:
            raise NotFoundError("product")
        return product

    def _product(self, row: Row[Any] | None) -> Product | None:
        if row is None:
            return None
        rows = self._connection.execute(_VARIANTS, {"product": row.id})
        product = Product(
            id=ProductId(row.id),
            content=product_content(row),
            variants=tuple(Variant(VariantId(each.id), variant_content(each)) for each in rows),
            version=row.version,
        )
        self._tracker.watch(product)
        return product

    @override
    def offer(self, sku: str) -> Offer:
        row = self._connection.execute(_OFFER, {"code": sku}).one_or_none()
        if row is None:
            raise NotFoundError("SKU")
        return offer_of(row)

    @override
    def owners(self, skus: Collection[str]) -> Mapping[str, ProductId]:
        if not skus:
            return {}
        rows = self._connection.execute(_OWNERS, {"skus": list(skus)})
        return {row.sku: ProductId(row.product_id) for row in rows}

    @override
    def add(self, product: Product) -> None:
        try:
            self._connection.execute(insert(products), _row_of(product))
            self._connection.execute(
                insert(variants), [_variant_row(product, n) for n in range(len(product.variants))]
            )
        except IntegrityError as error:
            raise _taken(error) from error
        self._finish(product)

    @override
    def save(self, product: Product) -> None:
        expected = (products.c.id == product.id, products.c.version == product.version)
        try:
            written = self._connection.execute(
                update(products).where(*expected).values(_row_of(product))
            )
            if written.rowcount == 0:
                raise ConflictError("product")
            self._save_variants(product)
        except IntegrityError as error:
            raise _taken(error) from error
        self._finish(product)

    def _save_variants(self, product: Product) -> None:
        # Retire all variants first, so that two of them can swap SKUs or options.
        self._connection.execute(_RETIRE, {"product": product.id})
        known = set(self._connection.execute(_ALL_VARIANTS, {"product": product.id}).scalars())
        for position, variant in enumerate(product.variants):
            row = _variant_row(product, position)
            if variant.id in known:
                changes = {f"new_{name}": row[name] for name in _CHANGEABLE}
                self._connection.execute(_UPDATE_VARIANT, {"variant": variant.id} | changes)
            else:
                self._connection.execute(insert(variants), row)

    def _finish(self, product: Product) -> None:
        this = product_tags.c.product_id == product.id
        if product.version:
            self._connection.execute(delete(product_tags).where(this))
        rows = [
            {"product_id": product.id, "tag": tag} for tag in dict.fromkeys(product.content.tags)
        ]
        if rows:
            self._connection.execute(insert(product_tags), rows)
        self._dialect.index_words(self._connection, product.id, product.search_text)
        self._log.write(product)
        product.version += 1


def _taken(error: IntegrityError) -> QuickShopError:
    if is_violation_of(error, "uq_products_handle", "products.handle"):
        return AlreadyExistsError("product", "handle")
    if is_violation_of(error, "uq_variants_sku", "variants.sku"):
        return AlreadyExistsError("product", "SKU")
    if is_violation_of(error, "pk_products", "products.id", "pk_variants", "variants.id"):
        return AlreadyExistsError("product", "id")
    if is_violation_of(error, "fk_products_category_id"):
        return ConflictError("category")  # it existed when it was checked
    raise error


def _variant_row(product: Product, position: int) -> dict[str, Any]:
    variant = product.variants[position]
    return {
        "id": variant.id,
        "product_id": product.id,
        "position": position,
        "retired": False,
    } | variant_values(variant.content)


def _row_of(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "search_text": product.search_text,
        "currency": product.currency,
        "min_price_minor": min(variant.price.minor for variant in product.variants),
        "version": product.version + 1,
    } | product_values(product.content)


_LOCK_TREE: Final = (
    select(categories.c.id).order_by(categories.c.id).with_for_update(key_share=True)
)
"""Blocks other changes of the tree, but not the assignment of products to categories."""


class SqlCategories(CategoryRepository):
    """Categories in a table."""

    def __init__(self, connection: BatchingConnection, dialect: SqlDialect) -> None:
        self._connection = connection
        self._dialect = dialect

    @override
    def tree(self) -> CategoryTree:
        # The lock is a separate statement: the next one sees what the lock waited for.
        self._connection.execute(_LOCK_TREE)
        rows = self._connection.execute(select(categories))
        found = (_category_of(row) for row in rows)
        return CategoryTree({category.id: category for category in found})

    @override
    def exists(self, category_id: CategoryId) -> bool:
        this = select(categories.c.id).where(categories.c.id == category_id)
        return self._connection.execute(this).one_or_none() is not None

    @override
    def find(self, slug: str) -> Category | None:
        row = self._connection.execute(
            select(categories).where(categories.c.slug == slug)
        ).one_or_none()
        return None if row is None else _category_of(row)

    @override
    def get_or_create(self, category: Category) -> Category:
        try:
            row = asdict(category)
            if self._dialect.insert_if_absent(self._connection, categories.name, row):
                return category
        except IntegrityError as error:
            if is_violation_of(error, "fk_categories_parent_id"):
                raise ConflictError("category") from error
            raise
        found = self.find(category.slug)
        if found is None:
            raise ConflictError("category")
        return found

    @override
    def add(self, category: Category) -> None:
        row = asdict(category)
        if not self._dialect.insert_if_absent(self._connection, categories.name, row):
            raise AlreadyExistsError("category", "slug")

    @override
    def save(self, category: Category) -> None:
        this = update(categories).where(categories.c.id == category.id)
        changes = {"name": category.name, "parent_id": category.parent_id}
        self._connection.execute(this.values(changes))

    @override
    def remove(self, category_id: CategoryId) -> None:
        """Remove a category. Foreign keys protect one that is in use."""
        try:
            self._connection.execute(delete(categories).where(categories.c.id == category_id))
        except IntegrityError as error:
            raise CategoryInUseError from error


def _category_of(row: Row[Any]) -> Category:
    parent_id = CategoryId(row.parent_id) if row.parent_id else None
    return Category(id=CategoryId(row.id), slug=row.slug, name=row.name, parent_id=parent_id)
