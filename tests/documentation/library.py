"""The reference of the library, made from signatures and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from typing import Any, Final

import quickshop
from quickshop.application.permissions import permission_of
from quickshop.domain import errors
from quickshop.domain.inventory import SourcingStrategy
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway
from quickshop.shop import Shop
from tests.documentation.docstrings import attribute_docs, docstring_of

PORTS: Final = (PaymentGateway, Notifier, SourcingStrategy)
"""What `open_shop` takes of other people's making."""

_GIVEN: Final = (
    "Address", "Image", "Money", "NewVariant", "PaymentSource", "OrderStatus", "Settings"
)  # fmt: skip
_WIDTH: Final = 96


def calls() -> str:
    """Every call of a shop."""
    lines = [_call("open_shop", quickshop.open_shop, level=3)]
    own = [name for name in vars(Shop) if not name.startswith("_") and callable(vars(Shop)[name])]
    lines += [_call(f"shop.{name}", getattr(Shop, name), level=3) for name in own]
    for group in dataclasses.fields(Shop):
        kind = _hints(Shop)[group.name]
        if group.name in {"policy", "closing"}:
            continue
        if not dataclasses.is_dataclass(kind) or "__call__" in vars(kind):
            lines.append(_use_case(f"shop.{group.name}", kind, level=3))
            continue
        lines.append(f"### shop.{group.name}\n\n{docstring_of(kind).prose}\n")
        lines += [
            _use_case(f"shop.{group.name}.{case.name}", _hints(kind)[case.name], level=4)
            for case in dataclasses.fields(kind)
        ]
    return "\n".join(lines)


def values() -> str:
    """What calls take: the public classes."""
    return "\n".join(_class(getattr(quickshop, name)) for name in _GIVEN if name != "Settings")


def answers() -> str:
    """What calls return."""
    taken = {getattr(quickshop, name) for name in _GIVEN}
    return "\n".join(_class(kind) for kind in returned() if kind not in taken)


def ports() -> str:
    """What other people may fill."""
    parts = []
    for port in PORTS:
        parts.append(f"### {port.__name__}\n\n{docstring_of(port).prose}\n")
        for name, method in vars(port).items():
            if inspect.isfunction(method) and (name == "__call__" or not name.startswith("_")):
                shown = "strategy" if name == "__call__" else name
                parts.append(_call(shown, method, level=4))
    return "\n".join(parts)


def failures() -> str:
    """Every error that a call may raise, as a tree."""

    def below(kind: type[errors.QuickShopError], depth: int) -> Iterator[str]:
        doc = docstring_of(kind).prose.partition("\n\n")[0]
        yield f"{'  ' * depth}- `{kind.__name__}` (`{kind.code}`): {doc}"
        for child in sorted(kind.__subclasses__(), key=lambda child: child.__name__):
            if child.__module__ == errors.__name__:
                yield from below(child, depth + 1)

    return "\n".join(below(errors.QuickShopError, 0)) + "\n"


def returned() -> list[type]:
    """Every class of QuickShop's own in what calls return, by name."""
    found: dict[str, type] = {}
    for group in dataclasses.fields(Shop):
        kind = _hints(Shop)[group.name]
        cases = _hints(kind).values() if "__call__" not in vars(kind) else [kind]
        for case in cases:
            if isinstance(case, type) and "__call__" in vars(case):
                _collect(_hints(case.__call__).get("return"), found)
    return [found[name] for name in sorted(found)]


def _collect(hint: Any, found: dict[str, type]) -> None:
    for part in typing.get_args(hint):
        _collect(part, found)
    if not isinstance(hint, type) or not hint.__module__.startswith("quickshop"):
        return
    if hint.__name__ in found or not (dataclasses.is_dataclass(hint) or issubclass(hint, Enum)):
        return
    found[hint.__name__] = hint
    if dataclasses.is_dataclass(hint):
        for inner in _hints(hint).values():
            _collect(inner, found)


def _hints(what: Any) -> dict[str, Any]:
    return typing.get_type_hints(what)


def _use_case(name: str, kind: type, *, level: int) -> str:
    lead = docstring_of(kind).prose
    with suppress(LookupError):
        lead += f"\n\nFor callers with the permission `{permission_of(kind).value}`."
    return _call(name, kind.__call__, level=level, lead=lead)


def _call(name: str, function: Callable[..., Any], *, level: int, lead: str = "") -> str:
    said = docstring_of(function)
    prose = "\n\n".join(part for part in (lead, said.prose) if part)
    parts = [f"{'#' * level} {name}", f"```pyi\n{_signature(name, function)}\n```", prose]
    if said.arguments:
        parts.append("\n".join(f"- `{key}`: {text}" for key, text in said.arguments.items()))
    if said.raises:
        raised = "\n".join(f"- `{key}`: {text}" for key, text in said.raises.items())
        parts.append(f"Raises:\n\n{raised}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _signature(name: str, function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    given, starred = [], False
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and not starred:
            given.append("*")
            starred = True
        default = "" if one.default is one.empty else f" = {_shown(one.default)}"
        given.append(f"{one.name}: {one.annotation}{default}")
    answer = f") -> {signature.return_annotation}"
    line = f"{name}({', '.join(given)}{answer}"
    if len(line) <= _WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in given) + answer


def _shown(default: object) -> str:
    return default.name if isinstance(default, Enum) else repr(default)


def _class(kind: type) -> str:
    parts = [f"### {kind.__name__}", docstring_of(kind).prose]
    docs = attribute_docs(kind)
    if issubclass(kind, Enum):
        members = (f"- `{one.value}`" + _said(docs.get(one.name)) for one in kind)
        parts.append("\n".join(members))
    elif dataclasses.is_dataclass(kind):
        rows = (
            f"- `{one.name}`: `{one.type}`{_default(one)}{_said(docs.get(one.name))}"
            for one in dataclasses.fields(kind)
        )
        parts.append("\n".join(rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def _default(one: dataclasses.Field[Any]) -> str:
    return "" if one.default is dataclasses.MISSING else f", by default `{_shown(one.default)}`"


def _said(text: str | None) -> str:
    return f". {' '.join(text.split())}" if text else ""
