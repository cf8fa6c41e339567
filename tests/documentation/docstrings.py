"""What the code says of itself: docstrings in parts, and what stands under attributes."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

_SECTIONS: Final = ("Args:", "Raises:", "Returns:")
_ENTRY: Final = re.compile(r"^    (\w+): (.*)$")


@dataclass(slots=True)
class Docstring:
    """A docstring: prose, and its sections as names with what is said of each."""

    prose: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    raises: dict[str, str] = field(default_factory=dict)


def docstring_of(what: Any) -> Docstring:
    """The parts of the docstring of a class or function."""
    found, prose, into = Docstring(), [], None
    for line in (inspect.getdoc(what) or "").splitlines():
        if line in _SECTIONS:
            into = {"Args:": found.arguments, "Raises:": found.raises}.get(line, {})
        elif into is None:
            prose.append(line)
        elif entry := _ENTRY.match(line):
            into[entry[1]] = entry[2]
        elif line.strip() and into:
            into[list(into)[-1]] += f" {line.strip()}"
    found.prose = joined("\n".join(prose))
    return found


def joined(text: str) -> str:
    """Paragraphs as one line each; lists and examples stay as they are."""
    parts = (part.strip("\n") for part in re.split(r"\n\n+", text.strip()))
    return "\n\n".join(
        part if part.startswith(("- ", "* ", "1. ")) else " ".join(part.split()) for part in parts
    )


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def attribute_docs(kind: type) -> dict[str, str]:
    """What stands as a string under each attribute of a class, those it inherits included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("quickshop"):
            found |= _docs_in(inspect.getsourcefile(base) or "", base.__qualname__)
    return found


def _docs_in(file: str, name: str) -> dict[str, str]:
    kinds = (node for node in ast.walk(_tree(file)) if isinstance(node, ast.ClassDef))
    body = next((node.body for node in kinds if node.name == name), [])
    found = {}
    for attribute, doc in pairwise(body):
        match attribute, doc:
            case (
                ast.AnnAssign(target=ast.Name(id=field_name))
                | ast.Assign(targets=[ast.Name(id=field_name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[field_name] = joined(inspect.cleandoc(text))
    return found
