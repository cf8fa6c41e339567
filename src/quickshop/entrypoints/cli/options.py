"""Options that several commands share, and negative arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import typer
from typer.core import TyperCommand

from quickshop.ports.paging import DEFAULT_LIMIT, MAX_LIMIT, Page

T = TypeVar("T")

_NEGATIVE: Final = re.compile(r"-\d+")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
MOST: Final = 1_000_000
Limit = Annotated[int, typer.Option(min=1, max=MOST, help="Maximum number to show.")]


class TakesNegativeNumbers(TyperCommand):
    """A command in which `-3` is a number and not an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; other unknown options are refused as usual."""
        known = {name for param in self.get_params(ctx) for name in param.opts} | {"--"}
        options = {arg.partition("=")[0] for arg in args if arg.startswith("--")}
        if options <= known:
            ctx.ignore_unknown_options = True
        else:
            args = [arg for arg in args if not _NEGATIVE.fullmatch(arg)]
        return super().parse_args(ctx, args)


def collect(page_of: Callable[[int, str | None], Page[T]], limit: int) -> tuple[list[T], bool]:
    """Return the first `limit` items of all pages, and whether there are more."""
    items: list[T] = []
    cursor: str | None = None
    while len(items) < limit:
        page = page_of(min(limit - len(items), MAX_LIMIT), cursor)
        items.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    return items, cursor is not None


DEFAULT: Final = DEFAULT_LIMIT
