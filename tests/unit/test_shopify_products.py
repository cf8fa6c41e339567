"""What the cells of a Shopify product export mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickshop.domain.inventory import UNLIMITED_BACKORDER
from quickshop.domain.money import Money
from tests.unit.shopify_rows import (
    NAMES,
    Files,
    errors,
    mug,
    notes,
    shirt,
    size,
)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class TestVariants:
    @pytest.mark.parametrize(
        ("written", "currency", "minor"),
        [
            ("19.99", "USD", 1999), ("0.00", "USD", 0), ("5", "USD", 500), (".5", "USD", 50),
            ("12.3400", "USD", 1234), ("1200", "JPY", 1200), ("98.00", "JPY", 98),
            ("1.234", "KWD", 1234),
        ],
    )  # fmt: skip
    def test_a_price_is_exact(self, files: Files, written: str, currency: str, minor: int) -> None:
        price = files.variant(mug(price=written), currency).content.price
        assert price == Money(minor, currency)

    @pytest.mark.parametrize(
        "written",
        ["1,299.00", "$5", "-1", "NaN", "Infinity", "", "1e3", "1_000", "٣", "12.345", "9" * 40,
         "--1", "+5", "5 USD", "1.2.3", "9" * 15],
    )  # fmt: skip
    def test_a_price_that_is_none_is_an_error(self, files: Files, written: str) -> None:
        assert files.error(mug(price=written)).column == "Variant Price"

    def test_a_price_finer_than_the_currency_is_an_error(self, files: Files) -> None:
        assert "0 decimals in JPY" in files.error(mug(price="10.99"), currency="JPY").reason

    @pytest.mark.parametrize("written", ["", "0", "0.00"])
    def test_nothing_to_compare_with_is_no_price(self, files: Files, written: str) -> None:
        assert files.variant(mug(compare_at=written)).content.compare_at_price is None

    @pytest.mark.parametrize(("written", "units"), [("7", 7), ("3.0", 3), ("0", 0)])
    def test_a_quantity_is_what_is_on_the_shelf(
        self, files: Files, written: str, units: int
    ) -> None:
        assert files.variant(mug(qty=written)).on_hand == units

    @pytest.mark.parametrize("written", ["1.5", "1e3", "٣", "many", "5000000000", "0x10", "1,000"])
    def test_a_quantity_that_is_none_is_an_error(self, files: Files, written: str) -> None:
        assert files.error(mug(qty=written)).column == "Variant Inventory Qty"

    def test_a_negative_quantity_is_stocked_as_none_and_told(self, files: Files) -> None:
        (draft,), issues = files.read(mug(qty="-3"))
        assert draft.variants[0].on_hand == 0
        assert notes(issues, "Variant Inventory Qty") == ["is negative; imported as 0"]

    def test_a_blank_quantity_says_nothing(self, files: Files) -> None:
        assert files.variant(mug(qty="")).on_hand is None

    @pytest.mark.parametrize(
        ("tracker", "policy", "limit"),
        [
            ("shopify", "deny", 0), ("shopify", "", 0),
            ("shopify", "continue", UNLIMITED_BACKORDER),
            ("", "deny", UNLIMITED_BACKORDER), ("", "continue", UNLIMITED_BACKORDER),
        ],
    )  # fmt: skip
    def test_a_variant_that_is_not_counted_sells_on(
        self, files: Files, tracker: str, policy: str, limit: int
    ) -> None:
        variant = files.variant(mug(tracker=tracker, policy=policy))
        assert variant.backorder_limit == limit

    @pytest.mark.parametrize(("written", "grams"), [("250", 250), ("453.59237", 454), ("", 0)])
    def test_a_weight_is_in_whole_grams(self, files: Files, written: str, grams: int) -> None:
        assert files.variant(mug(grams=written)).content.weight_grams == grams

    def test_a_barcode_loses_the_apostrophe_of_spreadsheets(self, files: Files) -> None:
        assert files.variant(mug(barcode="'0741360637481")).content.barcode == "0741360637481"

    def test_yes_and_no_are_read_in_any_case(self, files: Files) -> None:
        variant = files.variant(mug(shipping="FALSE", taxable="False"))
        assert (variant.content.requires_shipping, variant.content.taxable) == (False, False)

    @pytest.mark.parametrize("cells", [{"policy": "maybe"}, {"sku": "S" * 256}])
    def test_what_a_cell_does_not_allow_is_an_error(
        self, files: Files, cells: dict[str, str]
    ) -> None:
        assert files.error(mug(**cells)).column == NAMES[next(iter(cells))]

    def test_a_bad_variant_is_rejected_alone(self, files: Files) -> None:
        (draft,), issues = files.read(shirt(), size("M", price="-1"), size("L"))
        assert [variant.content.options for variant in draft.variants] == [("S",), ("L",)]
        assert [(e.line, e.column) for e in errors(issues)] == [(3, "Variant Price")]


class TestOptions:
    def test_default_title_means_no_options(self, files: Files) -> None:
        draft = files.product(mug())
        assert (draft.content.option_names, draft.variants[0].content.options) == ((), ())

    def test_a_title_of_its_own_is_an_option(self, files: Files) -> None:
        draft = files.product(mug(option1="Blue"))
        assert (draft.content.option_names, draft.variants[0].content.options) == (
            ("Title",),
            ("Blue",),
        )

    def test_names_come_from_the_first_row(self, files: Files) -> None:
        draft = files.product(
            shirt(option2_name="Color", option2="Red"), size("S", option2="Blue")
        )
        assert draft.content.option_names == ("Size", "Color")
        assert [v.content.options for v in draft.variants] == [("S", "Red"), ("S", "Blue")]

    def test_the_same_options_twice_are_rejected_with_the_line_that_has_them(
        self, files: Files
    ) -> None:
        (draft,), issues = files.read(shirt(), size("M"), size("M", sku="OTHER"))
        assert [variant.content.sku for variant in draft.variants] == ["SHIRT-S", "SHIRT-M"]
        assert "line 3" in errors(issues)[0].reason
        assert errors(issues)[0].line == 4

    def test_a_missing_value_is_an_error(self, files: Files) -> None:
        (draft,), issues = files.read(shirt(), size("", sku="X"))
        assert draft.rows == 1
        assert errors(issues)[0].column == "Option1 Value"

    def test_an_option_without_a_name_gets_one(self, files: Files) -> None:
        (draft,), issues = files.read(shirt(option1_name=""), size("M"))
        assert draft.content.option_names == ("Option 1",)
        assert len(notes(issues, "Option1 Name")) == 1

    def test_an_option_without_values_is_left_out(self, files: Files) -> None:
        (draft,), issues = files.read(shirt(option2_name="Color"))
        assert draft.content.option_names == ("Size",)
        assert len(notes(issues, "Option2 Name")) == 1

    def test_two_options_of_one_name_are_an_error(self, files: Files) -> None:
        issue = files.error(shirt(option2_name="Size", option2="Red"))
        assert issue.column == "Option2 Name"


class TestProducts:
    def test_tags_are_split_trimmed_and_told_apart(self, files: Files) -> None:
        assert files.product(mug(tags="blue, tea ,,Blue,  gifts")).content.tags == (
            "blue",
            "tea",
            "gifts",
        )

    @pytest.mark.parametrize(
        ("cells", "path"),
        [
            ({"category": "Home > Bar >  Mugs", "google": "A > B"}, ("Home", "Bar", "Mugs")),
            ({"category": " ", "google": "a > b"}, ("a", "b")),
            ({"category": "Uncategorized"}, ("Cups",)),
            ({"google": "1604"}, ("Cups",)),
            ({}, ("Cups",)),
            ({"type": ""}, ()),
        ],
    )  # fmt: skip
    def test_the_category_is_the_most_precise_there_is(
        self, files: Files, cells: dict[str, str], path: tuple[str, ...]
    ) -> None:
        assert files.product(mug(**({"type": "Cups"} | cells))).category_path == path

    @pytest.mark.parametrize(
        ("published", "status", "shown"),
        [
            ("true", "active", True), ("TRUE", "", True), ("", "Active", True),
            ("false", "active", False), ("true", "draft", False), ("true", "archived", False),
        ],
    )  # fmt: skip
    def test_only_what_is_published_and_active_is_shown(
        self, files: Files, published: str, status: str, shown: bool
    ) -> None:
        assert files.product(mug(published=published, status=status)).content.published is shown

    @pytest.mark.parametrize("cells", [{"published": "perhaps"}, {"status": "sold"}])
    def test_a_product_neither_shown_nor_hidden_is_an_error(
        self, files: Files, cells: dict[str, str]
    ) -> None:
        assert files.error(mug(**cells)).column == next(iter(cells)).title()

    def test_long_titles_are_cut_and_told(self, files: Files) -> None:
        (draft,), issues = files.read(mug(title="x" * 5000))
        assert draft.content.title == "x" * 255
        assert notes(issues, "Title") == ["was cut to 255 characters"]

    def test_what_cannot_be_printed_on_one_line_is_replaced_and_told(self, files: Files) -> None:
        (draft,), issues = files.read(mug(title="Blue\u00a0mug\nlarge\u200b"))
        assert draft.content.title == "Blue mug large"
        assert len(notes(issues, "Title")) == 1

    def test_what_else_the_file_knows_is_kept_as_metadata(self, files: Files) -> None:
        draft = files.product(
            mug(seo="Buy mugs", **{"google shopping / mpn": "X1", "gift card": "false"})
        )
        assert draft.content.metadata == {
            "seo_title": "Buy mugs", "google_shopping_mpn": "X1", "gift_card": "false",
        }  # fmt: skip

    def test_what_an_item_costs_the_shop_never_reaches_a_shopper(self, files: Files) -> None:
        draft = files.product(mug(**{"cost per item": "1.11"}))
        assert "1.11" not in repr(draft)


class TestPictures:
    def test_image_rows_belong_to_their_product(self, files: Files) -> None:
        (draft,), issues = files.read(
            shirt(image="https://example.com/1.jpg", alt="Front"),
            {"Handle": "shirt", "Image Src": "https://example.com/2.jpg"},
        )
        assert [(i.url, i.alt, i.position) for i in draft.content.images] == [
            ("https://example.com/1.jpg", "Front", 1),
            ("https://example.com/2.jpg", "", 2),
        ]
        assert (draft.rows, len(draft.variants), errors(issues)) == (2, 1, [])

    def test_a_picture_is_taken_once_and_those_of_variants_come_last(self, files: Files) -> None:
        draft = files.product(
            shirt(image="https://example.com/1.jpg", variant_image="https://example.com/9.jpg"),
            size("M", image="https://example.com/1.jpg"),
            size("L", image="https://example.com/2.jpg"),
        )
        assert [image.url[-5] for image in draft.content.images] == ["1", "2", "9"]

    def test_pictures_come_in_the_order_that_the_file_gives(self, files: Files) -> None:
        draft = files.product(
            shirt(image="https://example.com/b.jpg", position="2"),
            size("M", image="https://example.com/a.jpg", position="1"),
        )
        assert [(i.url[-5], i.position) for i in draft.content.images] == [("a", 1), ("b", 2)]

    @pytest.mark.parametrize(
        "url",
        ["javascript:alert(1)", "data:image/png;base64,AA", "ftp://example.com/a", "//a/b.jpg",
         "a.jpg", "https://", "https://example.com/a b", "http://[",
         "https://example.com/" + "x" * 3000],
    )  # fmt: skip
    def test_only_web_addresses_are_pictures(self, files: Files, url: str) -> None:
        (draft,), issues = files.read(mug(image=url))
        assert draft.content.images == ()
        assert notes(issues, "Image Src")[0].startswith(
            "was left out: it must be an https address"
        )

    def test_a_rejected_row_shows_no_picture(self, files: Files) -> None:
        (draft,), _ = files.read(shirt(), size("M", price="x", image="https://example.com/m.jpg"))
        assert draft.content.images == ()
