"""What a product may hold is stated once, by the product itself."""

from __future__ import annotations

from typing import Any

import pytest

from quickshop.domain.catalog import Image
from quickshop.domain.catalog_rules import (
    MAX_ALT_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_IMAGES,
    MAX_METADATA,
    MAX_METADATA_LENGTH,
    MAX_OPTIONS,
    MAX_TAGS,
    MAX_VARIANTS,
    MAX_WEIGHT_GRAMS,
)
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH, MAX_URL_LENGTH
from tests.builders import a_product, a_variant

MUG = Image("https://example.com/mug.jpg")
LONG_NAME = "x" * (MAX_NAME_LENGTH + 1)
LONG_URL = "https://example.com/".ljust(MAX_URL_LENGTH + 1, "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vendor", LONG_NAME),
        ("vendor", "two\nlines"),
        ("vendor", " "),
        ("product_type", LONG_NAME),
        ("description_html", "x" * (MAX_DESCRIPTION_LENGTH + 1)),
        ("description_html", 5),
        ("tags", ("tag",) * (MAX_TAGS + 1)),
        ("tags", (LONG_NAME,)),
        ("tags", ("",)),
        ("metadata", {f"key {n}": "" for n in range(MAX_METADATA + 1)}),
        ("metadata", {LONG_NAME: ""}),
        ("metadata", {"": "value"}),
        ("metadata", {"key": "x" * (MAX_METADATA_LENGTH + 1)}),
        ("metadata", {"key": 5}),
        ("images", (MUG,) * (MAX_IMAGES + 1)),
        ("images", (Image("http://example.com/mug.jpg"),)),
        ("images", (Image(LONG_URL),)),
        ("images", (Image("/mug.jpg"),)),
        ("images", (Image(MUG.url, "x" * (MAX_ALT_LENGTH + 1)),)),
        ("images", (Image(MUG.url, "two\nlines"),)),
    ],
)
def test_a_product_with_a_field_that_cannot_be_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        a_product(**{field: value})
    assert caught.value.field.partition(".")[0] == field


def test_a_product_holds_as_much_as_its_limits_say() -> None:
    product = a_product(
        vendor="x" * MAX_NAME_LENGTH,
        description_html="x" * MAX_DESCRIPTION_LENGTH,
        tags=tuple(f"tag {n}" for n in range(MAX_TAGS)),
        metadata={f"key {n}": "x" * MAX_METADATA_LENGTH for n in range(MAX_METADATA)},
        images=(Image(LONG_URL[:-1], "x" * MAX_ALT_LENGTH),) * MAX_IMAGES,
    )
    assert len(product.content.images) == MAX_IMAGES


def test_a_product_has_so_many_variants_and_no_more() -> None:
    variants = [a_variant(options=(str(n),)) for n in range(MAX_VARIANTS + 1)]
    assert len(a_product(*variants[:-1], option_names=("Size",)).variants) == MAX_VARIANTS
    with pytest.raises(InvalidValueError, match="at most 2,048 per product"):
        a_product(*variants, option_names=("Size",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weight_grams", MAX_WEIGHT_GRAMS + 1),
        ("weight_grams", -1),
        ("weight_grams", 1.5),
        ("barcode", ""),
        ("barcode", LONG_NAME),
        ("options", ("",)),
        ("options", ("x",) * (MAX_OPTIONS + 1)),
    ],
)
def test_a_variant_with_a_field_that_cannot_be_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        a_variant(**{field: value})
    assert caught.value.field == field
