"""What a request said in confidence, so that no log tells it: not even an error that quotes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import Scope

from quickshop.application.redaction import names_a_secret

BODY_KEY: Final = "quickshop.body"
"""Where in the scope a body is that was read as JSON."""

served: Final[ContextVar[Scope | None]] = ContextVar("served", default=None)
"""The request being served, in its threads too."""

_SHORTEST: Final = 8
"""Nothing shorter is good as a secret; and to take out each "a" of a text would leave no text."""
_MAX_VALUES: Final = 200


def secrets_of_request() -> list[str]:
    """Whatever of the request being served has the name of a secret; the longest first."""
    scope = served.get()
    if scope is None:
        return []
    found = {text for text in _said(scope) if len(text) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)[:_MAX_VALUES]


def _said(scope: Scope) -> Iterator[str]:
    for name, value in scope["headers"]:
        if names_a_secret(name.decode("latin-1")):
            text = value.decode("latin-1")
            yield text
            # Behind a scheme, or one of several cookies.
            yield from text.replace(";", " ").replace("=", " ").split()
    for name, text in parse_qsl(scope["query_string"].decode("latin-1")):
        if names_a_secret(name):
            yield text
    yield from _named(scope.get(BODY_KEY))


def _named(body: Any) -> Iterator[str]:
    """Texts in a body that have the name of a secret, or are in something that has."""
    waiting = [(body, False)]
    while waiting:
        value, is_secret = waiting.pop()
        if isinstance(value, dict):
            waiting += [(each, is_secret or names_a_secret(name)) for name, each in value.items()]
        elif isinstance(value, list):
            waiting += [(each, is_secret) for each in value]
        elif is_secret and isinstance(value, str):
            yield value
