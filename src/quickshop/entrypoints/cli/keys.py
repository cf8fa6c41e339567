"""`quickshop keys`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

import typer

from quickshop.entrypoints.cli.output import complain, say

app = typer.Typer(help="Make keys for tokens and passwords.", no_args_is_help=True)

_ID_BYTES: Final = 3
"""Enough that two keys of one day differ."""
_SECRET_BYTES: Final = 48
_HOW_TO_ROTATE: Final = (
    "put it before the old one and a comma: new tokens and passwords use the first key, all are"
    " honored; take the old one away when nothing needs it any more"
)


@app.command()
def new() -> None:
    """Print a new key, for QUICKSHOP_TOKEN_KEYS or QUICKSHOP_PASSWORD_KEYS."""
    name = f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(_ID_BYTES)}"
    say(f"{name}:{secrets.token_urlsafe(_SECRET_BYTES)}")
    complain(_HOW_TO_ROTATE)


@app.callback()
def root() -> None:
    """Keep `new` a word of its own, though there is but one."""
