"""Products, variants and categories."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.catalog import (
    Category,
    CategoryId,
    ProductChanged,
    ProductCreated,
    search_words,
    slugify,
)
from quickshop.domain.errors import CurrencyMismatchError, InvalidValueError
from quickshop.domain.money import Money
from tests.builders import NOW, a_product, a_rich_product, a_variant, eur, facts, new_id, revised


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Crème & Co.", "creme-co"),
        ("  Road   Bikes 2024! ", "road-bikes-2024"),
        ("ÀÉÎ", "aei"),
        ("自転車", ""),
        ("---", ""),
    ],
)
def test_a_name_becomes_a_slug(name: str, slug: str) -> None:
    assert slugify(name) == slug


@given(st.text())
def test_a_slug_of_a_slug_is_itself(name: str) -> None:
    assert slugify(slugify(name)) == slugify(name)


@given(st.text())
def test_search_words_stay_as_they_are(text: str) -> None:
    words = search_words(text)
    assert search_words(" ".join(words)) == words


def test_search_compares_without_accents_case_and_punctuation() -> None:
    assert search_words("Crème-BRÛLÉE, 54cm (Straße)") == ["creme", "brulee", "54cm", "strasse"]
    assert search_words("\uff22\uff29\uff2b\uff25 \u1d2eike") == ["bike", "bike"]


def test_everything_a_shopper_may_name_is_searched() -> None:
    words = a_rich_product().search_text.split()
    assert {"creme", "brulee", "cafe", "fahrrader", "neu", "schwarz", "4006381333931"} <= set(
        words
    )
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sku": ""}, "sku"),
        ({"sku": " "}, "sku"),
        ({"sku": "a\nb"}, "sku"),
        ({"sku": "x" * 256}, "sku"),
        ({"price": eur(-1)}, "price"),
        ({"compare_at_price": eur(-1)}, "compare_at_price"),
        ({"compare_at_price": Money(1, "USD")}, "compare_at_price"),
        ({"weight_grams": -1}, "weight_grams"),
    ],
)
def test_a_variant_that_could_not_be_sold_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        a_variant(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"handle": "a b"}, "handle"),
        ({"handle": "a/b"}, "handle"),
        ({"handle": "a?b"}, "handle"),
        ({"handle": str(new_id())}, "handle"),
        ({"handle": new_id().hex.upper()}, "handle"),
        ({"tags": ("",)}, "tags"),
        ({"variants": ()}, "variants"),
        ({"option_names": ("a", "b", "c", "d")}, "options"),
        ({"option_names": ("Size",)}, "variants"),
        ({"variants": (a_variant("X"), a_variant("X"))}, "variants"),
        ({"variants": (a_variant(), a_variant())}, "variants"),
    ],
)
def test_a_product_that_could_not_be_shown_is_refused(changes: dict[str, Any], field: str) -> None:
    product = a_product()
    with pytest.raises(InvalidValueError) as caught:
        product.revise(*revised(product, **changes), now=NOW)
    assert caught.value.field == field


def test_variants_of_a_product_share_a_currency_and_no_combination() -> None:
    one, two = a_variant(options=("S",)), a_variant(options=("L",))
    yen = a_variant(price=Money(1, "JPY"), options=("L",))
    same = a_variant(options=("S",))
    assert a_product(one, two, option_names=("Size",)).currency == "EUR"
    for other in (yen, same):
        with pytest.raises(InvalidValueError):
            a_product(one, other, option_names=("Size",))


def test_a_variant_is_named_by_its_options() -> None:
    second = a_rich_product().variants[1]
    assert second.content.title == "Größe 56 / Schwarz / 🚲"
    assert a_variant().content.title == ""


def test_a_new_product_says_so() -> None:
    product = a_product()
    assert product.collect_events() == [ProductCreated(product_id=product.id, occurred_at=NOW)]
    assert not product.has_unsaved_events


def test_a_revision_takes_over_the_content_and_tells() -> None:
    product = a_product()
    product.collect_events()
    assert product.revise(*revised(product, title="New", tags=("x",)), now=NOW)
    assert (product.title, product.content.tags) == ("New", ("x",))
    assert product.collect_events() == [ProductChanged(product_id=product.id, occurred_at=NOW)]


def test_a_revision_that_changes_nothing_is_no_change() -> None:
    product = a_rich_product()
    product.collect_events()
    assert not product.revise(*revised(product), now=NOW)
    assert not product.has_unsaved_events


def test_a_revision_that_is_refused_changes_nothing() -> None:
    product = a_rich_product()
    product.collect_events()
    before = facts(product)
    for changes, refusal in (
        ({"title": ""}, InvalidValueError),
        ({"option_names": ()}, InvalidValueError),
        ({"variants": ()}, InvalidValueError),
        (
            {"variants": (a_variant(price=Money(1, "USD")),), "option_names": ()},
            CurrencyMismatchError,
        ),
    ):
        with pytest.raises(refusal):
            product.revise(*revised(product, **changes), now=NOW)
        assert facts(product) == before
        assert not product.has_unsaved_events


@pytest.mark.parametrize(
    ("slug", "name"), [("", "Bikes"), ("Bikes", "Bikes"), ("a b", "Bikes"), ("bikes", "")]
)
def test_a_category_has_a_slug_and_a_name(slug: str, name: str) -> None:
    with pytest.raises(InvalidValueError):
        Category(id=CategoryId(new_id()), slug=slug, name=name)
