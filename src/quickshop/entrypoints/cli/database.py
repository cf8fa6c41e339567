"""`quickshop migrate`, and what a database says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quickshop.entrypoints.cli.context import address_of, load_settings
from quickshop.entrypoints.cli.output import say

if TYPE_CHECKING:
    from quickshop.settings import Settings


def migrate() -> None:
    """Bring the database up to date. Safe to repeat, and to run from several places at once."""
    from quickshop.container import migrate_database  # noqa: PLC0415 - brings the database along

    settings = load_settings()
    where = address_of(settings.database_url)
    if keeps_nothing(settings):
        say(f"{where} keeps nothing, so there is nothing to migrate.")
        return
    before = revision_of(settings)
    migrate_database(settings)
    after = revision_of(settings)
    if before == after:
        say(f"{where} is at revision {after} already.")
    else:
        say(f"{where}: from {before or 'an empty database'} to revision {after}.")


def keeps_nothing(settings: Settings) -> bool:
    """Whether the shop lives in memory only."""
    return settings.database_url.startswith("memory")


def file_of(settings: Settings) -> Path | None:
    """The SQLite file of the shop; None when it is on a server or in memory."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - as above

    url = make_url(settings.database_url)
    named = url.get_backend_name() == "sqlite" and url.database
    return Path(named) if named else None


def revision_of(settings: Settings) -> str | None:
    """The revision that the database is at; None before the first.

    Raises:
        TransientError: it cannot be reached.
        MissingExtraError: its driver is not installed.
    """
    from quickshop.adapters.sql.migrations import revision  # noqa: PLC0415 - as above
    from quickshop.container import build_container  # noqa: PLC0415 - as above

    engine = build_container(settings).dialect().open_engine(settings)
    try:
        return revision(engine)
    finally:
        engine.dispose()
