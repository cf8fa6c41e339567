"""Log records of any content as lines of JSON."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from itertools import islice, takewhile
from typing import Any, Final, TypeVar

from structlog.processors import ExceptionRenderer, StackInfoRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

from quickshop.application.redaction import (
    REMOVED,
    may_hold_secrets,
    names_a_secret,
    redact,
)

T = TypeVar("T")

MAX_TEXT: Final = 8 * 1024
"""Characters kept of one text; of a traceback, the last ones."""
MAX_RECORD: Final = 4 * MAX_TEXT
"""Characters kept of one record."""
MAX_ITEMS: Final = 50
MAX_DEPTH: Final = 5

NO_REQUEST: Final = "-"
"""The `request_id` of a record outside of a request."""

_OVERLAP: Final = 256
"""Characters beyond the cut that are searched for secrets, so that no half of one is kept."""
_FROM_END: Final = frozenset({"exception", "stack"})
_DROPPED: Final = frozenset(
    # uvicorn's colored copy of the message, and fields of other formatters
    {"_record", "_from_structlog", "color_message", "message", "asctime"}
)
_OWN_WORDS: Final = frozenset({"debug", "info"})
"""Levels of records that do not quote errors."""
_SHORT_INTEGER: Final = 10**12
"""From this value on, integers may be card numbers."""
_EXTRAS: Final = ExtraAdder()
_JSON: Final = json.JSONEncoder(allow_nan=False)
_JSON_BITS: Final = 63
_PRINTABLE_BITS: Final = 10_000
"""Python refuses to format integers of very many digits."""


class JsonLines(ProcessorFormatter):
    """Formats each record as one line of JSON in ASCII, without secrets. Never raises.

    `confidential` returns the secrets of the current context, such as those of a request: they
    have no recognizable form, and an error may quote one.
    """

    def __init__(self, secrets_of: Callable[[], Iterable[str]] = tuple) -> None:
        super().__init__(
            processors=[_with_facts, ExceptionRenderer(), StackInfoRenderer(), self._line]
        )
        self._secrets_of = secrets_of

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, without a line break."""
        try:
            return super().format(record)
        except Exception:  # noqa: BLE001 - a wrong log call, or an argument that fails
            return self._format_safely(record)

    def _format_safely(self, record: logging.LogRecord) -> str:
        safe = logging.makeLogRecord(record.__dict__)
        safe.msg, safe.args = _message(record), ()
        try:
            return super().format(safe)
        except Exception as error:  # noqa: BLE001 - log at least that there was a record
            problem = f"its fields cannot be formatted: {type(error).__name__}"
            return self._line(None, "", _head(safe, safe.msg) | {"problem": problem})

    def _line(self, _logger: WrappedLogger | None, _method: str, event: EventDict) -> str:
        """Return the event as JSON, redacted and cut to its limits."""
        secrets = () if event["level"] in _OWN_WORDS else tuple(self._secrets_of())
        if secrets:
            return _JSON.encode(_Writer(partial(_redact_all, secrets)).record(event))
        line = _JSON.encode(_Writer(_cut_only).record(event))
        # One search of the line for possible secrets is cheaper than a full search of each field.
        if len(line) > MAX_TEXT or may_hold_secrets(line):
            line = _JSON.encode(_Writer(redact).record(event))
        return line


def _message(record: logging.LogRecord) -> str:
    """Return the text of a record; arguments that do not fit its template follow it."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong log call, or an argument that fails
        return f"{_text(record.msg)} {_text(record.args)}"


def _head(record: logging.LogRecord, message: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(record.created, UTC)
    return {
        "timestamp": f"{at.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": message,
    }


def _with_facts(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Add the common fields first; no extra field of the same name replaces them."""
    head = _head(event["_record"], event["event"])
    extras = _EXTRAS(logger, method, {"_record": event["_record"]})
    if extras.get("request_id") == NO_REQUEST:
        del extras["request_id"]
    return {**head, **extras, **event, **head}


def _cut_only(text: str) -> str:
    return text


def _redact_all(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        # As it is and as it is quoted: `repr` and JSON escape special characters.
        for written in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
            text = text.replace(written, REMOVED)
    return redact(text)


class _Writer:
    """Converts the values of one record to JSON values, within its limits."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._left = MAX_RECORD

    def record(self, event: EventDict) -> dict[str, Any]:
        """Return the fields of a record."""
        plain = {}
        for name, value in islice(event.items(), MAX_ITEMS):
            if name not in _DROPPED:
                shown = self.text(str(name))
                kept = _end_of(value) if name in _FROM_END else value
                plain[shown] = self.value(kept, name=name)
        return plain

    def value(self, value: object, *, name: object = "", depth: int = 0) -> Any:
        """Return the value as JSON can hold it."""
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(name, str) and names_a_secret(name):
            return REMOVED
        if type(value) is str:
            return self.text(value)
        if type(value) is int:
            return value if abs(value) < _SHORT_INTEGER else self._long_integer(value)
        return self._other(value, depth)

    def text(self, text: str) -> str:
        """Return the text, redacted, cut to its limit and valid in every encoding."""
        room = max(0, min(MAX_TEXT, self._left))
        cut = text[: room + _OVERLAP]
        if not cut.isascii():
            cut = cut.encode("utf-8", "backslashreplace").decode()
        cut = self._clean(cut)[:room]
        self._left -= len(cut)
        return cut if len(text) <= room else f"{cut}… ({len(text)} characters)"

    def _long_integer(self, value: int) -> int | str:
        if value.bit_length() > _PRINTABLE_BITS:
            return "an integer of very many digits"
        text = self.text(str(value))
        return value if text == str(value) and value.bit_length() <= _JSON_BITS else text

    def _other(self, value: object, depth: int) -> Any:
        if type(value) is float:
            return value if math.isfinite(value) else str(value)
        if isinstance(value, Enum):
            return self.value(value.value, depth=depth)
        if isinstance(value, bytes | bytearray):
            return self.text(value[:MAX_TEXT].decode("utf-8", "backslashreplace"))
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._many(value, depth) if depth < MAX_DEPTH else "…"
        return self.text(_text(value))

    def _many(self, values: Any, depth: int) -> Any:
        shown: Any
        if isinstance(values, Mapping):
            shown = {}
            for name, value in self._first(values.items()):
                key = self.text(_text(name))
                shown[key] = self.value(value, name=name, depth=depth + 1)
        else:
            shown = [self.value(value, depth=depth + 1) for value in self._first(values)]
        return shown

    def _first(self, values: Iterable[T]) -> Iterator[T]:
        return takewhile(lambda _: self._left > 0, islice(values, MAX_ITEMS))


def _end_of(text: object) -> object:
    """Return the last lines of a long text, each of them complete."""
    if not isinstance(text, str) or len(text) <= MAX_TEXT:
        return text
    return text[-MAX_TEXT:].partition("\n")[2]


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - foreign objects may fail in any way
        return f"<{type(value).__name__} that cannot be formatted: {type(error).__name__}>"
