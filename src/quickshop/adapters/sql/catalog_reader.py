"""Queries of the catalog: listing, searching and showing, without aggregates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    tuple_,
)
from typing_extensions import override

from quickshop.adapters.sql.catalog_rows import (
    PRODUCT_COLUMNS,
    VARIANT_COLUMNS,
    product_content,
    variant_content,
)
from quickshop.adapters.sql.column_types import SortedText
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.stripes import whole
from quickshop.adapters.sql.tables import (
    categories,
    product_tags,
    products,
    stock_levels,
    variants,
)
from quickshop.domain.catalog import CategoryId, ProductId, VariantId, search_words
from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.ports.catalog import (
    CategoryView,
    ProductQuery,
    ProductReader,
    ProductSort,
    ProductView,
    VariantView,
)
from quickshop.ports.paging import Cursor, Page, require_limit

_FREE: Final = (
    whole("on_hand") - whole("allocated") - whole("held") + stock_levels.c.backorder_limit
)
_PRODUCT: Final = (
    products.c.id,
    products.c.version,
    categories.c.slug.label("category"),
    *PRODUCT_COLUMNS,
)
_VARIANT: Final = (
    variants.c.id.label("variant_id"),
    variants.c.product_id,
    *VARIANT_COLUMNS,
    func.coalesce(func.sum(_FREE), 0).label("available"),
    func.coalesce(func.sum(whole("version")), 0).label("stock_version"),
)
# One statement, so that the result is consistent: a row per variant, each with its product.
_WHOLE: Final[Select[Any]] = (
    select(*_PRODUCT, *_VARIANT)
    .select_from(
        products.join(variants, (variants.c.product_id == products.c.id) & ~variants.c.retired)
        .outerjoin(categories, categories.c.id == products.c.category_id)
        .outerjoin(stock_levels, stock_levels.c.variant_id == variants.c.id)
    )
    .group_by(products.c.id, categories.c.id, variants.c.id)
    .order_by(variants.c.position)
)
_ANY_BY_ID: Final = _WHOLE.where(products.c.id == bindparam("product"))
_ANY_BY_HANDLE: Final = _WHOLE.where(products.c.handle == bindparam("slug"))
_BY_ID: Final = _ANY_BY_ID.where(products.c.published)
_BY_HANDLE: Final = _ANY_BY_HANDLE.where(products.c.published)
_BY_IDS: Final[Select[Any]] = (
    select(*_PRODUCT)
    .select_from(products.outerjoin(categories))
    .where(products.c.id.in_(bindparam("products", expanding=True)))
)
_VARIANTS: Final[Select[Any]] = (
    select(*_VARIANT)
    .select_from(variants.outerjoin(stock_levels))
    .where(variants.c.product_id.in_(bindparam("products", expanding=True)), ~variants.c.retired)
    .group_by(variants.c.id)
    .order_by(variants.c.product_id, variants.c.position)
)
_STATE: Final = (
    select(
        products.c.id,
        products.c.version,
        func.coalesce(func.sum(whole("version")), 0).label("stock_version"),
    )
    .select_from(
        products.outerjoin(
            variants, (variants.c.product_id == products.c.id) & ~variants.c.retired
        ).outerjoin(stock_levels, stock_levels.c.variant_id == variants.c.id)
    )
    .where(products.c.published)
    .group_by(products.c.id)
)
_STATE_BY_ID: Final = _STATE.where(products.c.id == bindparam("product"))
_STATE_BY_HANDLE: Final = _STATE.where(products.c.handle == bindparam("slug"))
_CATEGORIES: Final = select(categories).order_by(categories.c.name, categories.c.id)


class SqlProductReader(ProductReader):
    """Reads on connections without a transaction."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)
        self._dialect = dialect

    @override
    def get(self, key: str, *, unpublished: bool = False) -> ProductView:
        wanted = (_ANY_BY_ID, _ANY_BY_HANDLE) if unpublished else (_BY_ID, _BY_HANDLE)
        with translated(), self._engine.connect() as connection:
            rows = _rows(connection, key, *wanted)
        return _view(rows[0], rows)

    @override
    def etag(self, key: str) -> str:
        with translated(), self._engine.connect() as connection:
            row = _rows(connection, key, _STATE_BY_ID, _STATE_BY_HANDLE)[0]
        return _etag(row.id, row.version, row.stock_version)

    @override
    def search(self, query: ProductQuery) -> Page[ProductView]:
        require_limit(query.limit)
        words = search_words(query.text or "")
        if query.text is not None and query.text.strip() and not words:
            return Page([])
        key, descending = _sort_key(query.sort, words)
        statement = self._matching(query, words).add_columns(key.label("sort_key"))
        if query.cursor is not None:
            last = Cursor.decode(query.cursor, sort=query.sort)
            here = tuple_(key, products.c.id)
            there = tuple_(_literal_like(key, last.key), literal(last.id, products.c.id.type))
            statement = statement.where(here < there if descending else here > there)
        order = (key.desc(), products.c.id.desc()) if descending else (key, products.c.id)
        statement = statement.order_by(*order).limit(query.limit + 1)
        with translated(), self._engine.connect() as connection:
            found = connection.execute(statement).all()
            views = _in_order(connection, [row.id for row in found[: query.limit]])
        if len(found) <= query.limit:
            return Page(views)
        last_row = found[query.limit - 1]
        return Page(views, Cursor(query.sort, last_row.sort_key, last_row.id).encode())

    def _matching(self, query: ProductQuery, words: Sequence[str]) -> Select[Any]:
        conditions: list[ColumnElement[bool]] = []
        if query.published is not None:
            conditions.append(products.c.published if query.published else ~products.c.published)
        if words:
            conditions.append(self._dialect.has_words(words))
        if query.category is not None:
            conditions.append(products.c.category_id.in_(_subtree(query.category)))
        if query.tag is not None:
            tagged = (product_tags.c.product_id == products.c.id) & (
                product_tags.c.tag == query.tag
            )
            conditions.append(exists().where(tagged))
        if query.vendor is not None:
            conditions.append(products.c.vendor == query.vendor)
        conditions.extend(_variant_conditions(query))
        return select(products.c.id).where(*conditions)

    @override
    def categories(self) -> Sequence[CategoryView]:
        with translated(), self._engine.connect() as connection:
            rows = connection.execute(_CATEGORIES).all()
        children: defaultdict[UUID | None, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            children[row.parent_id].append(row)

        def below(parent_id: UUID | None) -> Sequence[CategoryView]:
            return [
                CategoryView(CategoryId(row.id), row.slug, row.name, below(row.id))
                for row in children[parent_id]
            ]

        return below(None)


def _rows(
    connection: Connection, key: str, by_id: Select[Any], by_handle: Select[Any]
) -> Sequence[Row[Any]]:
    """Return the rows of the product of this id or handle: at least one."""
    try:
        statement, values = by_id, {"product": UUID(key)}
    except ValueError:
        rows = connection.execute(by_handle, {"slug": key}).all()
    else:
        rows = connection.execute(statement, values).all()
    if not rows:
        raise NotFoundError("product")
    return rows


def _sort_key(sort: ProductSort, words: Sequence[str]) -> tuple[ColumnElement[Any], bool]:
    """Return the sort key of a list before ids, and whether the order is descending."""
    match sort:
        case ProductSort.PRICE:
            return products.c.min_price_minor, False
        case ProductSort.PRICE_DESCENDING:
            return products.c.min_price_minor, True
        case ProductSort.TITLE:
            return products.c.title_sort, False
        case ProductSort.RELEVANCE if words:
            return _words_in_title(words), True
        case _:
            return literal(0), True


def _words_in_title(words: Sequence[str]) -> ColumnElement[Any]:
    """Return how many words start a word of the title: matches in the title rank first."""
    hits = [
        case((products.c.title_words.like(f"% {word}%"), 1), else_=0)
        for word in dict.fromkeys(words)
    ]
    return sum(hits[1:], start=hits[0])


def _literal_like(column: ColumnElement[Any], key: str | float) -> ColumnElement[Any]:
    wanted = str if isinstance(column.type, SortedText) else int
    if not isinstance(key, wanted):
        raise InvalidValueError("cursor", "must be the next_cursor of the previous page")
    return literal(key, column.type)


def _subtree(slug: str) -> Select[Any]:
    root = select(categories.c.id).where(categories.c.slug == slug)
    tree = root.cte("subtree", recursive=True)
    return select(
        tree.union(select(categories.c.id).where(categories.c.parent_id == tree.c.id)).c.id
    )


def _variant_conditions(query: ProductQuery) -> Iterable[ColumnElement[bool]]:
    own = [variants.c.product_id == products.c.id, ~variants.c.retired]
    bounds = []
    if query.min_price_minor is not None:
        bounds.append(variants.c.price_minor >= query.min_price_minor)
    if query.max_price_minor is not None:
        bounds.append(variants.c.price_minor <= query.max_price_minor)
    if bounds:
        yield exists().where(*own, *bounds)
    if query.in_stock is not None:
        level = (stock_levels.c.variant_id == variants.c.id) & (_FREE > 0)
        buyable = exists().where(*own, level)
        yield buyable if query.in_stock else ~buyable


def _in_order(connection: Connection, ids: Sequence[UUID]) -> Sequence[ProductView]:
    if not ids:
        return []
    rows = {row.id: row for row in connection.execute(_BY_IDS, {"products": list(ids)})}
    return _views(connection, [rows[this] for this in ids if this in rows])


def _views(connection: Connection, rows: Collection[Row[Any]]) -> Sequence[ProductView]:
    by_product: defaultdict[UUID, list[Row[Any]]] = defaultdict(list)
    for variant in connection.execute(_VARIANTS, {"products": [row.id for row in rows]}):
        by_product[variant.product_id].append(variant)
    return [_view(row, by_product[row.id]) for row in rows]


def _view(row: Row[Any], its_variants: Sequence[Row[Any]]) -> ProductView:
    return ProductView(
        id=ProductId(row.id),
        content=product_content(row),
        category=row.category,
        variants=[_variant_view(variant, row.option_names) for variant in its_variants],
        version=row.version,
        etag=_etag(row.id, row.version, sum(v.stock_version for v in its_variants)),
    )


def _variant_view(row: Row[Any], option_names: Sequence[str]) -> VariantView:
    content = variant_content(row)
    return VariantView(
        id=VariantId(row.variant_id),
        content=content,
        # A list is read in several statements, between which the options of a product may change.
        options=dict(zip(option_names, content.options, strict=False)),
        available=int(row.available),
    )


def _etag(product_id: UUID, version: int, stock_version: int) -> str:
    return f"{product_id.hex}-{version}-{stock_version}"
