"""Which files are a Shopify product export, and what becomes of their rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.adapters.shopify.feed import ShopifyFeedReader
from quickshop.domain.catalog import VariantContent
from quickshop.domain.errors import FileFormatError, InvalidValueError
from quickshop.domain.money import Money
from quickshop.ports.imports import Severity, VariantDraft
from tests.unit.shopify_rows import (
    COLUMNS,
    Cells,
    Files,
    as_csv,
    errors,
    mug,
    notes,
    shirt,
    size,
)

SAMPLE = Path(__file__).parents[2] / "src/quickshop/entrypoints/cli/sample_catalog.csv"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class TestAFileThatIsNoShopifyExport:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty"),
            (b"\xef\xbb\xbf\r\n \r\n", "is empty"),
            (
                b"name,price\nMug,3\n",
                "no column Handle or Title; it begins with 'name', 'price'. ",
            ),
            (b"Handle,Title\nmug,Mug\n", "no column Variant Price; it begins with 'Handle'"),
            (b"Handle;Title;Variant Price\nmug;Mug;3\n", "separated by semicolons"),
            (b"Handle\tTitle\tVariant Price\nmug\tMug\t3\n", "separated by tabs"),
            ("Handle,Title,Variant Price\nmug,Café,3\n".encode("latin-1"), "UTF-8 on line 2"),
            ("Handle,Title,Variant Price\nmug,Mug,3\n".encode("utf-16"), "is text in UTF-16"),
            ("Handle,Title,Variant Price\n".encode("utf-16-le"), "contains NUL bytes"),
            (b"PK\x03\x04rest", "is a spreadsheet workbook"),
            (b"\x7fELF\x02\x01\x01\x00\x00\x00", "contains NUL bytes"),
            (
                b'Handle,Title,Variant Price\na,A,1\nb,"B,2\nc,C,3\n',
                "starts on line 3 has a misplaced quote",
            ),
            (b'Handle,Title,Variant Price\na,"A" x,1\n', "starts on line 2 has a misplaced quote"),
        ],
    )
    def test_is_refused_with_what_was_found(self, files: Files, content: bytes, said: str) -> None:
        assert said in files.refusal(content)

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match="is a folder"):
            ShopifyFeedReader()(tmp_path, currency="USD")

    @pytest.mark.parametrize("name", ["missing.csv", "nul\0.csv", "x" * 5000])
    def test_a_file_that_is_not_there_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(FileFormatError, match="cannot be read"):
            ShopifyFeedReader()(tmp_path / name, currency="USD")

    def test_a_file_that_is_too_large_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.csv"
        with path.open("wb") as file:
            file.truncate(100 * 1024 * 1024 + 1)
        with pytest.raises(FileFormatError, match="larger than 100 MB"):
            ShopifyFeedReader()(path, currency="USD")

    def test_a_currency_that_is_none_is_refused(self, files: Files) -> None:
        with pytest.raises(InvalidValueError, match="ISO 4217"):
            files.items(as_csv([mug()]), currency="dollar")


class TestTheFile:
    def test_a_header_alone_is_a_catalog_of_nothing(self, files: Files) -> None:
        (item,) = files.items(as_csv([]))
        assert (item.draft, item.rows) == (None, 0)
        assert "has no rows after it" in item.issues[-1].reason

    def test_a_byte_order_mark_and_windows_line_ends_change_nothing(self, files: Files) -> None:
        plain = files.items(as_csv([mug(), shirt()]))
        windows = as_csv([mug(), shirt()]).replace("\n", "\r\n")
        assert files.items(b"\xef\xbb\xbf" + windows.encode()) == plain
        assert files.items(windows.replace("\r\n", "\r")) == plain

    def test_capitals_and_spaces_in_the_header_do_not_matter(self, files: Files) -> None:
        text = "HANDLE, title ,variant  PRICE\nmug,Mug,3\n"
        assert files.items(text)[1].draft is not None

    def test_the_columns_of_newer_exports_are_understood(self, files: Files) -> None:
        text = (
            "Title,URL handle,Description,Status,SKU,Price,Compare-at price,Inventory quantity,"
            "Weight value (grams),Product image URL,Continue selling when out of stock\n"
            "Mug,mug,<p>Blue</p>,Active,M-1,3.50,4,7,250,https://example.com/m.jpg,DENY\n"
        )
        draft = files.items(text)[1].draft
        assert draft is not None
        assert (draft.content.handle, draft.content.description_html, draft.content.published) == (
            "mug", "<p>Blue</p>", True,
        )  # fmt: skip
        assert draft.variants[0] == VariantDraft(
            line=2,
            content=VariantContent(
                sku="M-1",
                price=Money(350, "USD"),
                compare_at_price=Money(400, "USD"),
                weight_grams=250,
            ),
            on_hand=7,
        )

    def test_a_column_that_is_not_used_is_told_once(self, files: Files) -> None:
        _, issues = files.read(mug(**{"cost per item": "1"}), shirt(**{"cost per item": "2"}))
        (note,) = [issue for issue in issues if issue.column == "Cost Per Item"]
        assert (note.line, note.severity) == (1, Severity.NOTE)

    def test_a_column_that_is_not_used_and_blank_is_not_worth_a_word(self, files: Files) -> None:
        text = "Handle,Title,Variant Price,Nothing\nmug,Mug,3,\n"
        assert not [i for i in files.items(text)[0].issues if i.column == "Nothing"]

    def test_of_two_columns_of_one_name_the_first_counts(self, files: Files) -> None:
        items = files.items("Handle,Title,Title,Variant Price\nmug,Mug,Cup,3\n")
        assert items[1].draft is not None
        assert items[1].draft.content.title == "Mug"
        assert "Title" in {issue.column for issue in items[0].issues}

    def test_without_a_quantity_column_stock_is_left_alone(self, files: Files) -> None:
        items = files.items("Handle,Title,Variant Price\nmug,Mug,3\n")
        assert items[1].draft is not None
        assert items[1].draft.variants[0].on_hand is None
        assert items[1].draft.variants[0].backorder_limit == 0
        assert "existing stock is kept" in notes(list(items[0].issues), "Variant Inventory Qty")[0]

    def test_lines_are_where_rows_start_also_after_embedded_newlines(self, files: Files) -> None:
        _, issues = files.read(
            mug(body='<p>one\r\ntwo\n"three"</p>'), shirt(), size("M", price="$5")
        )
        (error,) = errors(issues)
        assert files.path.read_bytes().splitlines()[error.line - 1].startswith(b"shirt,,,")
        assert error.line == 6

    def test_empty_lines_are_no_rows(self, files: Files) -> None:
        text = "Handle,Title,Variant Price\n\nmug,Mug,3\n\n\n"
        (_, item) = files.items(text)
        assert item.draft is not None
        assert (item.draft.line, item.rows) == (3, 1)

    def test_a_megabyte_in_one_field_is_read(self, files: Files) -> None:
        html = "<p>" + "x" * 1_200_000 + "</p>"
        assert files.product(mug(body=html)).content.description_html == html

    def test_reading_twice_gives_the_same(self, files: Files) -> None:
        files.path.write_text(as_csv([mug(), shirt(), size("M", price="?")]))
        feed = ShopifyFeedReader()(files.path, currency="USD")
        assert list(feed) == list(feed)


class TestRows:
    def test_a_shifted_row_is_rejected(self, files: Files) -> None:
        text = as_csv([shirt(), size("M"), size("L")]).replace("SHIRT-M", "SHIRT,M")
        draft, issues = files.items(text)[1].draft, files.items(text)[1].issues
        assert draft is not None
        assert [v.content.sku for v in draft.variants] == ["SHIRT-S", "SHIRT-L"]
        assert (draft.rows, errors(list(issues))[0].line) == (2, 3)
        assert "fields" in errors(list(issues))[0].reason

    def test_a_row_that_ends_early_counts_as_blank_from_there(self, files: Files) -> None:
        text = "Handle,Title,Variant Price,Vendor,Tags\nmug,Mug,3\n"
        item = files.items(text)[1]
        assert item.draft is not None
        assert "3 fields, but the header has 5" in item.issues[0].reason

    def test_a_row_without_a_handle_is_rejected_alone(self, files: Files) -> None:
        drafts, issues = files.read(mug(), mug(handle=" "), {}, shirt())
        assert [draft.content.handle for draft in drafts] == ["mug", "shirt"]
        assert [(e.line, e.column) for e in errors(issues)] == [(3, "Handle"), (4, "Handle")]

    @pytest.mark.parametrize(
        ("written", "handle"),
        [("Blue Shirt", "blue-shirt"), ("a/b?c", "a-b-c"), ("хлеб", "хлеб"), ("A_b", "A_b")],
    )
    def test_a_handle_becomes_one_that_can_stand_in_an_address(
        self, files: Files, written: str, handle: str
    ) -> None:
        (draft,), issues = files.read(mug(handle=written))
        assert draft.content.handle == handle
        assert bool(notes(issues, "Handle")) == (written != handle)

    @pytest.mark.parametrize("handle", ["///", "x" * 256, "0190a1b2-0000-7000-8000-000000000001"])
    def test_a_handle_that_cannot_be_one_is_an_error(self, files: Files, handle: str) -> None:
        assert "must be a slug" in files.error(mug(handle=handle)).reason

    def test_the_rows_of_a_product_need_not_stand_together(self, files: Files) -> None:
        drafts, issues = files.read(shirt(), mug(), size("M"))
        assert [(d.content.handle, d.rows) for d in drafts] == [("shirt", 2), ("mug", 1)]
        assert not errors(issues)

    def test_the_row_with_the_title_may_come_later(self, files: Files) -> None:
        draft = files.product(size("M"), shirt())
        assert (draft.content.title, draft.line) == ("Shirt", 3)
        assert [variant.content.options for variant in draft.variants] == [("M",), ("S",)]

    def test_another_title_for_the_same_handle_is_told_and_not_used(self, files: Files) -> None:
        (draft,), issues = files.read(shirt(), size("M", title="Blouse"))
        assert (draft.content.title, draft.rows) == ("Shirt", 2)
        assert notes(issues, "Title") == ["was ignored: the value on line 2 is used"]

    def test_a_row_that_says_nothing_is_told(self, files: Files) -> None:
        (draft,), issues = files.read(shirt(), {"Handle": "shirt"})
        assert draft.rows == 2
        assert "no variant and no image" in notes(issues, "Handle")[0]

    def test_control_characters_are_left_out_and_told(self, files: Files) -> None:
        (draft,), issues = files.read(mug(vendor="A\0B", sku="\x01"))
        assert (draft.content.vendor, draft.variants[0].content.sku) == ("AB", "")
        assert notes(issues, "Vendor") == notes(issues, "Variant SKU")
        assert notes(issues, "Vendor") == ["has control characters, which were removed"]

    def test_a_bad_first_row_rejects_every_row_of_its_product(self, files: Files) -> None:
        drafts, issues = files.read(
            shirt(price="free"), size("M"), {"Handle": "shirt", "Image Src": "x"}, mug()
        )
        assert [draft.content.handle for draft in drafts] == ["mug"]
        assert [(e.line, e.column) for e in errors(issues)] == [
            (2, "Variant Price"),
            (3, "Handle"),
            (4, "Handle"),
        ]
        assert "line 2" in errors(issues)[1].reason

    def test_a_product_without_a_title_is_rejected(self, files: Files) -> None:
        assert files.error(mug(title="")).column == "Title"
        assert files.error(mug(title="\u200b")).column == "Title"

    def test_every_wrong_cell_of_a_row_is_told(self, files: Files) -> None:
        _, issues = files.read(mug(price="x", qty="many", shipping="maybe", grams="-1"))
        assert {issue.column for issue in errors(issues)} == {
            "Variant Price", "Variant Inventory Qty", "Variant Requires Shipping",
            "Variant Grams",
        }  # fmt: skip


class TestWhateverStandsInAFile:
    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(COLUMNS),
                st.one_of(
                    st.text(max_size=8),
                    st.sampled_from(["shirt", "mug", "1", "-1", "true", "9.99", "Title", "a,b"]),
                ),
            ),
            max_size=6,
        )
    )
    def test_every_row_is_accounted_for(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[Cells]
    ) -> None:
        files = Files(tmp_path_factory.mktemp("any"))
        text = as_csv(rows).encode("utf-8", "replace")
        items = files.items(text)
        drafts = [item.draft for item in items if item.draft]
        assert all(
            draft.content.title and draft.content.handle and draft.variants for draft in drafts
        )
        assert len({draft.content.handle for draft in drafts}) == len(drafts)

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_feed_or_a_refusal(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        files = Files(tmp_path_factory.mktemp("any"))
        prefix = b"Handle,Title,Variant Price\n"
        for content in (data, prefix + data):
            try:
                files.items(content)
            except FileFormatError as refusal:
                assert str(refusal)  # noqa: PT017


class TestTheSampleCatalog:
    def test_it_has_a_bit_of_everything(self) -> None:
        feed = ShopifyFeedReader()(SAMPLE, currency="USD")
        drafts = [item.draft for item in feed if item.draft]
        variants = [variant for draft in drafts for variant in draft.variants]
        assert (feed.rows, len(drafts), len(variants)) == (26, 12, 25)
        assert not errors([issue for item in feed for issue in item.issues])
        assert [draft.content.handle for draft in drafts if not draft.content.published] == [
            "winter-gift-box"
        ]
        assert [variant.line for variant in variants if not variant.content.sku] == [26]
        assert {0, 1, 200} <= {variant.on_hand for variant in variants}
