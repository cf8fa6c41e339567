"""Staff put the shelves of the catalog in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickshop import Money, NewVariant, Shop, open_shop
from quickshop.domain.catalog import Category, CategoryId
from quickshop.domain.catalog_rules import MAX_CATEGORY_DEPTH
from quickshop.domain.errors import (
    AlreadyExistsError,
    CategoryInUseError,
    InvalidValueError,
    NotFoundError,
)
from quickshop.ports.catalog import CategoryView
from tests.builders import new_id


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop("memory://") as shop:
        yield shop


def paths(shop: Shop) -> list[str]:
    """Every category, with those above it."""

    def below(level: list[CategoryView], above: str) -> Iterator[str]:
        for category in level:
            yield above + category.slug
            yield from below(list(category.children), f"{above}{category.slug}/")

    return list(below(list(shop.products.categories()), ""))


def grow(shop: Shop, *names: str, below: Category | None = None) -> list[Category]:
    """Categories below one another."""
    made = []
    for name in names:
        parent_id = below.id if below else None
        below = shop.products.create_category(name, parent_id=parent_id)
        made.append(below)
    return made


def test_shelves_stand_on_shelves(shop: Shop) -> None:
    bikes, road = grow(shop, "Bikes", "Road bikes")
    assert paths(shop) == ["bikes", "bikes/road-bikes"]
    assert (bikes.parent_id, road.parent_id) == (None, bikes.id)
    assert shop.products.create_category("Räder", slug="wheels").slug == "wheels"


def test_a_renamed_shelf_keeps_its_address(shop: Shop) -> None:
    (bikes,) = grow(shop, "Bikes")
    shop.products.rename_category(bikes.id, "Bicycles")
    (shown,) = shop.products.categories()
    assert (shown.name, shown.slug) == ("Bicycles", "bikes")


def test_a_moved_shelf_takes_along_what_is_on_it(shop: Shop) -> None:
    _bikes, road, aero = grow(shop, "Bikes", "Road", "Aero")
    (sport,) = grow(shop, "Sport")
    shop.products.move_category(road.id, sport.id)
    assert paths(shop) == ["bikes", "sport", "sport/road", "sport/road/aero"]
    shop.products.move_category(aero.id, None)
    assert paths(shop) == ["aero", "bikes", "sport", "sport/road"]


def test_nothing_stands_on_itself(shop: Shop) -> None:
    bikes, road, aero = grow(shop, "Bikes", "Road", "Aero")
    for below in (bikes, road, aero):
        with pytest.raises(InvalidValueError, match="parent_id"):
            shop.products.move_category(bikes.id, below.id)
    assert paths(shop) == ["bikes", "bikes/road", "bikes/road/aero"]


def test_shelves_are_stacked_ten_high_and_no_higher(shop: Shop) -> None:
    stack = grow(shop, *(f"Level {n}" for n in range(MAX_CATEGORY_DEPTH)))
    with pytest.raises(InvalidValueError, match="parent_id"):
        grow(shop, "Too high", below=stack[-1])
    (other, on_it) = grow(shop, "Other", "On it")
    with pytest.raises(InvalidValueError, match="parent_id"):
        shop.products.move_category(other.id, stack[-2].id)
    shop.products.move_category(on_it.id, stack[-2].id)
    shop.products.move_category(other.id, stack[-3].id)


def test_a_shelf_goes_when_nothing_is_on_it(shop: Shop) -> None:
    bikes, road = grow(shop, "Bikes", "Road")
    product = shop.products.create(
        title="Bike",
        variants=[NewVariant(sku="BIKE", price=Money(100, "USD"))],
        category_id=road.id,
        published=False,
    )
    for full in (bikes, road):
        with pytest.raises(CategoryInUseError):
            shop.products.delete_category(full.id)
    shop.products.update(product.id, category_id=None)
    shop.products.delete_category(road.id)
    shop.products.delete_category(bikes.id)
    assert paths(shop) == []


def test_a_shelf_that_is_not_there_is_not_found(shop: Shop) -> None:
    nowhere = CategoryId(new_id())
    (bikes,) = grow(shop, "Bikes")
    with pytest.raises(NotFoundError):
        shop.products.rename_category(nowhere, "X")
    with pytest.raises(NotFoundError):
        shop.products.move_category(nowhere, None)
    with pytest.raises(NotFoundError):
        shop.products.delete_category(nowhere)
    with pytest.raises(InvalidValueError, match="parent_id"):
        shop.products.create_category("X", parent_id=nowhere)
    with pytest.raises(InvalidValueError, match="parent_id"):
        shop.products.move_category(bikes.id, nowhere)


def test_slugs_are_nobody_elses(shop: Shop) -> None:
    (bikes,) = grow(shop, "Bikes")
    with pytest.raises(AlreadyExistsError):
        shop.products.create_category("bikes!", parent_id=bikes.id)


@pytest.mark.parametrize("name", ["", " ", "\n", "\0", "a" * 256, "🚲"])
def test_a_shelf_has_a_name_that_can_be_read_and_spelled(shop: Shop, name: str) -> None:
    with pytest.raises(InvalidValueError):
        shop.products.create_category(name)


@settings(max_examples=50)
@given(moves=st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5)), max_size=12))
def test_however_shelves_are_moved_all_of_them_stay_reachable(
    moves: list[tuple[int, int | None]],
) -> None:
    with open_shop("memory://") as shop:
        made = grow(shop, *"abc") + grow(shop, *"def")
        for moved, parent in moves:
            parent_id = None if parent is None else made[parent].id
            try:
                shop.products.move_category(made[moved].id, parent_id)
            except InvalidValueError:
                assert parent is not None
        assert sorted(path.rpartition("/")[2] for path in paths(shop)) == list("abcdef")
