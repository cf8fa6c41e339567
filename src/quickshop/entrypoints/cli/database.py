"""`quickshop migrate`, and the state of the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quickshop.entrypoints.cli.context import address_of, load_settings
from quickshop.entrypoints.cli.output import say

if TYPE_CHECKING:
    from quickshop.settings import Settings


def migrate() -> None:
    """Migrate the database to this release. Safe to repeat, and to run several times at once."""
    from quickshop.container import migrate_database  # noqa: PLC0415 - imports the database layer

    settings = load_settings()
    where = address_of(settings.database_url)
    if keeps_nothing(settings):
        say(f"{where} is not stored, so there is nothing to migrate.")
        return
    before = revision_of(settings)
    migrate_database(settings)
    after = revision_of(settings)
    if before == after:
        say(f"{where} is already at revision {after}.")
    else:
        say(f"{where}: from {before or 'an empty database'} to revision {after}.")


def keeps_nothing(settings: Settings) -> bool:
    """Return whether the shop is only in memory."""
    return settings.database_url.startswith("memory")


def file_of(settings: Settings) -> Path | None:
    """Return the SQLite file of the shop; None if it is on a server or in memory."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - as above

    url = make_url(settings.database_url)
    named = url.get_backend_name() == "sqlite" and url.database
    return Path(named) if named else None


def revision_of(settings: Settings) -> str | None:
    """Return the revision of the database; None before the first migration.

    Raises:
        TransientError: the database cannot be reached.
        MissingExtraError: the database driver is not installed.
    """
    from quickshop.adapters.sql.migrations import revision  # noqa: PLC0415 - as above
    from quickshop.container import build_container  # noqa: PLC0415 - as above

    engine = build_container(settings).dialect().open_engine(settings)
    try:
        return revision(engine)
    finally:
        engine.dispose()
