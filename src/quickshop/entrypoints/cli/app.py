"""The `quickshop` command.

Commands do slow imports when they run, so that help appears at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from quickshop.entrypoints.cli import (
    catalog,
    database,
    demo,
    doctor,
    fulfillment,
    imports,
    jobs,
    keys,
    orders,
    payments,
    processes,
    stock,
    users,
)
from quickshop.entrypoints.cli.failures import ClearFailures, drop_output
from quickshop.entrypoints.cli.output import say

app = typer.Typer(
    cls=ClearFailures,
    name="quickshop",
    help="Run a shop from the command line. Settings come from QUICKSHOP_* environment variables.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("serve")(processes.serve)
app.command("worker")(processes.worker)
app.command("relay")(processes.relay)
app.command("migrate")(database.migrate)
app.add_typer(imports.app, name="import")
app.command("products")(catalog.products)
orders.app.command("fulfill")(fulfillment.fulfill)
orders.app.command("complete")(fulfillment.complete)
orders.app.command("note")(fulfillment.note)
orders.app.command("capture")(payments.capture)
orders.app.command("void")(payments.void)
orders.app.command("refund")(payments.refund)
app.add_typer(orders.app, name="orders")
app.add_typer(payments.app, name="payments")
app.add_typer(stock.app, name="stock")
app.add_typer(jobs.app, name="jobs")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow

        try:
            say(f"quickshop {version('quickshop')}")
        except PackageNotFoundError:
            say("quickshop, not installed as a package")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Show the help if no command is given."""
    if context.invoked_subcommand is None:
        say(context.get_help())


def main() -> None:
    """Run the command line, then end the process."""
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal cannot show must not cause a failure.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app()
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            drop_output()
