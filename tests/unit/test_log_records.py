"""Every log record is one line of JSON, whatever is in it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

import pytest

from quickshop.adapters.observability.records import MAX_RECORD, JsonLines
from quickshop.domain.orders import OrderStatus
from tests.builders import eur

ID = UUID("0190f3a1-5d2c-7b3a-9c4e-4242424242aa")


class Rude:
    """Cannot be told in any way."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no")

    __repr__ = __str__


class RudeMapping(dict[str, object]):
    def items(self) -> NoReturn:  # type: ignore[override]
        raise RuntimeError("no")


class RudeError(Exception):
    def __str__(self) -> NoReturn:
        raise RuntimeError("no")


def endless() -> list[Any]:
    knot: list[Any] = []
    knot.append(knot)
    return knot


def line(message: object = "something happened", *args: object, **facts: Any) -> str:
    """The record as it is written."""
    exc_info = facts.pop("exc_info", None)
    logger = logging.getLogger("quickshop.test")
    record = logger.makeRecord(
        "quickshop.test", logging.INFO, __file__, 1, message, args, exc_info, extra=facts
    )
    return JsonLines().format(record)


def told(*message: object, **facts: Any) -> dict[str, Any]:
    """What a strict reader makes of the line."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    written = line(*message, **facts)
    assert written.isascii()
    assert len(written.splitlines()) == 1
    assert len(written) < 8 * MAX_RECORD
    document: dict[str, Any] = json.loads(written, parse_constant=refuse)
    json.dumps(document, ensure_ascii=False).encode()
    return document


def raised(error: BaseException, cause: BaseException | None = None) -> Any:
    with pytest.raises(type(error)) as info:
        raise error from cause
    return info.type, info.value, info.tb


@pytest.mark.parametrize(
    "value",
    [
        *("a\nb", "a\r\nb", "\x00\x1b[31m\x7f\x85\u2028\u2029", "\ud800 alone", "🚲 Größe"),
        *('"}\n{"level": "error"', "%s %d %(x)s", "x" * 1_000_000, "\ud800" * 100_000),
        *(float("nan"), float("inf"), -float("inf"), 10**5000, -(2**70), Decimal("NaN")),
        *(b"\x00\xff\n", bytearray(b"x"), memoryview(b"y"), b"z" * 1_000_000),
        *(Rude(), [Rude()], {Rude(): Rude()}, RudeMapping(), object, lambda: None),
        *({1: {2: {3: {4: {5: {6: {7: 8}}}}}}}, [[[]]] * 1000, endless(), set("ab"), {None: None}),
        *({str(n): "y" * 9_999 for n in range(999)}, [[[["z"] * 99] * 99] * 99] * 99),
        *(datetime(2026, 1, 1, tzinfo=UTC), ID, eur(1), OrderStatus.PAID, ValueError("a\nb"), ...),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_in_a_field_the_record_is_one_line(value: object) -> None:
    document = told(fact=value, event=value, level=value)
    assert document["logger"] == "quickshop.test"
    if not isinstance(value, RudeMapping):
        assert (document["level"], document["event"]) == ("info", "something happened")
        assert "fact" in document


@pytest.mark.parametrize(
    "message",
    [
        *(("%d units", "many"), ("%s and %s", "one"), ("none", "of", "these"), ("%", 1)),
        *(("%s", Rude()), (Rude(),), ("%(x)s", {"y": 1}), ("a\nb %s", "c\nd"), (None,), (b"\n",)),
        (eur(1),),
    ],
    ids=lambda message: type(message[-1]).__name__,
)
def test_a_slip_in_a_log_call_is_one_line_too(message: tuple[object, ...]) -> None:
    document = told(*message)
    assert isinstance(document["event"], str)


def test_the_words_of_a_slip_are_kept() -> None:
    assert told("%d units of %s", "many", "MUG")["event"] == "%d units of %s ('many', 'MUG')"


@pytest.mark.parametrize(
    "exc_info",
    [
        *(raised(RudeError()), raised(ValueError("a\nb")), raised(KeyboardInterrupt())),
        *(raised(ValueError("x" * 1_000_000)), raised(ExceptionGroup("g", [ValueError("\n")]))),
        *((None, None, None), ("rubbish", 1, 2), 7),
    ],
    ids=lambda exc_info: type(exc_info).__name__,
)
def test_whatever_was_raised_the_record_is_one_line(exc_info: Any) -> None:
    assert told(exc_info=exc_info)["event"] == "something happened"


def test_a_chain_of_errors_is_one_text() -> None:
    trace = told(exc_info=raised(ValueError("second"), cause=KeyError("first")))["exception"]
    assert trace.index("first") < trace.index("direct cause") < trace.index("second")


def test_of_a_long_traceback_the_end_is_kept() -> None:
    trace = told(exc_info=raised(ValueError("end"), cause=KeyError("y\n" * 9_999)))["exception"]
    assert trace.endswith("ValueError: end")


def test_a_record_says_when_how_bad_and_about_what() -> None:
    document = told("order placed", order_id=ID, amount_minor=1999, currency="EUR", fast=True)
    at = datetime.fromisoformat(document.pop("timestamp"))
    assert at.tzinfo == UTC
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert document == {
        "level": "info",
        "logger": "quickshop.test",
        "event": "order placed",
        "order_id": str(ID),
        "amount_minor": 1999,
        "currency": "EUR",
        "fast": True,
    }


@pytest.mark.parametrize(("request_id", "shown"), [("find-me", "find-me"), ("-", None)])
def test_the_request_is_named_when_there_is_one(request_id: str, shown: str | None) -> None:
    assert told(request_id=request_id).get("request_id") == shown


def test_another_formatter_that_saw_the_record_leaves_no_trace() -> None:
    record = logging.makeLogRecord({"msg": "once", "name": "x"})
    logging.Formatter("%(asctime)s %(message)s").format(record)
    assert json.loads(JsonLines().format(record)).keys() == {
        *("timestamp", "level", "logger", "event")
    }


def test_what_was_said_in_confidence_is_not_told_by_an_error() -> None:
    logger = logging.getLogger("quickshop.test")
    secrets = ['horse "battery"\n', "c4n4ry staple"]
    error = ValueError(f"no {secrets}, nor {secrets[1]} {json.dumps(secrets)}")
    record = logger.makeRecord(
        "quickshop.test",
        logging.ERROR,
        __file__,
        1,
        "%s failed",
        (error,),
        (ValueError, error, None),
    )
    written = JsonLines(lambda: secrets).format(record)
    assert "battery" not in written
    assert "c4n4ry" not in written
    assert "nor [removed]" in json.loads(written)["event"]
