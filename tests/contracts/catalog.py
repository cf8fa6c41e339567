"""The contract of repositories of products and categories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quickshop.domain.catalog import Category, CategoryId, Product, ProductId
from quickshop.domain.errors import (
    AlreadyExistsError,
    CategoryInUseError,
    ConflictError,
    NotFoundError,
)
from quickshop.domain.money import Money
from quickshop.ports.catalog import ProductQuery
from tests.builders import (
    AWKWARD,
    NOW,
    a_product,
    a_rich_product,
    a_variant,
    an_offer,
    eur,
    facts,
    new_id,
    revised,
    store_cart,
    store_product,
)
from tests.contracts.backend import Backend


def a_category(slug: str = "bikes", parent: Category | None = None) -> Category:
    return Category(
        id=CategoryId(new_id()),
        slug=slug,
        name=f"{slug.title()} 🚲",
        parent_id=parent.id if parent else None,
    )


def an_unpublished_product() -> Product:
    return a_product(published=False)


def a_product_in_yen() -> Product:
    return a_product(a_variant(price=Money(1_250_000, "JPY")))


def a_product_in_dinars() -> Product:
    return a_product(a_variant(price=Money(1_234, "KWD"), compare_at_price=Money(1_235, "KWD")))


def revise(backend: Backend, product: Product, **changes: object) -> Product:
    with backend.unit_of_work() as tx:
        stored = tx.products.get(product.id)
        assert stored.revise(*revised(stored, **changes), now=NOW)
        tx.products.save(stored)
    return stored


class ProductRepositoryContract:
    @pytest.mark.parametrize(
        "make",
        [
            a_product,
            a_rich_product,
            an_unpublished_product,
            a_product_in_yen,
            a_product_in_dinars,
        ],
    )
    def test_a_product_comes_back_as_it_was_stored(
        self, backend: Backend, make: Callable[[], Product]
    ) -> None:
        product = store_product(backend.unit_of_work, make())
        with backend.unit_of_work() as tx:
            assert facts(tx.products.get(product.id)) == facts(product)
            by_handle = tx.products.find_by_handle(product.handle)
        assert by_handle is not None
        assert facts(by_handle) == facts(product)

    def test_a_changed_product_comes_back_as_it_was_saved(self, backend: Backend) -> None:
        category = a_category()
        with backend.unit_of_work() as tx:
            tx.categories.get_or_create(category)
        before = store_product(backend.unit_of_work, a_product())
        after = a_rich_product()
        changes = facts(after.content) | {"category_id": category.id, "published": False}
        saved = revise(backend, before, variants=after.variants, **changes)
        with backend.unit_of_work() as tx:
            stored = tx.products.get(before.id)
            assert facts(stored) == facts(saved)
            assert (facts(stored.content), stored.variants) == (changes, after.variants)
            assert (stored.id, stored.version) == (before.id, 2)
            assert tx.products.find_by_handle(before.handle) is None

    def test_variants_keep_their_new_order_and_ids(self, backend: Backend) -> None:
        one, two, three = (a_variant(options=(name,)) for name in "abc")
        product = a_product(one, two, option_names=("Letter",))
        store_product(backend.unit_of_work, product)
        revise(backend, product, variants=(three, one))
        revise(backend, product, variants=(one, three))
        with backend.unit_of_work() as tx:
            assert tx.products.get(product.id).variants == (one, three)

    def test_a_changed_product_is_found_by_its_new_words_alone(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_product(title="Old", tags=("gone",)))
        revise(backend, product, title="New", tags=("here",))
        for query, found in (
            (ProductQuery(text="new"), True),
            (ProductQuery(tag="here"), True),
            (ProductQuery(text="old"), False),
            (ProductQuery(tag="gone"), False),
        ):
            assert bool(backend.product_reader.search(query).items) is found

    def test_each_save_raises_the_version_by_one(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        assert product.version == 1
        assert revise(backend, product, title="Another").version == 2
        assert revise(backend, product, title="A third").version == 3

    def test_an_unknown_product_is_not_found(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx:
            assert tx.products.find_by_handle("nothing-here") is None
            with pytest.raises(NotFoundError):
                tx.products.get(ProductId(new_id()))

    def test_a_handle_is_taken_once(self, backend: Backend) -> None:
        first = store_product(backend.unit_of_work)
        with pytest.raises(AlreadyExistsError) as caught:
            store_product(backend.unit_of_work, a_product(handle=first.handle))
        assert caught.value.field == "handle"
        second = store_product(backend.unit_of_work)
        with pytest.raises(AlreadyExistsError):
            revise(backend, second, handle=first.handle)

    def test_a_sku_is_taken_once(self, backend: Backend) -> None:
        first = store_product(backend.unit_of_work)
        sku = first.variants[0].sku
        with pytest.raises(AlreadyExistsError) as caught:
            store_product(backend.unit_of_work, a_product(a_variant(sku)))
        assert caught.value.field.lower() == "sku"
        second = store_product(backend.unit_of_work)
        with pytest.raises(AlreadyExistsError):
            revise(backend, second, variants=(a_variant(sku),))

    def test_a_refused_product_leaves_nothing_behind(self, backend: Backend) -> None:
        first = store_product(backend.unit_of_work)
        refused = a_product(a_variant(), handle=first.handle)
        with pytest.raises(AlreadyExistsError):
            store_product(backend.unit_of_work, refused)
        with backend.unit_of_work() as tx:
            assert not tx.products.owners([refused.variants[0].sku])

    def test_a_sku_that_was_given_up_is_free(self, backend: Backend) -> None:
        first = store_product(backend.unit_of_work)
        sku = first.variants[0].sku
        revise(backend, first, variants=(a_variant(),))
        second = store_product(backend.unit_of_work, a_product(a_variant(sku)))
        with backend.unit_of_work() as tx:
            assert tx.products.offer(sku).product_id == second.id

    def test_variants_may_swap_their_skus(self, backend: Backend) -> None:
        one, two = a_variant(options=("a",)), a_variant(options=("b",))
        product = a_product(one, two, option_names=("Letter",))
        store_product(backend.unit_of_work, product)
        swapped = (
            a_variant(two.sku, options=("a",)),
            a_variant(one.sku, options=("b",)),
        )
        revise(backend, product, variants=swapped)
        with backend.unit_of_work() as tx:
            assert tx.products.get(product.id).variants == swapped
            assert tx.products.offer(one.sku).variant_id == swapped[1].id

    def test_an_offer_tells_a_cart_what_it_needs(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        hidden = store_product(backend.unit_of_work, an_unpublished_product())
        with backend.unit_of_work() as tx:
            for variant in product.variants:
                assert tx.products.offer(variant.sku) == an_offer(product, variant)
            assert not tx.products.offer(hidden.variants[0].sku).published

    @pytest.mark.parametrize("sku", ["NONE", "", "%", "\x00", "☃"])
    def test_an_unknown_sku_is_not_found(self, backend: Backend, sku: str) -> None:
        store_product(backend.unit_of_work)
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.products.offer(sku)

    def test_a_sku_is_compared_exactly(self, backend: Backend) -> None:
        store_product(backend.unit_of_work, a_product(a_variant("abc-Ä")))
        store_product(backend.unit_of_work, a_product(a_variant("ABC-Ä")))
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.products.offer("abc-ä")

    def test_owners_names_whose_each_sku_is(self, backend: Backend) -> None:
        one = store_product(backend.unit_of_work, a_rich_product())
        two = store_product(backend.unit_of_work)
        skus = [variant.sku for variant in (*one.variants, *two.variants)]
        with backend.unit_of_work() as tx:
            assert tx.products.owners([*skus, "NONE"]) == dict(
                zip(skus, [one.id, one.id, two.id], strict=True)
            )
            assert not tx.products.owners([])

    def test_the_second_of_two_editors_conflicts(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            stale = tx.products.get(product.id)
        revise(backend, product, title="The first editor's")
        stale.revise(*revised(stale, title="The second editor's"), now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.products.save(stale)
        with backend.unit_of_work() as tx:
            assert tx.products.get(product.id).title == "The first editor's"

    def test_forgetting_to_save_a_change_is_an_error(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            got = tx.products.get(product.id)
            got.revise(*revised(got, title="Lost"), now=NOW)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            found = tx.products.find_by_handle(product.handle)
            assert found is not None
            found.revise(*revised(found, title="Lost"), now=NOW)
        with backend.unit_of_work() as tx:
            assert tx.products.get(product.id).title == product.title

    def test_a_cart_may_still_name_a_variant_that_left(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        cart = store_cart(backend.unit_of_work, product)
        revise(backend, product, variants=(a_variant(price=eur(1)),))
        with backend.unit_of_work() as tx:
            line = tx.carts.get(cart.id, token_digest=cart.token_digest).lines[0]
        assert line.offer.variant_id == product.variants[0].id
        assert not line.offer.published


class CategoryRepositoryContract:
    def test_a_category_comes_back_as_it_was_stored(self, backend: Backend) -> None:
        root = a_category("bikes")
        child = a_category("road-bikes", root)
        with backend.unit_of_work() as tx:
            tx.categories.get_or_create(root)
            tx.categories.get_or_create(child)
        with backend.unit_of_work() as tx:
            assert tx.categories.find("bikes") == root
            assert tx.categories.find("road-bikes") == child

    def test_an_unknown_category_is_not_found(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx:
            assert tx.categories.find("nothing-here") is None

    def test_a_slug_is_opened_once(self, backend: Backend) -> None:
        first, second = a_category("bikes"), a_category("bikes")
        with backend.unit_of_work() as tx:
            assert tx.categories.get_or_create(first) == first
        with backend.unit_of_work() as tx:
            assert tx.categories.get_or_create(second) == first

    def test_the_tree_holds_every_category(self, backend: Backend) -> None:
        root = a_category("bikes")
        child = a_category("road-bikes", root)
        with backend.unit_of_work() as tx:
            assert tx.categories.tree().categories == {}
            tx.categories.add(root)
            tx.categories.add(child)
            assert tx.categories.tree().categories == {root.id: root, child.id: child}

    def test_a_category_exists_once_it_was_added(self, backend: Backend) -> None:
        category = a_category()
        with backend.unit_of_work() as tx:
            assert not tx.categories.exists(category.id)
            tx.categories.add(category)
            assert tx.categories.exists(category.id)

    def test_a_slug_is_added_once(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx:
            tx.categories.add(a_category("bikes"))
        with pytest.raises(AlreadyExistsError), backend.unit_of_work() as tx:
            tx.categories.add(a_category("bikes"))

    def test_a_saved_category_has_another_name_and_place(self, backend: Backend) -> None:
        root, child = a_category("bikes"), a_category("road-bikes")
        with backend.unit_of_work() as tx:
            tx.categories.add(root)
            tx.categories.add(child)
        moved = replace(child, name=AWKWARD, parent_id=root.id)
        with backend.unit_of_work() as tx:
            tx.categories.save(moved)
        (shown,) = backend.product_reader.categories()
        assert [below.name for below in shown.children] == [AWKWARD]
        with backend.unit_of_work() as tx:
            assert tx.categories.find("road-bikes") == moved

    def test_a_category_that_nothing_is_in_can_be_removed(self, backend: Backend) -> None:
        category = a_category()
        with backend.unit_of_work() as tx:
            tx.categories.add(category)
        with backend.unit_of_work() as tx:
            tx.categories.remove(category.id)
            assert tx.categories.find(category.slug) is None

    def test_a_category_stays_while_something_is_in_it(self, backend: Backend) -> None:
        root = a_category("bikes")
        child = a_category("road-bikes", root)
        with backend.unit_of_work() as tx:
            tx.categories.add(root)
            tx.categories.add(child)
        hidden = a_product(category_id=child.id, published=False)
        store_product(backend.unit_of_work, hidden)
        for full in (root, child):
            with pytest.raises(CategoryInUseError), backend.unit_of_work() as tx:
                tx.categories.remove(full.id)
        with backend.unit_of_work() as tx:
            assert tx.categories.tree().categories.keys() == {root.id, child.id}
