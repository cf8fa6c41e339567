"""Imports that run at the same time, and while shoppers buy, lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quickshop.application.imports import ImportReport
from tests.integration.buyers import open_buyers, problems

HEADER = (
    "Handle,Title,Type,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty"
)


def a_file(folder: Path, name: str, *, first: int, last: int) -> Path:
    rows = [
        f"thing-{n},Thing {n},Kind {n % 3},SKU-{n},{n}.50,shopify,{n}" for n in range(first, last)
    ]
    file = folder / name
    file.write_text("\n".join([HEADER, *rows]))
    return file


def test_files_imported_at_the_same_time_arrive_whole(
    any_database_url: str, tmp_path: Path
) -> None:
    files = [
        a_file(tmp_path, "one.csv", first=1, last=40),
        a_file(tmp_path, "same.csv", first=1, last=40),
        a_file(tmp_path, "other.csv", first=30, last=70),
    ]
    with open_buyers(any_database_url, tmp_path) as buyers:

        def bring(file: Path) -> ImportReport:
            return buyers.shop.products.import_file(file, currency="USD")

        with ThreadPoolExecutor(3) as pool:
            reports = list(pool.map(bring, files))
        assert [report.rejected_rows for report in reports] == [0, 0, 0]
        assert [bring(file).unchanged for file in files] == [39, 39, 40]
        levels = buyers.shop.inventory.list(limit=100).items
        assert {level.sku: level.on_hand for level in levels} == {
            f"SKU-{n}": n for n in range(1, 70)
        }
        assert problems(buyers.shop) == []
