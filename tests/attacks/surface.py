"""What there is to attack: every operation of the OpenAPI document, and what it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

GUEST, CUSTOMER, ADMIN = "guest", "customer", "admin"
ALL: Final = (GUEST, CUSTOMER, ADMIN)

PLAIN: Final = "plain-text"
_FORMATS: Final[Mapping[str, Callable[[], str]]] = {
    "uuid": lambda: str(uuid4()),
    "date-time": lambda: "2026-03-04T05:06:07Z",
}

Path = tuple[str | int, ...]
"""Where in a body: names and indices from its root."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of the API."""

    id: str
    method: str
    path: str
    path_names: tuple[str, ...]
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    media_type: str | None
    body: Mapping[str, Any] | None
    """Schema of the body, without references."""
    audience: frozenset[str]
    """Who is let in."""

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}

    @property
    def takes_something(self) -> bool:
        """Whether requests can differ in more than who sends them."""
        return bool(self.query or self.path_names or self.headers or self.media_type)

    @property
    def takes_json(self) -> bool:
        return self.media_type == "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is right as it stands, to be made wrong."""

    operation: Operation
    path_values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def but(self, **changes: Any) -> Call:
        """The same, except for the changes."""
        return replace(self, **changes)

    def with_body_at(self, path: Path, value: object) -> Call:
        """The same, with another value at one place of the body."""
        if not path:
            return replace(self, body=value)
        body = deepcopy(self.body)
        holder = body
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value
        return replace(self, body=body)


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation that the document names."""
    return [
        _operation(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> Operation:
    taken = operation.get("parameters", [])

    def parameters(place: str) -> dict[str, Any]:
        return {
            each["name"]: _resolved(document, each["schema"])
            for each in taken
            if each["in"] == place
        }

    content = operation.get("requestBody", {}).get("content", {})
    media_type = next(iter(content), None)
    schema = _resolved(document, content[media_type].get("schema", {})) if media_type else None
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        path_names=tuple(parameters("path")),
        query=parameters("query"),
        headers=parameters("header"),
        media_type=media_type,
        body=schema,
        audience=_audience(path, operation.get("security")),
    )


def _audience(path: str, security: list[dict[str, Any]] | None) -> frozenset[str]:
    """How an operation is authenticated: by where it is, and what it says."""
    if path.startswith("/v1/admin/"):
        return frozenset({ADMIN})
    if security is None:
        return frozenset({GUEST})
    return frozenset({GUEST, CUSTOMER}) if {} in security else frozenset({CUSTOMER})


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    if depth > 12:  # categories hold categories
        return {}
    if "$ref" in schema:
        found = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _resolved(document, found, depth + 1)
    resolved = dict(schema)
    for name in ("anyOf", "allOf", "oneOf", "prefixItems"):
        if name in schema:
            resolved[name] = [_resolved(document, each, depth + 1) for each in schema[name]]
    if isinstance(items := schema.get("items"), dict):
        resolved["items"] = _resolved(document, items, depth + 1)
    if isinstance(more := schema.get("additionalProperties"), dict):
        resolved["additionalProperties"] = _resolved(document, more, depth + 1)
    if "properties" in schema:
        resolved["properties"] = {
            name: _resolved(document, each, depth + 1)
            for name, each in schema["properties"].items()
        }
    return resolved


def sample(schema: Mapping[str, Any], known: Mapping[str, Any], name: str = "") -> Any:
    """A value that fits; `known` says what is meant by fields of a name."""
    if name in known:
        return known[name]
    if "const" in schema:
        return schema["const"]
    if examples := schema.get("examples"):
        return examples[0]
    if "enum" in schema:
        return schema["enum"][0]
    for choices in ("anyOf", "oneOf", "allOf"):
        if choices in schema:
            some = [each for each in schema[choices] if each.get("type") != "null"]
            return sample(some[0], known, name) if some else None
    return _of_type(schema, known)


def _of_type(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), lambda: PLAIN)()
    if kind == "object":
        return {
            name: sample(each, known, name)
            for name, each in schema.get("properties", {}).items()
            if each.get("type") != "null"
        }
    if kind == "array":
        return [sample(schema.get("items", {}), known)]
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    if kind == "boolean":
        return False
    return PLAIN


def texts_of(value: object, path: Path = ()) -> Iterator[Path]:
    """Where in a body there is text."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_of(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_of(inner, (*path, index))


def objects_of(value: object, path: Path = ()) -> Iterator[Path]:
    """Where in a body there are objects, itself among them."""
    if isinstance(value, dict):
        yield path
        for name, inner in value.items():
            yield from objects_of(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects_of(inner, (*path, index))


def at(value: Any, path: Path) -> Any:
    """What is at a place of a body."""
    for step in path:
        value = value[step]
    return value


def as_bytes(body: object) -> bytes:
    """A body as it travels; text, such as CSV, as it is."""
    return (
        body.encode("utf-8", "surrogatepass")
        if isinstance(body, str)
        else (body if isinstance(body, bytes) else json.dumps(body).encode())
    )
