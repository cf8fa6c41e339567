"""Log records as lines of JSON, whatever is in them."""

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
"""Characters that are kept of one text; of a traceback the last ones."""
MAX_RECORD: Final = 4 * MAX_TEXT
"""Characters that are kept of one record."""
MAX_ITEMS: Final = 50
MAX_DEPTH: Final = 5

NO_REQUEST: Final = "-"
"""The `request_id` of a record that was written outside of any request."""

_OVERLAP: Final = 256
"""So far beyond the cut secrets are looked for, lest the half of one is kept."""
_FROM_END: Final = frozenset({"exception", "stack"})
_DROPPED: Final = frozenset(
    # uvicorn's colored copy of the message, and what another formatter may have left behind
    {"_record", "_from_structlog", "color_message", "message", "asctime"}
)
_OWN_WORDS: Final = frozenset({"debug", "info"})
"""Levels of records that quote no error."""
_SHORT_INTEGER: Final = 10**12
"""Integers from here on may be card numbers."""
_EXTRAS: Final = ExtraAdder()
_JSON: Final = json.JSONEncoder(allow_nan=False)
_JSON_BITS: Final = 63
_PRINTABLE_BITS: Final = 10_000
"""Python refuses to write down integers of very many digits."""


class JsonLines(ProcessorFormatter):
    """Formats each record as one line of JSON in ASCII, without secrets. Never raises.

    `confidential` tells the texts that are secrets where the record is written, as those of a
    request: they have no shape to know them by, and an error may quote one.
    """

    def __init__(self, confidential: Callable[[], Iterable[str]] = tuple) -> None:
        super().__init__(
            processors=[_with_facts, ExceptionRenderer(), StackInfoRenderer(), self._line]
        )
        self._confidential = confidential

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        try:
            return super().format(record)
        except Exception:  # noqa: BLE001 - a slip in a log call, or an argument that fails
            return self._format_what_can_be(record)

    def _format_what_can_be(self, record: logging.LogRecord) -> str:
        safe = logging.makeLogRecord(record.__dict__)
        safe.msg, safe.args = _message(record), ()
        try:
            return super().format(safe)
        except Exception as error:  # noqa: BLE001 - that there was something is told at least
            problem = f"its fields cannot be told: {type(error).__name__}"
            return self._line(None, "", _head(safe, safe.msg) | {"problem": problem})

    def _line(self, _logger: WrappedLogger | None, _method: str, event: EventDict) -> str:
        """Only what JSON has a word for, scrubbed, and no more of it than anyone reads."""
        secrets = () if event["level"] in _OWN_WORDS else tuple(self._confidential())
        if secrets:
            return _JSON.encode(_Writer(partial(_redact_all, secrets)).record(event))
        line = _JSON.encode(_Writer(_cut_only).record(event))
        # To look once for what may be a secret is cheaper than to search each field for all.
        if len(line) > MAX_TEXT or may_hold_secrets(line):
            line = _JSON.encode(_Writer(redact).record(event))
        return line


def _message(record: logging.LogRecord) -> str:
    """The text of a record; what does not fit into its template stands behind it."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a slip in a log call, or an argument that cannot be told
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
    """What every record has comes first, and no extra of the same name replaces it."""
    head = _head(event["_record"], event["event"])
    extras = _EXTRAS(logger, method, {"_record": event["_record"]})
    if extras.get("request_id") == NO_REQUEST:
        del extras["request_id"]
    return {**head, **extras, **event, **head}


def _cut_only(text: str) -> str:
    return text


def _redact_all(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        # As it is, and as it is quoted: `repr` and JSON escape what is not plain.
        for written in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
            text = text.replace(written, REMOVED)
    return redact(text)


class _Writer:
    """Makes the values of one record plain, within what there is room for."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._left = MAX_RECORD

    def record(self, event: EventDict) -> dict[str, Any]:
        """All that is to be told of a record."""
        plain = {}
        for name, value in islice(event.items(), MAX_ITEMS):
            if name not in _DROPPED:
                shown = self.text(str(name))
                told = _end_of(value) if name in _FROM_END else value
                plain[shown] = self.value(told, name=name)
        return plain

    def value(self, value: object, *, name: object = "", depth: int = 0) -> Any:
        """The value as JSON may hold it."""
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
        """The text, cut to what there is room for, and valid in every encoding."""
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
    """The last lines of a long text, none of them in part."""
    if not isinstance(text, str) or len(text) <= MAX_TEXT:
        return text
    return text[-MAX_TEXT:].partition("\n")[2]


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - objects of others may fail in any way
        return f"<{type(value).__name__} that cannot be told: {type(error).__name__}>"
