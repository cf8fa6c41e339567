"""`quickshop keys`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

import typer

from quickshop.entrypoints.cli.output import complain, say

app = typer.Typer(help="Generate keys for tokens and passwords.", no_args_is_help=True)

_ID_BYTES: Final = 3
"""Enough to distinguish keys of the same day."""
_SECRET_BYTES: Final = 48
_HOW_TO_ROTATE: Final = (
    "put it before the old key, separated by a comma: the first key is used for new tokens and"
    " passwords, all keys are accepted; remove the old key when it is no longer needed"
)


@app.command()
def new() -> None:
    """Print a new key, for QUICKSHOP_TOKEN_KEYS or QUICKSHOP_PASSWORD_KEYS."""
    name = f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(_ID_BYTES)}"
    say(f"{name}:{secrets.token_urlsafe(_SECRET_BYTES)}")
    complain(_HOW_TO_ROTATE)


@app.callback()
def root() -> None:
    """Make `new` a subcommand, although it is the only one."""
