"""The contract of readers of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from quickshop.domain.catalog import Category, Product
from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.ports.catalog import (
    CategoryView,
    ProductQuery,
    ProductSort,
    ProductView,
    VariantView,
)
from quickshop.ports.paging import Cursor
from tests.builders import (
    NOW,
    a_product,
    a_rich_product,
    a_variant,
    eur,
    new_id,
    received,
    revised,
    stock_up,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.catalog import a_category

NOBODY = "0f0e0d0c-0b0a-4908-8706-050403020100"  # the id of no product


def stored(backend: Backend, *products: Product) -> Sequence[Product]:
    return [store_product(backend.unit_of_work, product) for product in products]


def titles(backend: Backend, **criteria: object) -> list[str]:
    page = backend.product_reader.search(ProductQuery(**criteria))  # type: ignore[arg-type]
    return [product.title for product in page.items]


def walk(backend: Backend, query: ProductQuery) -> list[ProductView]:
    """Every product of every page."""
    found: list[ProductView] = []
    while True:
        page = backend.product_reader.search(query)
        assert len(page.items) <= query.limit
        found += page.items
        if page.next_cursor is None:
            return found
        assert len(page.items) == query.limit
        query = replace(query, cursor=page.next_cursor)


class ProductReaderContract:
    def test_a_product_is_shown_with_everything_a_shopper_may_know(self, backend: Backend) -> None:
        category = a_category("road-bikes")
        with backend.unit_of_work() as tx:
            tx.categories.get_or_create(category)
        product = store_product(backend.unit_of_work, a_rich_product(category_id=category.id))
        stock_up(backend.unit_of_work, product.variants[0], 7)
        view = backend.product_reader.get(product.handle)
        assert view == ProductView(
            id=product.id,
            content=product.content,
            category="road-bikes",
            variants=view.variants,
            version=1,
            etag=view.etag,
        )
        names = product.content.option_names
        assert list(view.variants) == [
            VariantView(
                id=variant.id,
                content=variant.content,
                options=dict(zip(names, variant.options, strict=True)),
                available=available,
            )
            for variant, available in zip(product.variants, (7, 0), strict=True)
        ]

    def test_a_product_is_found_by_id_as_well(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        by_handle = backend.product_reader.get(product.handle)
        assert backend.product_reader.get(str(product.id)) == by_handle
        assert by_handle.category is None

    @pytest.mark.parametrize("key", ["none", "", "%", "\x00", "\ud800", "☃", NOBODY])
    def test_an_unknown_product_is_not_found(self, backend: Backend, key: str) -> None:
        store_product(backend.unit_of_work)
        with pytest.raises(NotFoundError):
            backend.product_reader.get(key)
        with pytest.raises(NotFoundError):
            backend.product_reader.etag(key)

    def test_units_at_all_places_can_be_bought_back_orders_included(
        self, backend: Backend
    ) -> None:
        product = store_product(backend.unit_of_work)
        variant = product.variants[0]
        stock_up(backend.unit_of_work, variant, 3, location="main")
        stock_up(backend.unit_of_work, variant, 4, location="Łódź", backorder_limit=10)
        stock_up(backend.unit_of_work, variant, 0, location="empty")
        assert backend.product_reader.get(product.handle).variants[0].available == 17

    def test_the_etag_names_one_state_of_product_and_stock(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        other = store_product(backend.unit_of_work)
        seen = [backend.product_reader.etag(product.handle)]

        def changed() -> bool:
            seen.append(backend.product_reader.etag(str(product.id)))
            assert backend.product_reader.get(product.handle).etag == seen[-1]
            return len(set(seen)) == len(seen)

        level = stock_up(backend.unit_of_work, product.variants[0], 0, backorder_limit=1)
        assert changed()
        stock_up(backend.unit_of_work, product.variants[0], 0, backorder_limit=2)
        assert changed()
        with backend.unit_of_work() as tx:
            tx.stock.record([received(level, 1)])
        assert changed()
        with backend.unit_of_work() as tx:
            tx.stock.record([received(level, -1)])
        assert changed()
        with backend.unit_of_work() as tx:
            again = tx.products.get(product.id)
            again.revise(*revised(again, title="Another"), now=NOW)
            tx.products.save(again)
        assert changed()
        stock_up(backend.unit_of_work, other.variants[0], 5)
        assert not changed()

    def test_the_categories_are_a_tree_by_name(self, backend: Backend) -> None:
        root, first = a_category("bikes"), a_category("accessories")
        road, gravel = a_category("road", root), a_category("gravel", root)
        deep = a_category("aero", road)

        def view(category: Category, *children: CategoryView) -> CategoryView:
            return CategoryView(category.id, category.slug, category.name, list(children))

        assert _as_lists(backend.product_reader.categories()) == []
        with backend.unit_of_work() as tx:
            for category in (root, road, gravel, deep, first):
                tx.categories.get_or_create(category)
        assert _as_lists(backend.product_reader.categories()) == [
            view(first),
            view(root, view(gravel), view(road, view(deep))),
        ]


def _as_lists(views: Sequence[CategoryView]) -> list[CategoryView]:
    return [replace(view, children=_as_lists(view.children)) for view in views]


class ProductSearchContract:
    def test_an_empty_shop_lists_nothing(self, backend: Backend) -> None:
        page = backend.product_reader.search(ProductQuery())
        assert (list(page.items), page.next_cursor) == ([], None)

    def test_products_in_a_list_look_as_they_do_alone(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        stock_up(backend.unit_of_work, product.variants[1], 3)
        page = backend.product_reader.search(ProductQuery())
        assert list(page.items) == [backend.product_reader.get(product.handle)]

    @pytest.mark.parametrize(
        "text",
        [
            "creme",
            "CRÈME",
            "crè",
            "brulee ome",
            "ome bru",
            "angst",
            "fahrr",
            "neu",
            "gross",
            "schwarz",
            "sku-x",
            "x7",
            "40063",
            "  creme,\t(brulee)! ",
        ],
    )
    def test_each_word_must_begin_some_word_of_the_product(
        self, backend: Backend, text: str
    ) -> None:
        variant = a_variant("SKU-X7", options=("Größe 54", "Schwarz", "🚲"), barcode="4006381")
        rich = a_rich_product(title="Crème brûlée d'Omega")
        wanted = replace(rich, variants=(variant,))
        stored(backend, a_product(title="Something else"), Product.create(wanted, now=NOW))
        assert titles(backend, text=text) == ["Crème brûlée d'Omega"]
        assert titles(backend, text=text, sort=ProductSort.RELEVANCE) == ["Crème brûlée d'Omega"]

    @pytest.mark.parametrize("text", ["reme", "creme absent", "c_eme", "cr%me", "omegas"])
    def test_other_words_find_nothing(self, backend: Backend, text: str) -> None:
        stored(backend, a_product(title="Crème Omega"))
        assert titles(backend, text=text) == []

    def test_a_category_holds_what_stands_below_it(self, backend: Backend) -> None:
        root, other = a_category("bikes"), a_category("bells")
        road = a_category("road", root)
        aero = a_category("aero", road)
        with backend.unit_of_work() as tx:
            for category in (root, other, road, aero):
                tx.categories.get_or_create(category)
        stored(
            backend,
            a_product(title="in none"),
            a_product(title="in bikes", category_id=root.id),
            a_product(title="in aero", category_id=aero.id),
            a_product(title="in bells", category_id=other.id),
        )
        assert titles(backend, category="bikes") == ["in aero", "in bikes"]
        assert titles(backend, category="aero") == ["in aero"]
        assert titles(backend, category="bells") == ["in bells"]

    @pytest.mark.parametrize("name", ["none", "", "%", "ne", "NEU!", "\x00", "\ud800"])
    def test_a_category_tag_or_vendor_that_nobody_has_holds_nothing(
        self, backend: Backend, name: str
    ) -> None:
        with backend.unit_of_work() as tx:
            tx.categories.get_or_create(a_category("neu"))
        stored(backend, a_product(tags=("neu!",), vendor="neu!"))
        assert titles(backend, category=name) == []
        assert titles(backend, tag=name) == []
        assert titles(backend, vendor=name) == []

    def test_tag_and_vendor_are_compared_exactly(self, backend: Backend) -> None:
        stored(
            backend,
            a_product(title="one", tags=("Neu!", "'quoted'"), vendor="Ångström"),
            a_product(title="two", tags=("neu!",), vendor="Angstrom"),
        )
        assert titles(backend, tag="Neu!") == ["one"]
        assert titles(backend, tag="'quoted'") == ["one"]
        assert titles(backend, vendor="Ångström") == ["one"]

    def test_one_variant_must_lie_within_both_prices(self, backend: Backend) -> None:
        sizes = (
            a_variant(price=eur(1000), options=("S",)),
            a_variant(price=eur(3000), options=("L",)),
        )
        stored(
            backend,
            a_product(*sizes, title="ten or thirty", option_names=("Size",)),
            a_product(a_variant(price=eur(2000)), title="twenty"),
        )
        assert titles(backend, min_price_minor=1500, max_price_minor=2500) == ["twenty"]
        assert titles(backend, min_price_minor=3000) == ["ten or thirty"]
        assert titles(backend, max_price_minor=1000) == ["ten or thirty"]
        assert titles(backend, min_price_minor=1000, max_price_minor=2000) == [
            "twenty",
            "ten or thirty",
        ]
        assert titles(backend, min_price_minor=3001) == []

    def test_in_stock_means_that_some_variant_can_be_bought(self, backend: Backend) -> None:
        sizes = (a_variant(options=("S",)), a_variant(options=("L",)))
        here = a_product(*sizes, title="here", option_names=("Size",))
        ordered = a_product(title="on back-order")
        gone, never = a_product(title="gone"), a_product(title="never")
        stored(backend, here, ordered, gone, never)
        stock_up(backend.unit_of_work, here.variants[1], 1)
        stock_up(backend.unit_of_work, ordered.variants[0], 0, backorder_limit=1)
        stock_up(backend.unit_of_work, gone.variants[0], 0)
        assert titles(backend, in_stock=True) == ["on back-order", "here"]
        assert titles(backend, in_stock=False) == ["never", "gone"]

    def test_every_criterion_must_hold(self, backend: Backend) -> None:
        stored(
            backend,
            a_product(a_variant(price=eur(1000)), title="Red bike", tags=("new",), vendor="A"),
            a_product(a_variant(price=eur(1000)), title="Red bike", tags=("new",), vendor="B"),
            a_product(a_variant(price=eur(9000)), title="Red bike", tags=("new",), vendor="A"),
            a_product(a_variant(price=eur(1000)), title="Blue bike", tags=("new",), vendor="A"),
        )
        query = ProductQuery(text="red", tag="new", vendor="A", max_price_minor=5000)
        assert len(backend.product_reader.search(query).items) == 1

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            (ProductSort.NEWEST, ["delta", "Bravo", "alpha", "Charlie"]),
            (ProductSort.RELEVANCE, ["delta", "Bravo", "alpha", "Charlie"]),
            (ProductSort.TITLE, ["alpha", "Bravo", "Charlie", "delta"]),
            (ProductSort.PRICE, ["Bravo", "delta", "Charlie", "alpha"]),
            (ProductSort.PRICE_DESCENDING, ["alpha", "Charlie", "delta", "Bravo"]),
        ],
    )
    def test_products_come_in_the_order_asked_for(
        self, backend: Backend, sort: ProductSort, expected: list[str]
    ) -> None:
        two_prices = (
            a_variant(price=eur(9000), options=("L",)),
            a_variant(price=eur(200), options=("S",)),
        )
        stored(
            backend,
            a_product(a_variant(price=eur(300)), title="Charlie"),
            a_product(a_variant(price=eur(4000)), title="alpha"),
            a_product(a_variant(price=eur(10)), title="Bravo"),
            a_product(*two_prices, title="delta", option_names=("Size",)),
        )
        assert titles(backend, sort=sort) == expected

    def test_words_in_the_title_are_the_most_relevant(self, backend: Backend) -> None:
        stored(
            backend,
            a_product(title="Red lamp for a bike"),
            a_product(title="Green lamp", tags=("bike", "red")),
        )
        assert titles(backend, text="bike red", sort=ProductSort.RELEVANCE) == [
            "Red lamp for a bike",
            "Green lamp",
        ]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    @pytest.mark.parametrize("sort", list(ProductSort))
    def test_paging_shows_every_product_exactly_once(
        self, backend: Backend, sort: ProductSort, limit: int
    ) -> None:
        names = ["Bike", "bike", "BIKE", "Bike 🚲", 'Bike "x"', "Bike 50 % _ \\", "Éclair bike"]
        prices = [500, 100, 100, 500, 100, 100, 900]
        products = stored(
            backend,
            *(
                a_product(a_variant(price=eur(price)), title=name)
                for name, price in zip(names, prices, strict=True)
            ),
        )
        found = walk(backend, ProductQuery(text="bike", sort=sort, limit=limit))
        assert sorted(view.id for view in found) == sorted(product.id for product in products)
        whole = backend.product_reader.search(ProductQuery(text="bike", sort=sort, limit=100))
        assert [view.id for view in found] == [view.id for view in whole.items]

    def test_a_product_added_between_two_pages_shifts_nothing(self, backend: Backend) -> None:
        stored(backend, *(a_product(title=f"old {n}") for n in range(4)))
        first = backend.product_reader.search(ProductQuery(limit=2))
        stored(backend, a_product(title="new"))
        rest = titles(backend, limit=2, cursor=first.next_cursor)
        assert [view.title for view in first.items] + rest == ["old 3", "old 2", "old 1", "old 0"]

    @pytest.mark.parametrize("limit", [-1, 0, 101])
    def test_a_page_holds_1_to_100_products(self, backend: Backend, limit: int) -> None:
        with pytest.raises(InvalidValueError):
            backend.product_reader.search(ProductQuery(limit=limit))

    @pytest.mark.parametrize("cursor", ["", "x", "eyJ9", "W10", "☃", "\x00", "WzEsMiwzXQ"])
    def test_a_cursor_that_nobody_gave_out_is_refused(self, backend: Backend, cursor: str) -> None:
        with pytest.raises(InvalidValueError):
            backend.product_reader.search(ProductQuery(cursor=cursor))

    def test_a_cursor_of_another_order_is_refused(self, backend: Backend) -> None:
        stored(backend, a_product(), a_product())
        page = backend.product_reader.search(ProductQuery(sort=ProductSort.PRICE, limit=1))
        with pytest.raises(InvalidValueError):
            titles(backend, sort=ProductSort.TITLE, cursor=page.next_cursor)

    @pytest.mark.parametrize(
        ("sort", "key"),
        [(ProductSort.PRICE, "cheap"), (ProductSort.PRICE_DESCENDING, ""), (ProductSort.TITLE, 7)],
    )
    def test_a_cursor_with_a_key_of_another_type_is_refused(
        self, backend: Backend, sort: ProductSort, key: str | int
    ) -> None:
        stored(backend, a_product(), a_product())
        with pytest.raises(InvalidValueError):
            titles(backend, sort=sort, cursor=Cursor(sort, key, new_id()).encode())
