"""A field that the shop stores of a product or variant is named in few files."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import quickshop
from quickshop.domain.catalog import ProductContent, ProductDetails

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


def test_every_field_of_a_product_can_be_given_by_name() -> None:
    stored = {each.name for each in fields(ProductContent)}
    assert ProductDetails.__optional_keys__ | {"title"} == stored
