"""`quickshop import`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from quickshop.application.imports import ImportReport
from quickshop.domain.errors import InvalidValueError
from quickshop.entrypoints.cli.context import load_settings, opened_shop
from quickshop.entrypoints.cli.failures import FAILED
from quickshop.entrypoints.cli.options import AsJson
from quickshop.entrypoints.cli.output import (
    add_row,
    complain,
    console,
    print_json,
    say,
    show,
    table,
)
from quickshop.ports.imports import RowIssue, Severity

app = typer.Typer(help="Import products from files.", no_args_is_help=True)

MAX_NOTES: Final = 20
"""Maximum number of notes on the terminal; all errors are shown."""
SAMPLE_CURRENCY: Final = "USD"

_SUMMARY: Final = (
    "rows",
    "imported_rows",
    "rejected_rows",
    "created",
    "updated",
    "unchanged",
    "variants",
    "units_moved",
)
_FORMULA: Final = ("=", "+", "-", "@")


@app.callback()
def formats() -> None:
    """Import products from files."""


@app.command("shopify")
def shopify(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE.csv", help="The product export.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency of its prices (ISO 4217); by default the shop's.")
    ] = None,
    location: Annotated[
        str | None, typer.Option(help="Location of its stock; by default the shop's.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the file and report, but change nothing.")
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Import the sample catalog of QuickShop.")
    ] = False,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.csv", help="Write all issues to this file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a Shopify product export. Importing it again updates the products.

    Rejected rows are listed; the exit code is still 0. It is 1 if no row was imported or the file
    has another format; then nothing has changed.
    """
    if sample == (file is not None):
        raise typer.BadParameter("give one file, or --sample")
    settings = load_settings()
    code = known_currency(settings.currency if currency is None else currency)
    if sample:
        code = SAMPLE_CURRENCY
    with ExitStack() as open_now:
        path = file or open_now.enter_context(sample_catalog())
        shop = open_now.enter_context(opened_shop(settings))
        progress = open_now.enter_context(_progress(silent=as_json))
        report = shop.products.import_file(
            path, currency=code, location=location, dry_run=dry_run, progress=progress
        )
    if report_file is not None:
        write_issues(report_file, report.issues)
    if as_json:
        print_json(report)
    else:
        _show(report)
    if report.rows and not report.imported_rows:
        raise typer.Exit(FAILED)


@contextmanager
def sample_catalog() -> Iterator[Path]:
    """Open the sample catalog of the package as a file."""
    with as_file(files(__package__) / "sample_catalog.csv") as path:
        yield path


def known_currency(code: str) -> str:
    """Return the currency code in capital letters.

    Raises:
        InvalidValueError: the currency is unknown.
    """
    from babel.numbers import is_currency  # noqa: PLC0415 - slow to import

    code = code.strip().upper()
    if not is_currency(code):
        raise InvalidValueError("currency", "must be an ISO 4217 code such as USD, EUR or JPY")
    return code


@contextmanager
def _progress(*, silent: bool) -> Iterator[Callable[[int, int], None] | None]:
    target = console(stderr=True)
    if silent or not target.is_terminal:
        yield None
        return
    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=target, transient=True) as bar:
        task = bar.add_task("rows", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def write_issues(path: Path, issues: Sequence[RowIssue]) -> None:
    """Write issues as CSV without formulas that a spreadsheet would run.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "column", "severity", "reason"))
        for issue in issues:
            column, reason = _harmless(issue.column), _harmless(issue.reason)
            writer.writerow((issue.line, column, issue.severity.value, reason))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _show(report: ImportReport) -> None:
    errors = [issue for issue in report.issues if issue.severity is Severity.ERROR]
    notes = [issue for issue in report.issues if issue.severity is Severity.NOTE]
    _show_issues("Not imported", errors)
    _show_issues("Imported, with a note", notes[:MAX_NOTES])
    if len(notes) > MAX_NOTES:
        say(
            f"{len(notes) - MAX_NOTES} more notes: use --json or --report FILE.csv to see all.", ""
        )
    show(_summary(report))
    if report.rejected_rows:
        sys.stdout.flush()
        complain(f"{report.rejected_rows} of {report.rows} rows were not imported; see above")
    if report.dry_run:
        say("Nothing was changed: this was a dry run.")


def _show_issues(title: str, issues: Sequence[RowIssue]) -> None:
    if not issues:
        return
    say(f"{title}:")
    listing = table("Line", "Column", "Reason", numbers=("Line",))
    for issue in issues:
        add_row(listing, issue.line, issue.column, issue.reason)
    show(listing)


def _summary(report: ImportReport) -> Table:
    listing = table("Result", "Count", numbers=("Count",))
    for name in _SUMMARY:
        add_row(listing, name.replace("_", " "), getattr(report, name))
    return listing
