"""Messages for invalid values that replace those of pydantic, which address programmers."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

CURRENCY_PATTERN: Final = "^[A-Z]{3}$"
ETAG_PATTERN: Final = r'^("[0-9]{1,9}"|\*)$'
KEY_PATTERN: Final = "^[ -~]+$"

_WHOLE_NUMBER: Final = "must be a whole number"
_BOOLEAN: Final = "must be true or false"
_TIME: Final = "must be a time with its zone, such as 2026-11-26T00:00:00Z"
_OBJECT: Final = "must be an object"
_UUID: Final = "must be a UUID"

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "none_required": "must be absent or null: this shop does not offer it",
    "not_printable": "must contain only printable characters",
    "string_type": "must be text",
    "string_unicode": "must be valid text",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_parsing_size": "must be a smaller number",
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": _TIME,
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "list_type": "must be a list",
    "dict_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "too_short": "must have {min_length} or more items",
    "too_long": "must have {max_length} or fewer items",
}
_PATTERNS: Final[Mapping[str, str]] = {
    CURRENCY_PATTERN: "must be an ISO 4217 code such as USD",
    ETAG_PATTERN: 'must be an ETag such as "3", or *',
    KEY_PATTERN: "must contain only printable ASCII characters",
}


def sentence_of(code: str, facts: Mapping[str, Any]) -> str:
    """Return the rule that a value breaks, from the type and context of a pydantic error."""
    match code, facts:
        # pydantic reports a text that a function validates as well with the field type Value.
        case ("string_too_short", {"min_length": least}) | (
            "too_short",
            {"min_length": least, "field_type": "Value"},
        ):
            return f"must have at least {_characters(least)}"
        case ("string_too_long", {"max_length": most}) | (
            "too_long",
            {"max_length": most, "field_type": "Value"},
        ):
            return f"must have at most {_characters(most)}"
        case "string_pattern_mismatch", {"pattern": pattern}:
            return _PATTERNS.get(pattern, f"must match {pattern}")
    return _SENTENCES.get(code, "is not valid").format_map(facts)


def _characters(count: int) -> str:
    return f"{count} character" if count == 1 else f"{count} characters"


def unknown_field(body: object, path: list[Any]) -> str:
    """Return the message for an unknown field at this place of a body, with the allowed fields.

    The unknown name is client input and not repeated.
    """
    kinds = _alternatives(body)
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    known = [name for kind in kinds if _is_model(kind) for name in kind.model_fields]
    allowed = f"; allowed: {', '.join(known)}" if known else ""
    return f"contains an unknown field{allowed}"


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inside(kind: Any, step: Any) -> list[Any]:
    if _is_model(kind):
        field = kind.model_fields.get(step)
        return _alternatives(field.annotation) if field else []
    return [each for inner in get_args(kind) for each in _alternatives(inner)]


def _alternatives(kind: Any) -> list[Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        return _alternatives(get_args(kind)[0])
    if origin in {Union, UnionType}:
        return [each for one in get_args(kind) for each in _alternatives(one)]
    return [kind]
