"""The reference of the HTTP API, made from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from quickshop import open_shop
from quickshop.entrypoints.http.app import create_app
from tests.routes import ROUTES

_WHO: Final = {"public": "anyone", "shopper": "shopper", "account": "signed in", "probe": "probe"}
_HEAD: Final = (
    "| operation | who | what it does | parameters | body | answer |\n|---|---|---|---|---|---|\n"
)

_MOST_LISTED: Final = 20
"""Values of a field that are listed here; the document itself lists more."""


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI document of a shop."""
    with open_shop("memory://") as shop:
        found: Mapping[str, Any] = create_app(shop).openapi()
    return found


def routes() -> str:
    """A table of operations for each group, in the order of the document."""
    by_tag: dict[str, list[str]] = {}
    for method, path, operation in operations():
        tag = operation.get("tags", ["other"])[0]
        by_tag.setdefault(tag, []).append(_row(method, path, operation))
    return "\n".join(f"### {tag}\n\n{_HEAD}{''.join(rows)}" for tag, rows in by_tag.items())


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and description of each."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def bodies() -> str:
    """The objects that requests hold, each with its fields."""
    schemas = document()["components"]["schemas"]
    named: dict[str, None] = {}
    for _, _, operation in operations():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        _collect(body, named)
    return "\n".join(_object(name, schemas[name]) for name in sorted(named))


def _collect(schema: Any, named: dict[str, None]) -> None:
    if isinstance(schema, dict):
        if name := _named(schema):
            if name not in named:
                named[name] = None
                _collect(document()["components"]["schemas"][name], named)
            return
        for inner in schema.values():
            _collect(inner, named)
    elif isinstance(schema, list):
        for inner in schema:
            _collect(inner, named)


def _row(method: str, path: str, operation: Mapping[str, Any]) -> str:
    who = next(one.who for one in ROUTES if (one.method, one.path) == (method, path))
    said = " ".join(operation.get("description", "").partition("\n\n")[0].split())
    given = operation.get("parameters", [])
    parameters = ", ".join(
        f"**`{one['name']}`**" if one["required"] else f"`{one['name']}`"
        for one in given
        if one["in"] != "path"
    )
    body = ", ".join(_body(operation))
    answer = next(status for status in operation["responses"] if status.startswith("2"))
    shown = _WHO.get(who, f"`{who}`")
    return f"| `{method} {path}` | {shown} | {said} | {parameters} | {body} | {answer} |\n"


def _body(operation: Mapping[str, Any]) -> Iterator[str]:
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        options = schema.get("anyOf", [schema])
        names = [_named(one) for one in options if _named(one)]
        yield from (f"[{name}](#{name.lower()})" for name in names)
        if not names:
            yield f"`{kind}`"


def _object(name: str, schema: Mapping[str, Any]) -> str:
    said = " ".join(schema.get("description", "").split())
    if "enum" in schema:
        values = ", ".join(f"`{value}`" for value in schema["enum"])
        return f"### {name}\n\n{said} One of {values}.\n"
    required = set(schema.get("required", ()))
    rows = "".join(
        f"| `{field}` | {_type(inner)} | {'yes' if field in required else ''} |"
        f" {_explained(inner)} |\n"
        for field, inner in schema.get("properties", {}).items()
    )
    table = f"| field | type | required | |\n|---|---|---|---|\n{rows}"
    return f"### {name}\n\n{said}\n\n{table}"


def _type(schema: Mapping[str, Any]) -> str:
    if name := _named(schema):
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"] if one.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("const") or schema.get("type", "any"))


def _explained(schema: Mapping[str, Any]) -> str:
    limits = schema | {
        key: value
        for one in schema.get("anyOf", ())
        for key, value in one.items()
        if key not in schema
    }
    said = " ".join(str(schema.get("description", "")).split())
    rules = [
        _between(limits, "minimum", "maximum", ""),
        _between(limits, "minLength", "maxLength", " characters"),
        _between(limits, "minItems", "maxItems", " items"),
        "one of " + ", ".join(f"`{value}`" for value in limits["enum"])
        if 1 < len(limits.get("enum", ())) <= _MOST_LISTED
        else "",
    ]
    rule = "; ".join(filter(None, rules))
    return " ".join(filter(None, (said, rule and f"{rule[0].upper()}{rule[1:]}."))).replace(
        "|", "\\|"
    )


def _between(limits: Mapping[str, Any], least: str, most: str, of_what: str) -> str:
    low, high = limits.get(least), limits.get(most)
    match low, high:
        case None, None:
            return ""
        case None, _:
            return f"at most {high:,.0f}{of_what}"
        case _, None:
            return f"at least {low:,.0f}{of_what}"
        case _:
            return f"{low:,.0f} to {high:,.0f}{of_what}"


def _named(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
