"""A field that the shop stores of a product or variant is named in few files."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import quickshop
from quickshop.domain.catalog import ProductContent, ProductDetails
from tests.builders import a_product, a_rich_product, a_variant, facts

SOURCES = Path(quickshop.__file__).parent
AFFORDABLE = 7


def files_that_name(field: str) -> list[str]:
    word = re.compile(rf"\b{field}\b")
    return sorted(
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        if word.search(path.read_text(encoding="utf-8"))
    )


# Not `vendor`: one can search by it, so the queries and both search forms name it as well.
@pytest.mark.parametrize("field", ["barcode", "weight_grams", "compare_at_price", "product_type"])
def test_a_stored_field_is_named_in_seven_files_at_most(field: str) -> None:
    files = files_that_name(field)
    assert "domain/catalog.py" in files
    assert len(files) <= AFFORDABLE, files


def test_the_product_that_stores_are_tried_with_says_something_in_every_field() -> None:
    product = a_rich_product()
    thing = product.variants[0]
    plain = a_product(a_variant(options=thing.options), option_names=product.content.option_names)
    assert unsaid(product.content, plain.content) == {"option_names", "category_id", "published"}
    assert unsaid(thing.content, plain.variants[0].content) == {"options", "price"}


def unsaid(content: object, plain: object) -> set[str]:
    """The fields in which a content says no more than a plain one."""
    said = facts(content)
    return {name for name, value in facts(plain).items() if said[name] == value}


def test_every_field_of_a_product_can_be_given_by_name() -> None:
    stored = {each.name for each in fields(ProductContent)}
    assert ProductDetails.__optional_keys__ | {"title"} == stored
