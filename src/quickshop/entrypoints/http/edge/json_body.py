"""Request bodies: strict JSON, or a problem that names the error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, Final, Never

from fastapi import Request, Response
from fastapi.routing import APIRoute

from quickshop.entrypoints.http.edge.problems import ProblemError, default_reason
from quickshop.entrypoints.http.edge.redaction import BODY_KEY

MAX_DEPTH: Final = 16
MAX_ITEMS: Final = 10_000
"""Values in one body, at all depths together."""
_CONTENT_TYPE: Final = re.compile(
    r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE
)
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""NUL, which databases refuse, and lone surrogates, which cannot be encoded."""


class _StrictRequest(Request):
    async def json(self) -> Any:
        body = self.scope[BODY_KEY] = parse_json(await self.body())
        return body


class StrictRoute(APIRoute):
    """A route whose body, if it has one, must be strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the content type, then parse with `parse_json`."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_strictly(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            content_type = request.headers.get("content-type", "")
            if not _CONTENT_TYPE.fullmatch(content_type.strip()) and await strict.body():
                raise ProblemError(415, *default_reason(415))
            return await handle(strict)

        return handle_strictly


def parse_json(body: bytes) -> Any:
    """Parse JSON that every parser reads the same way.

    Raises:
        ProblemError: 400: the body is not UTF-8, repeats a name in an object, holds NaN or
            Infinity, holds characters that cannot be stored, is nested deeper than `MAX_DEPTH`,
            or holds more than `MAX_ITEMS` values.
    """
    _require_few_separators(body)
    try:
        text = body.decode()
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_number,
            parse_float=_number,
        )
    except RecursionError:
        _refuse("is nested too deeply")
    except ValueError:
        _refuse("is not valid JSON in UTF-8")
    _require_within_limits(value)
    # Such characters can only come from escapes: neither decoder nor parser accepts them raw.
    if "\\u" in text:
        _require_storable(value)
    return value


def _refuse(why: str) -> Never:
    raise ProblemError(400, "malformed_json", f"The body {why}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _refuse("contains an object with a repeated field name")
    return found


def _refuse_number(_name: str) -> Never:
    _refuse("contains a number that JSON does not allow")


def _number(text: str) -> int | float:
    """Return a number with a point or an exponent. In JSON Schema, 3.0 is an integer."""
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        _refuse("contains a number that is too large")
    try:
        exact = Decimal(text)
        return int(exact) if exact == exact.to_integral_value() else number
    except ArithmeticError:
        _refuse("contains a number with an exponent that is too large")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []


def _require_few_separators(body: bytes) -> None:
    """Refuse most oversized bodies before parsing them.

    Every value follows a comma or opens an array or object, so these characters bound the values.
    """
    if _count_separators(body) > 2 * MAX_ITEMS:
        unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
        if _count_separators(b"".join(unescaped.split(b'"')[::2])) > 2 * MAX_ITEMS:
            _refuse_size()


def _count_separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _refuse_size() -> Never:
    _refuse(f"contains more than {MAX_ITEMS:,} values")


def _require_within_limits(value: Any) -> None:
    level, items = [value], 1
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        items += len(level)
        if items > MAX_ITEMS:
            _refuse_size()
        if not level:
            return
    _refuse("is nested too deeply")


def _require_storable(value: Any) -> None:
    texts = [value]
    while texts:
        item = texts.pop()
        texts.extend(_children(item))
        if isinstance(item, dict):
            texts.extend(item)
        if isinstance(item, str) and _UNSTORABLE.search(item):
            _refuse("contains a character that cannot be stored")
