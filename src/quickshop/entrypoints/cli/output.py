"""Output to the terminal: text without control characters, tables, and JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from quickshop.domain.inventory import UNLIMITED_BACKORDER
from quickshop.domain.money import Money

_WHOLE: Final = frozenset(
    {"SKU", "SKUs", "Order", "Line", "Time (UTC)", "Placed (UTC)", "Shipped (UTC)"}
)
"""Columns that do not wrap."""


def console(*, stderr: bool = False) -> Console:
    """Return a console without markup and automatic colors."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def say(*lines: object) -> None:
    """Print lines of text; unprintable characters are made visible."""
    for line in lines:
        console().print(_text(line), soft_wrap=True)


def complain(message: object) -> None:
    """Print to stderr, each line as `quickshop: …`."""
    for line in str(message).splitlines() or [""]:
        console(stderr=True).print(Text(f"quickshop: {printable(line)}"), soft_wrap=True)


def printable(text: str) -> str:
    """Return the text without characters that could control a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def money(amount: Money) -> str:
    """Format an amount, such as `$1,234.50`."""
    from quickshop.adapters.money_text import money as as_text  # noqa: PLC0415 - babel is slow

    return as_text(amount)


def units(available: int) -> str:
    """Format a number of available units."""
    return "unlimited" if available >= UNLIMITED_BACKORDER // 2 else str(available)


def moment(at: datetime) -> str:
    """Format a time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """Return an empty table; the columns in `numbers` are aligned to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in numbers else "left",
            overflow="fold",
            no_wrap=column in _WHOLE,
        )
    return made


def add_row(to: Table, *cells: object, style: str | None = None) -> None:
    """Add cells as plain text, without markup."""
    to.add_row(*(_text(cell) for cell in cells), style=style)


def _text(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text(printable(money(value) if isinstance(value, Money) else str(value)))


def show(renderable: object) -> None:
    """Print a table or panel, wrapped to the width of the terminal."""
    console().print(renderable)
    if isinstance(renderable, Table):
        console().print()


def print_json(value: object) -> None:
    """Print as JSON in UTF-8, independent of the terminal's encoding."""
    text = json.dumps(to_json(value), ensure_ascii=False, indent=2)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def to_json(value: Any) -> Any:
    """Convert a value to JSON types; money becomes amount and currency."""
    shaped = value
    match value:
        case Money():
            shaped = {"amount": value.minor, "currency": value.currency}
        case datetime():
            shaped = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            shaped = str(value)
        case Enum():
            shaped = value.value
        case Mapping():
            shaped = {str(key): to_json(item) for key, item in value.items()}
        case list() | tuple():
            shaped = [to_json(item) for item in value]
        case _ if is_dataclass(value):
            shaped = {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    return shaped
