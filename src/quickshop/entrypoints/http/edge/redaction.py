"""Secrets of the current request, for redaction in logs and in quoted errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import Scope

from quickshop.application.redaction import names_a_secret

BODY_KEY: Final = "quickshop.body"
"""The scope key of the parsed JSON body."""

served: Final[ContextVar[Scope | None]] = ContextVar("served", default=None)
"""The scope of the request being served, also in worker threads."""

_SHORTEST: Final = 8
"""Characters. Shorter texts are no good secrets, and redacting them would destroy the log."""
_MAX_VALUES: Final = 200


def secrets_of_request() -> list[str]:
    """Return the values of the current request whose name marks a secret, longest first."""
    scope = served.get()
    if scope is None:
        return []
    found = {text for text in _secret_texts(scope) if len(text) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)[:_MAX_VALUES]


def _secret_texts(scope: Scope) -> Iterator[str]:
    for name, value in scope["headers"]:
        if names_a_secret(name.decode("latin-1")):
            text = value.decode("latin-1")
            yield text
            # The value after a scheme, or of one of several cookies.
            yield from text.replace(";", " ").replace("=", " ").split()
    for name, text in parse_qsl(scope["query_string"].decode("latin-1")):
        if names_a_secret(name):
            yield text
    yield from _secrets_in_body(scope.get(BODY_KEY))


def _secrets_in_body(body: Any) -> Iterator[str]:
    """Yield the texts of a body that are in a field whose name marks a secret, at any depth."""
    pending = [(body, False)]
    while pending:
        value, is_secret = pending.pop()
        if isinstance(value, dict):
            pending += [(each, is_secret or names_a_secret(name)) for name, each in value.items()]
        elif isinstance(value, list):
            pending += [(each, is_secret) for each in value]
        elif is_secret and isinstance(value, str):
            yield value
