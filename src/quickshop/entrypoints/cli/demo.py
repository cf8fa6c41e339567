"""`quickshop demo`: a simulated day in a shop, with checks of the results."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from quickshop.domain.errors import InvalidValueError
from quickshop.entrypoints.cli.context import load_settings
from quickshop.entrypoints.cli.failures import FAILED
from quickshop.entrypoints.cli.output import complain, say

if TYPE_CHECKING:
    from quickshop.entrypoints.cli.demo_claims import Claim
    from quickshop.settings import Settings

DATABASE: Final = "quickshop.db"
LEFTOVERS: Final = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "quickshop-sandbox.db", "mail")
"""The files of an embedded shop: its database, the sandbox gateway's book and its emails."""


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the shop in this new or empty folder."),
    ] = None,
) -> None:
    """Run a demo shop with five shoppers, and check every result.

    Needs no server and no network. Afterwards the shop stays where `quickshop serve` finds it,
    unless a shop exists there. Exit code 0 only if every check passes.
    """
    from quickshop.entrypoints.cli.demo_account import print_day  # noqa: PLC0415 - slow to import
    from quickshop.entrypoints.cli.demo_claims import claims_of  # noqa: PLC0415 - as above
    from quickshop.entrypoints.cli.demo_story import live_a_day  # noqa: PLC0415 - as above

    with _folder(keep) as folder:
        day = live_a_day(_settings_in(folder))
        claims = claims_of(day)
        print_day(day, claims)
        if all(claim.ok for claim in claims):
            _print_next_commands(keep, _leave_for_serve(folder) if keep is None else None)
    conclude(claims)


def conclude(claims: Sequence[Claim]) -> None:
    """Print the claims that are false.

    Raises:
        typer.Exit: a claim is false; the code is 1.
    """
    wrong = [claim for claim in claims if not claim.ok]
    for claim in wrong:
        complain(f"false: {claim.text} ({claim.detail})")
    if wrong:
        raise typer.Exit(FAILED)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with TemporaryDirectory(prefix="quickshop-demo-") as name:
            yield Path(name)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise InvalidValueError("--keep", "must name a new or an empty folder")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def _settings_in(folder: Path) -> Settings:
    """Return the settings of an embedded shop, independent of the environment."""
    return load_settings(
        database_url=f"sqlite:///{folder / DATABASE}",
        redis_url=None,
        broker_url=None,
        smtp_host=None,
        mail_dir=str(folder / "mail"),
        sandbox_book=str(folder / "quickshop-sandbox.db"),
        currency="USD",
        location="main",
        payment_patience_seconds=0.4,
        sweep_seconds=0.2,
        poll_seconds=0.1,
    )


def _leave_for_serve(folder: Path) -> Path | None:
    """Move the shop to the place that the settings name; None if files are there already."""
    from quickshop.entrypoints.cli.database import file_of  # noqa: PLC0415 - as above

    settings = load_settings()
    file = file_of(settings)
    if file is None or settings.mail_dir or settings.sandbox_book or file.name != DATABASE:
        return None
    home = file.parent
    taken = any((home / name).exists() for name in LEFTOVERS)
    if taken or not os.access(home, os.W_OK):
        return None
    for name in LEFTOVERS:
        if (folder / name).exists():
            shutil.move(folder / name, home / name)
    return file


def _stray() -> str | None:
    """Return the name of a leftover of a deleted shop, which would damage another shop."""
    from quickshop.entrypoints.cli.database import file_of  # noqa: PLC0415 - as above

    file = file_of(load_settings())
    if file is None or file.name != DATABASE or file.exists():
        return None
    return next((name for name in LEFTOVERS if (file.parent / name).exists()), None)


def _print_next_commands(keep: Path | None, left: Path | None) -> None:
    command = _own_name()
    if keep is not None:
        where = shlex.quote(f"sqlite:///{keep / DATABASE}")
        say(f"The shop is in {keep}. Next commands:", "")
        say(f"    export QUICKSHOP_DATABASE_URL={where}")
    elif left is not None:
        say(f"The shop is in {left}. Next commands:", "")
    elif (stray := _stray()) is not None:
        say(f"The shop was not kept: {stray} exists without a shop. Remove it, or run:")
        say("", f"    {command} demo --keep DIR")
        return
    else:
        say("The shop was not kept: another one exists here. To keep it elsewhere:", "")
        say(f"    {command} demo --keep DIR", "", "For the existing shop:", "")
    say(
        f"    {command} serve            the HTTP API of the shop; try it at /docs",
        f"    {command} orders           the orders; for one: orders show 1001",
        f"    {command} stock show       the stock",
        f"    {command} doctor           check the shop",
        f"    {command} import shopify products.csv    import your catalog",
    )


def _own_name() -> str:
    """Return the command to type: the script of the source tree, if there is one."""
    bootstrap = Path(sys.prefix).parent / "shop"
    if not bootstrap.is_file():
        return "quickshop"
    near = bootstrap.parent == Path.cwd()
    return f"python3 {shlex.quote('shop' if near else str(bootstrap))}"
