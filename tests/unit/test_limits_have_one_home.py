"""Every limit of the domain is a constant there, and its number stands nowhere else as a limit."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

SRC: Final = Path(__file__).parents[2] / "src"
SHOP: Final = SRC / "quickshop"
DOMAIN: Final = SHOP / "domain"
FROZEN: Final = SHOP / "adapters" / "sql" / "migrations" / "versions"

LENGTHS: Final = frozenset({"max_length", "min_length"})
BOUNDS: Final = frozenset({"le", "lt", "ge", "gt", "max", "min", "most", "limit", "max_rows"})
COLUMNS: Final = frozenset({"String", "VARCHAR"})
SMALL: Final = 10
"""Bounds up to this one stand for themselves."""
SHORT: Final = 99
"""Comparisons with numbers up to this one, and slices of so few, are of all kinds of things."""
CALLED_A_LIMIT: Final = re.compile(r"MAX|MIN_|MOST|LONGEST|LIMIT")

COINCIDENCES: Final = frozenset(
    {
        ("settings.py", "le", 60),  # seconds
        ("settings.py", "le", 64),  # threads of a worker
        ("settings.py", "le", 100),  # connections of a process
        ("settings.py", "le", 10_000),  # API processes
        ("settings.py", "le", 1_000_000),  # requests per minute
        ("entrypoints/cli/processes.py", "max", 64),  # processes of a server
        ("adapters/mail/smtp.py", "comparison", 500),  # an SMTP status
        ("adapters/mail/smtp.py", "slice", 200),  # characters of a server's answer
        ("adapters/observability/records.py", "MAX_ITEMS", 50),  # facts of a log record
        ("application/identity/tokens.py", "MAX_SECRET_LENGTH", 200),  # of a secret looked up
        ("application/identity/tokens.py", "MOST_SESSIONS", 50),  # devices signed in
        ("application/orders.py", "MAX_TIMELINE", 200),  # entries shown
        ("ports/paging.py", "MAX_CURSOR_LENGTH", 2_000),  # of a cursor that is read
        ("ports/jobs.py", "MAX_FAILURE_LENGTH", 500),  # of why a job failed
        ("ports/paging.py", "DEFAULT_LIMIT", 20),  # items of a page
        ("entrypoints/cli/imports.py", "MAX_NOTES", 20),  # lines shown
        ("entrypoints/http/edge/hosts.py", "_MAX_LENGTH", 255),  # of a host name
        ("entrypoints/http/edge/redaction.py", "_MAX_VALUES", 200),  # values looked for
        ("shop/front.py", "limit", 100),  # jobs run in one go
        ("ports/payment_webhooks.py", "MAX_PROVIDER_LENGTH", 50),  # of a gateway's name
    }
)
"""File, place and number of limits that are of other things than those of the domain."""


def limits() -> Iterator[tuple[str, int | timedelta]]:
    """The name and value of each module-level `Final` of the domain that is one."""
    for path in sorted(DOMAIN.rglob("*.py")):
        name = ".".join(path.relative_to(SRC).with_suffix("").parts)
        module = importlib.import_module(name)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                value = getattr(module, node.target.id)
                if "Final" in ast.unparse(node.annotation) and type(value) in {int, timedelta}:
                    yield node.target.id, value


LIMITS: Final = tuple(limits())
NUMBERS: Final = frozenset(
    value for _, value in LIMITS if not isinstance(value, timedelta) and value > SMALL
)
LONG: Final = frozenset(number for number in NUMBERS if number > SHORT)
LIFETIMES: Final = frozenset(value for _, value in LIMITS if isinstance(value, timedelta))


def number_of(node: ast.AST | None) -> int | None:
    """The whole number that an expression of literals stands for."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Pow):
        left, right = number_of(node.left), number_of(node.right)
        if left is not None and right is not None and right < 2**20:
            return left * right if isinstance(node.op, ast.Mult) else left**right
    return None


def is_round(number: int) -> bool:
    """Whether it is a power of two or of ten, as many bounds are that have nothing in common."""
    return number & (number - 1) == 0 or re.fullmatch(r"10*", str(number)) is not None


def named(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def of_words(call: ast.Call) -> Iterator[tuple[str, int]]:
    for word in call.keywords:
        number = number_of(word.value)
        if number is None:
            continue
        if (word.arg in LENGTHS and number > 1) or (word.arg in BOUNDS and number in NUMBERS):
            yield str(word.arg), number


def of_call(call: ast.Call) -> Iterator[tuple[str, int]]:
    yield from of_words(call)
    name = named(call)
    if name == "timedelta" and all(number_of(word.value) for word in call.keywords):
        value = timedelta(**{str(word.arg): number_of(word.value) or 0 for word in call.keywords})
        if value in LIFETIMES:
            yield name, int(value.total_seconds())
    if name in COLUMNS and call.args and (number := number_of(call.args[0])):
        yield name, number
    if name == "CheckConstraint":
        texts = (str(part.value) for part in ast.walk(call) if isinstance(part, ast.Constant))
        for digits in re.findall(r"\b[0-9]+\b", " ".join(texts)):
            if int(digits) > 1:
                yield name, int(digits)


def of_node(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Each place where the number of a limit stands, and the number."""
    if isinstance(node, ast.Call):
        yield from of_call(node)
    elif isinstance(node, ast.Compare):
        for side in (node.left, *node.comparators):
            if (number := number_of(side)) is not None and number in LONG:
                yield "comparison", number
    elif isinstance(node, ast.Slice):
        for end in (node.lower, node.upper):
            if (number := number_of(end)) is not None and number in LONG:
                yield "slice", number
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        name, number = getattr(target, "id", ""), number_of(node.value)
        if number in NUMBERS and CALLED_A_LIMIT.search(name) and not is_round(number or 0):
            yield name, number or 0


def written(source: str) -> list[tuple[str, int]]:
    return [found for node in ast.walk(ast.parse(source)) for found in of_node(node)]


def files() -> Iterator[Path]:
    for path in sorted(SHOP.rglob("*.py")):
        if not path.is_relative_to(DOMAIN) and not path.is_relative_to(FROZEN):
            yield path


def test_the_limits_of_the_domain_are_found() -> None:
    known = dict(LIMITS)
    assert known["MAX_NAME_LENGTH"] == 255
    assert known["MAX_QUANTITY"] == 999
    assert known["KEY_LIFETIME"] == timedelta(hours=24)
    assert len(LIMITS) > 40


def test_each_limit_has_one_home() -> None:
    twice = [name for name, count in Counter(name for name, _ in LIMITS).items() if count > 1]
    assert not twice
    names = {name for name, _ in LIMITS}
    for path in files():
        defined = {
            node.target.id if isinstance(node, ast.AnnAssign) else node.targets[0].id  # type: ignore[attr-defined,union-attr]
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.AnnAssign | ast.Assign)
            and isinstance(getattr(node, "target", None) or node.targets[0], ast.Name)  # type: ignore[union-attr]
        }
        assert not defined & names, f"{path.relative_to(SHOP)} defines {defined & names} again"


def test_no_number_of_a_limit_is_written_outside_the_domain() -> None:
    found = [
        f"{place}: {kind} {number}"
        for path in files()
        for place in [path.relative_to(SHOP).as_posix()]
        for kind, number in written(path.read_text())
        if (place, kind, number) not in COINCIDENCES
    ]
    assert not found, "take these from their home in the domain:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "Name = Annotated[str, Field(max_length=255)]",
        "Name = Annotated[str, Field(max_length=7)]",
        "Quantity = Annotated[int, Field(ge=1, le=999)]",
        'CheckConstraint("quantity BETWEEN 1 AND 999", name="quantity")',
        'CheckConstraint(f"{column} <= 999", name="quantity")',
        'Column("name", String(255))',
        "if len(name) > 255: pass",
        "text[:255]",
        "MAX_TEXT: Final = 5_000",
        "_MOST = 2 * 1_000",
        "KEPT: Final = timedelta(hours=24)",
    ],
)
def test_a_number_that_is_planted_is_found(source: str) -> None:
    assert written(source)


@pytest.mark.parametrize(
    "source",
    [
        "Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]",
        'CheckConstraint(f"quantity BETWEEN 1 AND {MAX_QUANTITY}", name="quantity")',
        'CheckConstraint("quantity > 0", name="quantity")',
        "port = 255",
    ],
)
def test_what_names_its_limit_is_left_alone(source: str) -> None:
    assert not written(source)
