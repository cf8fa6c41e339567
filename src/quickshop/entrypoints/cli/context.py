"""The shop that a command works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quickshop.domain.errors import SchemaError
from quickshop.entrypoints.cli.output import complain

if TYPE_CHECKING:
    from quickshop.settings import Settings
    from quickshop.shop import Shop

_NOT_SETTINGS: Final = ("VENV", "TEST_")
"""Prefixes of variables for other programs of this project."""


def load_settings(**values: object) -> Settings:
    """Load the settings; `values` take precedence. Unknown variables cause a warning.

    Raises:
        SettingsError: a value is invalid.
    """
    from quickshop.settings import PREFIX, Settings  # noqa: PLC0415 - pydantic is slow to import

    for name, meant in misspelled(os.environ, PREFIX, list(Settings.model_fields)):
        hint = f", did you mean {meant}?" if meant else "; it has no effect"
        complain(f"warning: {name} is not a setting{hint}")
    return Settings.load(**values)


def misspelled(
    environment: os._Environ[str] | dict[str, str], prefix: str, fields: list[str]
) -> list[tuple[str, str | None]]:
    """Return the variables with the prefix that are not settings, each with a similar name."""
    unknown = [
        name
        for name in sorted(environment)
        if name.upper().startswith(prefix)
        and (rest := name[len(prefix) :].lower()) not in fields
        and not rest.upper().startswith(_NOT_SETTINGS)
    ]
    return [(name, _closest(name[len(prefix) :].lower(), prefix, fields)) for name in unknown]


def _closest(name: str, prefix: str, fields: list[str]) -> str | None:
    found = get_close_matches(name, fields, n=1, cutoff=0.6)
    return f"{prefix}{found[0]}".upper() if found else None


@contextmanager
def opened_shop(settings: Settings | None = None, *, worker: bool = False) -> Iterator[Shop]:
    """Open the shop of the settings, and close it afterwards.

    Without `settings`, open the shop of the environment. It must exist: reading creates nothing.

    Raises:
        QuickShopError: the shop cannot be opened.
    """
    from quickshop.container import open_shop  # noqa: PLC0415 - imports the database layer

    if settings is None:
        settings = load_settings()
        _require_file(settings.database_url)
    with open_shop(settings=settings, worker=worker) as shop:
        yield shop


def _require_file(url: str) -> None:
    path = url.removeprefix("sqlite:///").partition("?")[0]
    if url.startswith("sqlite") and path and not Path(path).exists():
        raise SchemaError(
            f"there is no shop in {url} yet: `quickshop demo` or `quickshop import` creates one"
        )


def address_of(url: str) -> str:
    """Return a URL that is safe to show: without password and options."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - as above

    return make_url(url).set(query={}).render_as_string(hide_password=True)
