"""Every way to fail, as one clear line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from quickshop.domain.errors import QuickShopError
from quickshop.entrypoints.cli.output import complain

FAILED = 1
INTERRUPTED = 130


class ClearFailures(TyperGroup):
    """Commands that end with a line on stderr instead of a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command: 1 for what failed, 2 for how it was called, 130 for an interrupt."""
        with told_clearly():
            return super().invoke(ctx)


@contextmanager
def told_clearly() -> Iterator[None]:
    """Turn what a block raises into a message and an exit code.

    Raises:
        typer.Exit: with the code.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough: not worth a word.
        drop_output()
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except typer.Abort:
        raise
    except Exception as error:
        if hasattr(error, "exit_code"):  # the framework's own: usage errors, and typer.Exit
            raise
        complain(explain(error))
        raise typer.Exit(FAILED) from None


def explain(error: Exception) -> str:
    """What went wrong, for people."""
    match error:
        case QuickShopError():
            return str(error) or error.code
        case OSError(strerror=str(reason), filename=(str() | bytes() | os.PathLike()) as name):
            return f"{os.fsdecode(name)}: {reason}"
        case OSError(strerror=str(reason)):
            return reason
        case _:
            return f"this should not have happened: {type(error).__name__}: {error}"


def drop_output() -> None:
    """Send what is still to be written nowhere, so that ending does not fail on it."""
    try:
        stdout = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stdout)
    os.close(nowhere)
