"""Staff change what is sold, and shoppers see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from quickshop import Money, NewVariant, Shop, open_shop
from quickshop.application.catalog import ChangedVariant
from quickshop.domain.catalog import Category, CategoryId, Image, Product, ProductId
from quickshop.domain.catalog_rules import MAX_ALT_LENGTH, MAX_IMAGES
from quickshop.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    CurrencyMismatchError,
    InvalidValueError,
    NotForSaleError,
    NotFoundError,
)
from quickshop.ports.cache import CachedPage
from quickshop.ports.catalog import ProductQuery
from tests.builders import new_id
from tests.memory_caches import MemoryProductCache


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop("memory://") as shop:
        yield shop


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def a_shirt(shop: Shop, **more: object) -> Product:
    return shop.products.create(
        title="Shirt",
        option_names=("Size",),
        variants=[
            NewVariant(sku="SHIRT-S", price=usd(2000), options=("S",), weight_grams=200),
            NewVariant(sku="SHIRT-M", price=usd(2100), options=("M",)),
        ],
        **more,  # type: ignore[arg-type]
    )


def a_category(shop: Shop, name: str = "Clothes") -> Category:
    return shop.products.create_category(name)


def test_what_is_not_named_stays_as_it_is(shop: Shop) -> None:
    before = a_shirt(
        shop,
        vendor="Weaver",
        product_type="Shirts",
        category_id=a_category(shop).id,
        tags=("linen",),
        images=[Image("https://example.com/1.jpg")],
        metadata={"care": "cold"},
        description_html="<p>Soft</p>",
    )
    shop.products.update(before.id, title="Blouse")
    after = shop.products.inspect(str(before.id))
    assert (after.title, after.version) == ("Blouse", 2)
    assert (after.handle, after.content.vendor, after.category) == ("shirt", "Weaver", "clothes")
    assert (after.content.product_type, list(after.content.tags)) == ("Shirts", ["linen"])
    assert (after.content.metadata, after.content.description_html) == (
        {"care": "cold"},
        "<p>Soft</p>",
    )
    assert [image.url for image in after.content.images] == ["https://example.com/1.jpg"]
    assert [variant.id for variant in after.variants] == [v.id for v in before.variants]


def test_everything_else_can_be_changed_at_once(shop: Shop) -> None:
    product = a_shirt(shop)
    category = a_category(shop)
    shop.products.update(
        product.id,
        title="Blouse",
        handle="blouse",
        description_html='<p onclick="x()">Soft</p><script>x()</script>',
        vendor="Weaver",
        product_type="Blouses",
        category_id=category.id,
        tags=("silk",),
        metadata={"care": "cold"},
        published=False,
    )
    after = shop.products.inspect("blouse")
    assert (after.title, after.content.vendor, after.content.product_type) == (
        "Blouse",
        "Weaver",
        "Blouses",
    )
    assert (after.category, after.content.category_id) == ("clothes", category.id)
    assert (list(after.content.tags), after.content.metadata) == (["silk"], {"care": "cold"})
    assert (after.content.description_html, after.content.published) == ("<p>Soft</p>", False)
    with pytest.raises(NotFoundError):
        shop.products.inspect("shirt")


def test_a_product_is_taken_off_its_shelf_only_when_told_so(shop: Shop) -> None:
    product = a_shirt(shop, category_id=a_category(shop).id)
    shop.products.update(product.id, title="Blouse")
    assert shop.products.inspect("shirt").category == "clothes"
    shop.products.update(product.id, category_id=None)
    assert shop.products.inspect("shirt").category is None


def test_none_leaves_a_detail_as_it_is(shop: Shop) -> None:
    product = a_shirt(shop, vendor="Weaver", tags=None, metadata=None, handle=None)
    shop.products.update(product.id, title=None, vendor=None, tags=None, published=None)
    after = shop.products.inspect("shirt")
    assert (after.title, after.content.vendor, after.version) == ("Shirt", "Weaver", 1)


@pytest.mark.parametrize("create", [True, False])
def test_a_shelf_that_is_not_there_takes_no_product(shop: Shop, *, create: bool) -> None:
    nowhere = CategoryId(new_id())
    with pytest.raises(InvalidValueError, match="category_id"):
        if create:
            a_shirt(shop, category_id=nowhere)
        else:
            shop.products.update(a_shirt(shop).id, category_id=nowhere)


def test_an_editor_who_looked_too_early_changes_nothing(shop: Shop) -> None:
    product = a_shirt(shop)
    shop.products.update(product.id, version=1, title="The first editor's")
    for edit in (
        lambda: shop.products.update(product.id, version=1, title="The second editor's"),
        lambda: shop.products.unpublish(product.id, version=1),
        lambda: shop.products.set_images(product.id, [], version=1),
    ):
        with pytest.raises(ConflictError):
            edit()
    shop.products.update(product.id, version=2, vendor="Weaver")
    after = shop.products.inspect("shirt")
    assert (after.title, after.content.vendor, after.version) == (
        "The first editor's",
        "Weaver",
        3,
    )


def test_an_edit_that_changes_nothing_is_no_new_version(shop: Shop) -> None:
    product = a_shirt(shop)
    shop.products.update(product.id, title="Shirt")
    shop.products.publish(product.id)
    assert shop.products.inspect("shirt").version == 1


def test_variants_are_changed_added_and_given_up(shop: Shop) -> None:
    small, medium = a_shirt(shop).variants
    shop.inventory.receive("SHIRT-S", 3)
    shop.products.update(
        shop.products.get("shirt").id,
        variants=[
            ChangedVariant(NewVariant(sku="SHIRT-XS", price=usd(1900), options=("XS",)), small.id),
            ChangedVariant(NewVariant(sku="SHIRT-L", price=usd(2200), options=("L",))),
        ],
    )
    changed, added = shop.products.get("shirt").variants
    assert (changed.id, changed.sku, changed.price) == (small.id, "SHIRT-XS", usd(1900))
    assert (changed.available, changed.content.weight_grams) == (3, 0)
    assert added.sku == "SHIRT-L"
    assert added.id not in {small.id, medium.id}
    with pytest.raises(NotFoundError):
        shop.inventory.receive("SHIRT-M", 1)


def test_a_variant_without_an_id_is_known_by_its_sku(shop: Shop) -> None:
    small, medium = a_shirt(shop).variants
    shop.products.update(
        shop.products.get("shirt").id,
        option_names=(),
        variants=[ChangedVariant(NewVariant(sku="SHIRT-M", price=usd(1900)))],
    )
    (left,) = shop.products.get("shirt").variants
    assert (left.id, left.title) == (medium.id, "")
    assert left.id != small.id


def test_variants_may_swap_their_skus(shop: Shop) -> None:
    small, medium = a_shirt(shop).variants
    shop.products.update(
        shop.products.get("shirt").id,
        variants=[
            ChangedVariant(NewVariant(sku="SHIRT-M", price=usd(2000), options=("S",)), small.id),
            ChangedVariant(NewVariant(sku="SHIRT-S", price=usd(2100), options=("M",)), medium.id),
        ],
    )
    after = shop.products.get("shirt").variants
    assert [(v.id, v.sku) for v in after] == [(small.id, "SHIRT-M"), (medium.id, "SHIRT-S")]


def test_variants_of_other_products_or_named_twice_are_refused(shop: Shop) -> None:
    product = a_shirt(shop)
    small = product.variants[0]
    content = NewVariant(sku="A", price=usd(1), options=("A",))
    once = ChangedVariant(content, small.id)
    for variants in (
        [replace(once, id=new_id())],
        [once, replace(once, content=replace(content, sku="B", options=("B",)))],
        [],
        [replace(once, content=replace(content, options=()))],
    ):
        with pytest.raises(InvalidValueError, match="variants"):
            shop.products.update(product.id, variants=variants)
    assert shop.products.inspect("shirt").version == 1


def test_names_that_others_have_and_other_currencies_are_refused(shop: Shop) -> None:
    product = a_shirt(shop)
    shop.products.create(title="Mug", variants=[NewVariant(sku="MUG", price=usd(1250))])
    with pytest.raises(AlreadyExistsError):
        shop.products.update(product.id, handle="mug")
    with pytest.raises(AlreadyExistsError):
        shop.products.update(
            product.id,
            variants=[ChangedVariant(NewVariant(sku="MUG", price=usd(1), options=("S",)))],
        )
    with pytest.raises(CurrencyMismatchError):
        shop.products.update(
            product.id,
            variants=[ChangedVariant(NewVariant(sku="X", price=Money(1, "EUR"), options=("S",)))],
        )
    with pytest.raises(InvalidValueError, match="tags"):
        shop.products.update(product.id, tags="linen")


def test_a_product_that_is_not_there_cannot_be_changed(shop: Shop) -> None:
    nobody = ProductId(new_id())
    for edit in (
        lambda: shop.products.update(nobody, title="X"),
        lambda: shop.products.publish(nobody),
        lambda: shop.products.unpublish(nobody),
        lambda: shop.products.set_images(nobody, []),
        lambda: shop.products.inspect(str(nobody)),
    ):
        with pytest.raises(NotFoundError):
            edit()


def test_what_is_unpublished_is_neither_shown_nor_sold_until_it_is_published_again(
    shop: Shop,
) -> None:
    product = a_shirt(shop)
    shop.inventory.receive("SHIRT-S", 3)
    cart = shop.carts.create()
    shop.products.unpublish(product.id)
    with pytest.raises(NotFoundError):
        shop.products.get("shirt")
    with pytest.raises(NotForSaleError):
        shop.carts.add_line(cart.cart.id, cart.token, sku="SHIRT-S")
    assert not shop.products.list().items
    assert not shop.products.list(ProductQuery(published=None)).items
    assert [p.handle for p in shop.products.list_all().items] == ["shirt"]
    hidden = shop.products.list_all(ProductQuery(published=False)).items
    assert [p.handle for p in hidden] == ["shirt"]
    shop.products.publish(product.id)
    shop.carts.add_line(cart.cart.id, cart.token, sku="SHIRT-S")
    assert not shop.products.list_all(ProductQuery(published=False)).items


def test_pictures_are_numbered_as_they_were_placed(shop: Shop) -> None:
    product = a_shirt(shop)
    shop.products.set_images(
        product.id,
        [
            Image("https://example.com/b.jpg", "Back", 2),
            Image("https://example.com/a.jpg", "Front", 1),
            Image("https://example.com/c.jpg", "", 2),
        ],
    )
    images = shop.products.get("shirt").content.images
    assert [(image.url[-5], image.alt, image.position) for image in images] == [
        ("a", "Front", 1),
        ("b", "Back", 2),
        ("c", "", 3),
    ]
    shop.products.set_images(product.id, [])
    assert not shop.products.get("shirt").content.images


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/1.jpg",
        "javascript:alert(1)",
        "//example.com/1.jpg",
        "/1.jpg",
        "https://",
        "https://user:secret@example.com/1.jpg",
        "https://example.com:0/",
        "https://example.com:port/",
        "https://[::1/",
        'https://example.com/"onload="x',
        "https://example.com/a b",
        "https://example.com/\n",
        "https://exämple.com/",
        "https://example.com/" + "a" * 2_000,
        "",
    ],
)
def test_only_https_addresses_are_pictures(shop: Shop, url: str) -> None:
    product = a_shirt(shop)
    with pytest.raises(InvalidValueError, match="images"):
        shop.products.set_images(product.id, [Image(url)])
    with pytest.raises(InvalidValueError, match="images"):
        shop.products.create(
            title="Mug", variants=[NewVariant(sku="MUG", price=usd(1))], images=[Image(url)]
        )


def test_a_product_has_so_many_images_with_short_texts_at_most(shop: Shop) -> None:
    product = a_shirt(shop)
    one = Image("https://example.com/1.jpg")
    shop.products.set_images(product.id, [one] * MAX_IMAGES)
    too_long = "a" * (MAX_ALT_LENGTH + 1)
    many = [one] * (MAX_IMAGES + 1)
    for images in (many, [replace(one, alt=too_long)], [replace(one, alt="a\nb")]):
        with pytest.raises(InvalidValueError, match="images"):
            shop.products.set_images(product.id, images)


def test_the_pages_of_both_handles_leave_the_cache(shop: Shop) -> None:
    product = a_shirt(shop)
    cache = MemoryProductCache()
    update = shop.products.update
    update = replace(update, editing=replace(update.editing, cache=cache))
    for key in ("shirt", "blouse", str(product.id), "mug"):
        cache.put(key, CachedPage("etag", b"old"))
    update(product.id, handle="blouse")
    for key in ("shirt", "blouse", str(product.id)):
        assert cache.current(key) is None
    assert cache.current("mug") is not None
