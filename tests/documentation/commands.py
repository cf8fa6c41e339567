"""The reference of the command line, made from its help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from quickshop.entrypoints.cli.app import app
from tests.documentation.docstrings import joined


def commands() -> str:
    """Every command, with its arguments and options."""
    return "\n".join(_below(get_command(app), "quickshop"))


def _below(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    parameters = [one for one in command.params if one.name != "help"]
    if not inner or getattr(command, "invoke_without_command", False):
        yield _section(command, name, parameters)
    for word, child in inner.items():
        yield from _below(child, f"{name} {word}")


def _section(command: Any, name: str, parameters: list[Any]) -> str:
    parts = [f"### {name}", joined(command.help or "")]
    rows = [_row(one) for one in parameters]
    if rows:
        parts.append("| | |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _row(one: Any) -> str:
    if one.param_type_name == "argument":
        shown = one.metavar or one.name.upper()
        shown = f"`{shown}`" if one.required else f"`[{shown}]`"
    else:
        value = "" if one.is_flag else f" {one.metavar or one.name.upper()}"
        shown = f"`{', '.join(one.opts)}{value}`"
    said = " ".join((one.help or "").split())
    if one.param_type_name == "option" and one.required:
        said += " Required."
    elif one.default not in {None, False, "", ()}:
        said += f" Default: `{one.default}`."
    return f"| {shown} | {said.replace('|', chr(92) + '|')} |"
