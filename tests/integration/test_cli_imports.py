"""Bringing products in from the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli_runs import Terminal, terminal_in

HEADER = (
    "Variant Inventory Tracker,Handle,Title,Published,Option1 Name,Option1 Value,Variant SKU,"
    "Variant Inventory Qty,Variant Price"
)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return terminal_in(tmp_path)


def a_file(folder: Path, *rows: str) -> str:
    """A product file whose stock is tracked; rows begin with the handle."""
    path = folder / "products.csv"
    path.write_text(
        "\n".join([HEADER, *(f"shopify,{row}" for row in rows)]) + "\n", encoding="utf-8"
    )
    return str(path)


def test_the_sample_catalog_ships_with_the_package(terminal: Terminal):
    done = terminal.run("import", "shopify", "--sample", "--json")
    assert done.code == 0
    report = done.json
    assert report["imported_rows"] == report["rows"] > 0
    assert report["rejected_rows"] == 0
    assert len(terminal.run("products", "--limit", "99", "--json").json["items"]) == 11


def test_importing_again_changes_nothing(terminal: Terminal):
    terminal.run("import", "shopify", "--sample")
    again = terminal.run("import", "shopify", "--sample", "--json").json
    assert (again["created"], again["updated"], again["units_moved"]) == (0, 0, 0)


def test_the_terminal_is_told_what_became_of_the_file(terminal: Terminal):
    done = terminal.run("import", "shopify", "--sample")
    assert "markup removed: iframe" in done.out
    assert "units moved" in done.out
    assert (done.code, done.err) == (0, "")


def test_a_dry_run_changes_nothing(terminal: Terminal):
    done = terminal.run("import", "shopify", "--sample", "--dry-run")
    assert "this was a dry run" in done.out
    assert terminal.run("products", "--json").json["items"] == []


def test_rejected_rows_are_all_listed(terminal: Terminal, tmp_path: Path):
    rows = [f"p{n},P{n},true,Title,Default Title,SKU-{n},1,none" for n in range(30)]
    file = a_file(tmp_path, "good,Good,true,Title,Default Title,GOOD,1,2.00", *rows)
    done = terminal.run("import", "shopify", file)
    assert done.code == 0, "what could be imported was"
    assert "30 of 31 rows were not imported" in done.err
    listed = [line.split()[0] for line in done.out.splitlines() if "Variant Price" in line]
    assert listed == [str(line) for line in range(3, 33)]
    report = terminal.run("import", "shopify", file, "--json").json
    assert {issue["severity"] for issue in report["issues"]} == {"error"}


def test_a_file_of_which_nothing_can_be_imported_is_a_failure(terminal: Terminal, tmp_path: Path):
    file = a_file(tmp_path, "p,P,true,Title,Default Title,SKU,1,none")
    assert terminal.run("import", "shopify", file).code == 1


def test_notes_beyond_twenty_are_counted(terminal: Terminal, tmp_path: Path):
    file = a_file(tmp_path, *(f"p{n},P{n},true,Title,Default Title,,1,1.00" for n in range(25)))
    done = terminal.run("import", "shopify", file)
    assert "5 more notes: use --json or --report FILE.csv to see all" in done.out
    assert len(terminal.run("import", "shopify", file, "--json").json["issues"]) == 25


def test_a_report_file_holds_every_issue(terminal: Terminal, tmp_path: Path):
    file = a_file(tmp_path, *(f"p{n},P{n},true,Title,Default Title,,1,1.00" for n in range(25)))
    report = tmp_path / "issues.csv"
    terminal.run("import", "shopify", file, "--report", str(report))
    with report.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert (len(rows), rows[0]["line"], rows[0]["severity"]) == (25, "2", "note")
    refused = terminal.run("import", "shopify", file, "--report", str(tmp_path))
    assert (refused.code, refused.err) == (1, f"quickshop: {tmp_path}: Is a directory\n")


def test_prices_are_in_the_currency_named(terminal: Terminal, tmp_path: Path):
    file = a_file(tmp_path, "p,P,true,Title,Default Title,SKU,1,1500")
    assert terminal.run("import", "shopify", file, "--currency", "jpy").code == 0
    found = terminal.run("products", "--json").json["items"][0]
    assert found["variants"][0]["price"] == {"amount": 1500, "currency": "JPY"}
    assert "¥1,500" in terminal.run("products").out


def test_stock_goes_to_the_location_named(terminal: Terminal, tmp_path: Path):
    file = a_file(tmp_path, "p,P,true,Title,Default Title,SKU,7,1.00")
    terminal.run("import", "shopify", file, "--location", "cellar")
    level = terminal.run("stock", "show", "SKU", "--json").json["items"][0]
    assert (level["location"], level["on_hand"]) == ("cellar", 7)


@pytest.mark.parametrize("code", ["XZZ", "dollar", "", "$"])
def test_an_unknown_currency_is_refused(terminal: Terminal, tmp_path: Path, code: str):
    file = a_file(tmp_path, "p,P,true,Title,Default Title,SKU,1,1.00")
    done = terminal.run("import", "shopify", file, "--currency", code)
    assert done.code == 1
    assert done.err == "quickshop: currency: must be an ISO 4217 code such as USD, EUR or JPY\n"


def test_a_file_that_is_something_else_changes_nothing(terminal: Terminal, tmp_path: Path):
    other = tmp_path / "other.csv"
    other.write_text("name,age\nAda,36\n", encoding="utf-8")
    for wrong in (other, tmp_path, tmp_path / "missing.csv"):
        done = terminal.run("import", "shopify", str(wrong))
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("quickshop: ")
        assert done.err.count("\n") == 1
    assert terminal.run("products", "--json").json["items"] == []


def test_exactly_one_source_has_to_be_named(terminal: Terminal):
    assert terminal.run("import", "shopify").code == 2
    assert terminal.run("import", "shopify", "a.csv", "--sample").code == 2
    assert terminal.run("import", "magento", "a.csv").code == 2
