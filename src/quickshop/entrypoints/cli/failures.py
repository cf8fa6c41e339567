"""Failures of commands: one line on stderr and an exit code."""

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
    """Commands that report failures as a line on stderr, not as a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command. Exit codes: 1 for failures, 2 for wrong usage, 130 for an interrupt."""
        with failures_reported():
            return super().invoke(ctx)


@contextmanager
def failures_reported() -> Iterator[None]:
    """Turn an exception of the block into a message and an exit code.

    Raises:
        typer.Exit: the block failed; it has the exit code.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has stopped reading: no message.
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
    """Return the error as a message for users."""
    match error:
        case QuickShopError():
            return str(error) or error.code
        case OSError(strerror=str(reason), filename=(str() | bytes() | os.PathLike()) as name):
            return f"{os.fsdecode(name)}: {reason}"
        case OSError(strerror=str(reason)):
            return reason
        case _:
            return f"unexpected error: {type(error).__name__}: {error}"


def drop_output() -> None:
    """Discard unwritten output, so that the process can end without an error."""
    try:
        stdout = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stdout)
    os.close(nowhere)
