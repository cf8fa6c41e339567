"""`quickshop demo`: a day in the life of a shop, checked as it is told."""

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
"""What an embedded shop consists of: its database, the sandbox gateway's book, its mails."""


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Put the shop there: a new or an empty folder."),
    ] = None,
) -> None:
    """Open a shop, sell from it, and check that all of it adds up.

    Needs no server and no network. Afterwards the shop is left where `quickshop serve` finds it,
    unless one is there already. Exit code 0 only when every claim that is printed is true.
    """
    from quickshop.entrypoints.cli.demo_account import tell  # noqa: PLC0415 - brings the shop along
    from quickshop.entrypoints.cli.demo_claims import claims_of  # noqa: PLC0415 - as above
    from quickshop.entrypoints.cli.demo_story import live_a_day  # noqa: PLC0415 - as above

    with _folder(keep) as folder:
        day = live_a_day(_settings_in(folder))
        claims = claims_of(day)
        tell(day, claims)
        if all(claim.ok for claim in claims):
            _say_what_next(keep, _leave_for_serve(folder) if keep is None else None)
    conclude(claims)


def conclude(claims: Sequence[Claim]) -> None:
    """Say which claims are false.

    Raises:
        typer.Exit: with 1, when one is.
    """
    wrong = [claim for claim in claims if not claim.ok]
    for claim in wrong:
        complain(f"not true: {claim.text} ({claim.detail})")
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
    """An embedded shop, whatever the environment says, with little patience for the gateway."""
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
    """Move the shop to where the settings look for one; None when something is there already."""
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
    """What is left of a shop that is no longer here, and would spoil another one."""
    from quickshop.entrypoints.cli.database import file_of  # noqa: PLC0415 - as above

    file = file_of(load_settings())
    if file is None or file.name != DATABASE or file.exists():
        return None
    return next((name for name in LEFTOVERS if (file.parent / name).exists()), None)


def _say_what_next(keep: Path | None, left: Path | None) -> None:
    command = _own_name()
    if keep is not None:
        where = shlex.quote(f"sqlite:///{keep / DATABASE}")
        say(f"The shop is in {keep}. What to type next:", "")
        say(f"    export QUICKSHOP_DATABASE_URL={where}")
    elif left is not None:
        say(f"The shop was left in {left}. What to type next:", "")
    elif (stray := _stray()) is not None:
        say(f"{stray} is here already, and no shop, so this one was not kept. Move it away, or:")
        say("", f"    {command} demo --keep DIR")
        return
    else:
        say("A shop is here already, so this one was not kept. To keep the next one:", "")
        say(f"    {command} demo --keep DIR", "", "For the shop that is here:", "")
    say(
        f"    {command} serve            the HTTP API of that shop; try it at /docs",
        f"    {command} orders           what was bought; then: orders show 1001",
        f"    {command} stock show       what is left",
        f"    {command} doctor           whether every promise holds",
        f"    {command} import shopify products.csv    your own catalog",
    )


def _own_name() -> str:
    """How this command is called: through the bootstrap of its sources, if that is there."""
    bootstrap = Path(sys.prefix).parent / "shop"
    if not bootstrap.is_file():
        return "quickshop"
    near = bootstrap.parent == Path.cwd()
    return f"python3 {shlex.quote('shop' if near else str(bootstrap))}"
