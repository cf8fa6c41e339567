"""What importing a product file does to a shop."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.errors import (
    ContentionError,
    FileFormatError,
    InvalidValueError,
    NotFoundError,
    TransientError,
)
from quickshop.domain.money import Money
from quickshop.ports.imports import Severity
from tests.unit.importing_shop import SAMPLE, ImportingShop, as_real, notes
from tests.unit.shopify_rows import Cells, mug, shirt, size


@pytest.fixture
def shop(tmp_path: Path) -> ImportingShop:
    return ImportingShop(tmp_path)


class TestTheSampleCatalog:
    def test_all_of_it_is_imported(self, shop: ImportingShop) -> None:
        report = shop.load_file(SAMPLE)
        assert (report.rows, report.imported_rows, report.created) == (26, 26, 12)
        assert (report.variants, report.units_moved) == (25, 1133)
        assert {issue.severity for issue in report.issues} == {Severity.NOTE}
        with pytest.raises(NotFoundError):
            shop.reader.get("winter-gift-box")

    def test_importing_it_again_changes_nothing(self, shop: ImportingShop) -> None:
        first = shop.load_file(SAMPLE)
        before, ledger = shop.reader.get("enamel-mug"), shop.ledger()
        report = shop.load_file(SAMPLE)
        assert (report.created, report.updated, report.unchanged) == (0, 0, 12)
        assert (report.units_moved, report.issues) == (0, first.issues)
        assert (shop.reader.get("enamel-mug"), shop.ledger()) == (before, ledger)

    def test_a_dry_run_tells_the_same_and_changes_nothing(self, shop: ImportingShop) -> None:
        rehearsal = shop.load_file(SAMPLE, dry_run=True)
        assert (shop.stock(), shop.ledger(), shop.reader.categories()) == ({}, [], [])
        assert shop.cache.forgotten == []
        assert as_real(rehearsal) == shop.load_file(SAMPLE)

    def test_progress_is_told_to_the_last_row(self, shop: ImportingShop) -> None:
        told: list[tuple[int, int]] = []
        shop.load_file(SAMPLE, progress=lambda done, rows: told.append((done, rows)))
        assert told[-1] == (26, 26)
        assert told == sorted(told)


class TestImportingAgain:
    def test_what_changed_is_updated_under_the_same_ids(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"), mug())
        before = shop.product("shirt")
        report = shop.load(shirt(title="Blouse"), size("M", price="25.00"), mug())
        after = shop.product("shirt")
        assert (report.updated, report.unchanged) == (1, 1)
        assert (after.id, after.title) == (before.id, "Blouse")
        assert [v.id for v in after.variants] == [v.id for v in before.variants]
        assert after.variants[1].price == Money(2500, "EUR")

    def test_only_changed_products_leave_the_cache(self, shop: ImportingShop) -> None:
        shop.load(shirt(), mug())
        shop.cache.forgotten.clear()
        shop.load(shirt(), mug(title="Cup"))
        assert shop.cache.forgotten == [str(shop.product("mug").id), "mug"]

    def test_a_variant_with_other_options_is_known_by_its_sku(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"))
        before = shop.product("shirt").variants
        shop.load(shirt(option1="Small"), size("M"))
        after = shop.product("shirt").variants
        assert [v.id for v in after] == [v.id for v in before]
        assert after[0].options == ("Small",)

    def test_variants_may_swap_their_skus(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"))
        before = shop.product("shirt").variants
        shop.load(shirt(sku="SHIRT-M"), size("M", sku="SHIRT-S"))
        after = shop.product("shirt").variants
        assert [v.id for v in after] == [v.id for v in before]
        assert shop.skus("shirt") == ["SHIRT-M", "SHIRT-S"]

    def test_a_variant_that_the_file_no_longer_names_stays(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"))
        report = shop.load(shirt())
        assert shop.skus("shirt") == ["SHIRT-S", "SHIRT-M"]
        assert "SHIRT-M of this product is not in the file" in notes(report, "Variant SKU")[0]
        assert report.unchanged == 1

    def test_a_variant_that_fits_the_options_no_longer_is_given_up(
        self, shop: ImportingShop
    ) -> None:
        shop.load(shirt(), size("M"))
        report = shop.load(shirt(option2_name="Color", option2="Red"))
        assert shop.skus("shirt") == ["SHIRT-S"]
        assert "no longer sold" in notes(report, "Variant SKU")[0]


class TestSkus:
    def test_a_blank_one_is_made_up_from_handle_and_options(self, shop: ImportingShop) -> None:
        report = shop.load(shirt(sku=""), size("Extra Large", sku=""), mug(sku=""))
        assert shop.skus("shirt") == ["shirt-s", "shirt-extra-large"]
        assert shop.skus("mug") == ["mug"]
        assert notes(report, "Variant SKU")[0] == "is blank; this variant gets shirt-s"
        assert shop.load(shirt(sku=""), size("Extra Large", sku=""), mug(sku="")).unchanged == 2

    def test_the_first_of_a_file_keeps_its_sku(self, shop: ImportingShop) -> None:
        rows = [shirt(sku="X"), size("M", sku="X"), mug(sku="X")]
        report = shop.load(*rows)
        assert (shop.skus("shirt"), shop.skus("mug")) == (["X", "shirt-m"], ["mug"])
        assert notes(report, "Variant SKU") == [
            "is used in line 2; this variant gets shirt-m",
            "is used in line 2; this variant gets mug",
        ]
        again = shop.load(*rows)
        assert (again.unchanged, again.units_moved, again.issues) == (2, 0, report.issues)

    def test_the_first_file_keeps_its_sku(self, shop: ImportingShop) -> None:
        shop.load(shirt(sku="X"))
        report = shop.load(mug(sku="X"))
        assert shop.skus("mug") == ["mug"]
        assert "another product in the shop" in notes(report, "Variant SKU")[0]
        assert shop.load(mug(sku="X")).unchanged == 1
        assert shop.load(shirt(sku="X")).unchanged == 1

    def test_one_made_up_takes_none_that_the_file_names(self, shop: ImportingShop) -> None:
        shop.load(mug(sku=""), shirt(sku="mug"))
        assert shop.skus("shirt") == ["mug"]
        assert shop.skus("mug")[0].startswith("mug-")

    def test_those_made_up_for_two_products_differ(self, shop: ImportingShop) -> None:
        rows = [shirt(sku=""), mug(handle="shirt-s", sku="")]
        rehearsal = shop.load(*rows, dry_run=True)
        assert as_real(rehearsal) == shop.load(*rows)
        assert shop.skus("shirt") == ["shirt-s"]
        assert shop.skus("shirt-s")[0].startswith("shirt-s-")
        assert shop.load(*rows).unchanged == 2

    def test_names_that_cannot_be_spelled_are_told_apart(self, shop: ImportingShop) -> None:
        rows = [shirt(sku="", option1="赤"), size("青", sku="")]
        shop.load(*rows)
        assert len(set(shop.skus("shirt"))) == 2
        assert shop.load(*rows).unchanged == 1

    def test_long_names_make_a_sku_that_fits(self, shop: ImportingShop) -> None:
        shop.load(shirt(handle="h" * 255, sku="", option1="o" * 255))
        (sku,) = shop.skus("h" * 255)
        assert 200 < len(sku) <= 255

    def test_one_that_another_product_gives_up_is_free(self, shop: ImportingShop) -> None:
        shop.load(shirt(sku="X"), mug(sku="M"))
        rows = [shirt(sku="Y"), mug(sku="X")]
        rehearsal = shop.load(*rows, dry_run=True)
        assert as_real(rehearsal) == shop.load(*rows)
        assert (shop.skus("shirt"), shop.skus("mug")) == (["Y"], ["X"])

    def test_one_that_a_staying_variant_holds_is_not_taken(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"))
        report = shop.load(shirt(sku="SHIRT-M"))
        assert shop.skus("shirt") == ["SHIRT-S", "SHIRT-M"]
        assert "another variant of this product" in notes(report, "Variant SKU")[1]


class TestStock:
    def test_the_first_units_are_received_and_later_ones_adjusted(
        self, shop: ImportingShop
    ) -> None:
        shop.load(mug(qty="5"))
        report = shop.load(mug(qty="3"))
        moves = [(move.kind, move.on_hand, move.reason) for move in shop.ledger()]
        assert moves == [
            ("received", 5, "import products.csv"),
            ("adjusted", -2, "import products.csv"),
        ]
        assert (report.updated, report.units_moved) == (1, 2)

    def test_units_promised_to_orders_stay(self, shop: ImportingShop) -> None:
        shop.load(mug(qty="5"))
        shop.sell("mug", 3)
        report = shop.load(mug(qty="1"))
        assert (shop.stock()["MUG"].on_hand, shop.stock()["MUG"].available) == (3, 0)
        assert notes(report, "Variant Inventory Qty") == [
            "is less than the allocated and held units; set to 3"
        ]
        again = shop.load(mug(qty="1"))
        assert (again.unchanged, again.units_moved) == (1, 0)

    def test_what_was_sold_on_credit_may_be_waited_for(self, shop: ImportingShop) -> None:
        shop.load(mug(qty="2", policy="continue"))
        shop.sell("mug", 6)
        report = shop.load(mug(qty="2", policy="deny"))
        level = shop.stock()["MUG"]
        assert (level.on_hand, level.available, level.backorder_limit) == (2, 0, 4)
        assert "4 missing units" in notes(report, "Variant Inventory Policy")[0]
        assert shop.load(mug(qty="2", policy="deny")).unchanged == 1

    def test_selling_on_is_a_change(self, shop: ImportingShop) -> None:
        shop.load(mug())
        assert shop.load(mug(policy="continue")).updated == 1
        assert shop.stock()["MUG"].available == 1_000_005

    def test_a_file_without_quantities_leaves_stock_alone(self, shop: ImportingShop) -> None:
        shop.load(mug(qty="5"))
        report = shop.load(mug(), columns=["Handle", "Title", "Variant Price", "Variant SKU"])
        assert (report.unchanged, shop.stock()["MUG"].on_hand) == (1, 5)

    def test_each_location_has_its_own_shelf(self, shop: ImportingShop) -> None:
        shop.load(mug(qty="5"))
        shop.load(mug(qty="2"), location="attic")
        assert shop.shelves("MUG") == {"main": 5, "attic": 2}

    def test_a_location_without_a_name_is_refused(self, shop: ImportingShop) -> None:
        with pytest.raises(InvalidValueError, match="location"):
            shop.load(mug(), location=" ")


class TestWhatGoesWrong:
    def test_a_file_of_another_kind_changes_nothing(
        self, shop: ImportingShop, tmp_path: Path
    ) -> None:
        path = tmp_path / "other.csv"
        path.write_text("name,price\nmug,1\n")
        with pytest.raises(FileFormatError):
            shop.load_file(path)
        assert shop.stock() == {}

    def test_a_product_that_the_shop_refuses_is_reported_alone(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"), currency="USD")
        report = shop.load(shirt(), {"Handle": "shirt"}, mug())
        assert (report.imported_rows, report.rejected_rows, report.created) == (1, 2, 1)
        (error,) = [issue for issue in report.issues if issue.severity is Severity.ERROR]
        assert (error.line, error.column) == (2, "Option1 Value")
        assert "one currency; none of the product's 2 rows was imported" in error.reason

    def test_rejected_rows_leave_what_is_in_the_shop(self, shop: ImportingShop) -> None:
        shop.load(shirt(), size("M"))
        report = shop.load(shirt(title="Blouse"), size("M", price="x"))
        assert (report.imported_rows, report.rejected_rows) == (1, 1)
        product = shop.product("shirt")
        assert (product.title, product.variants[1].price.minor) == ("Blouse", 2000)

    def test_a_lost_race_is_run_again(self, shop: ImportingShop) -> None:
        shop.failing(ContentionError("deadlock"))
        report = shop.load(shirt(sku=""))
        assert (report.created, len(notes(report, "Variant SKU"))) == (1, 1)

    def test_a_database_that_is_gone_ends_the_import(self, shop: ImportingShop) -> None:
        shop.failing(TransientError("no connection"))
        with pytest.raises(TransientError):
            shop.load(shirt())


class TestTextAndShelves:
    def test_html_is_made_harmless_and_what_is_gone_is_told(self, shop: ImportingShop) -> None:
        report = shop.load(mug(body='<p onclick="x()">Hi<iframe src="x"></iframe></p>'))
        assert shop.product("mug").content.description_html == "<p>Hi</p>"
        assert notes(report, "Body (HTML)") == ["markup removed: iframe"]

    def test_categories_make_a_tree(self, shop: ImportingShop) -> None:
        shop.load(mug(category="Home > Kitchen"), shirt(category="Home > Bath"))
        (home,) = shop.reader.categories()
        assert (home.slug, [c.slug for c in home.children]) == (
            "home",
            ["home-bath", "home-kitchen"],
        )
        assert shop.reader.get("mug").category == "home-kitchen"

    def test_categories_that_sound_alike_are_two(self, shop: ImportingShop) -> None:
        rows = [mug(category="A > B-C"), shirt(category="A-B > C")]
        shop.load(*rows)
        assert shop.reader.get("mug").category == "a-b-c"
        assert str(shop.reader.get("shirt").category).startswith("a-b-c-")
        assert shop.load(*rows).unchanged == 2

    @pytest.mark.parametrize("path", ["Одежда > Рубашки", " > ".join(["x" * 250] * 9)])
    def test_any_name_makes_a_category(self, shop: ImportingShop, path: str) -> None:
        shop.load(mug(category=path))
        slug = shop.reader.get("mug").category
        assert slug is not None
        assert len(slug) <= 255
        assert shop.load(mug(category=path)).unchanged == 1


SKUS = st.sampled_from(["", "", "A", "B", "shirt-m", "mug", "shirt-s"])


@st.composite
def catalogs(draw: st.DrawFn) -> list[Cells]:
    """Files in which SKUs are short, few and disputed."""
    rows: list[Cells] = []
    for handle in draw(st.lists(st.sampled_from(["shirt", "mug", "hat"]), unique=True)):
        for index, value in enumerate(draw(st.lists(st.sampled_from("SML"), unique=True))):
            cells = {"handle": handle, "sku": draw(SKUS), "qty": draw(st.sampled_from("0129"))}
            rows.append(shirt(option1=value, **cells) if index == 0 else size(value, **cells))
    return rows


class TestAnyFile:
    @given(catalogs())
    def test_importing_it_again_changes_nothing(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[Cells]
    ) -> None:
        shop = ImportingShop(tmp_path_factory.mktemp("any"))
        first = shop.load(*rows)
        again = shop.load(*rows)
        assert again.unchanged == first.created
        assert (again.units_moved, again.issues) == (0, first.issues)

    @given(catalogs(), catalogs())
    def test_a_dry_run_tells_what_will_happen(
        self, tmp_path_factory: pytest.TempPathFactory, old: list[Cells], new: list[Cells]
    ) -> None:
        shop = ImportingShop(tmp_path_factory.mktemp("any"))
        shop.load(*old)
        rehearsal = shop.load(*new, dry_run=True)
        assert as_real(rehearsal) == shop.load(*new)
