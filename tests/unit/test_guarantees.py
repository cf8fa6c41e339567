"""The page of promises names tests that exist, and has some for each promise."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "explanation" / "guarantees.md"
PROMISES: Final = range(1, 24)
NOT_YET: Final = {10: "there are no coupons and no gift cards"}
"""Promises about what does not exist, and how the page says so."""

_SECTION: Final = re.compile(r"^## (\d+)\. ", flags=re.MULTILINE)
_LINK: Final = re.compile(r"\[([^]]+)\]\(([^)#\s]+)\)")


def sections() -> dict[int, str]:
    """The text about each promise, by its number."""
    _, *parts = _SECTION.split(PAGE.read_text())
    return {int(n): text for n, text in zip(parts[::2], parts[1::2], strict=True)}


def named_in(text: str) -> list[tuple[str, Path]]:
    """Names of tests, and the files that they are said to be in."""
    return [
        (name.strip("`"), (PAGE.parent / path).resolve())
        for name, path in _LINK.findall(text)
        if name.startswith("`")
    ]


@cache
def defined_in(file: Path) -> frozenset[str]:
    """Every function and class of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree = ast.parse(file.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def promised_in(text: str) -> list[str]:
    """The lines of a section's table, one for each part of the promise."""
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def test_the_page_is_about_every_promise_in_its_order() -> None:
    assert list(sections()) == list(PROMISES)


@pytest.mark.parametrize("number", [n for n in PROMISES if n not in NOT_YET])
def test_each_part_of_a_promise_has_a_test_and_a_place_for_its_figure(number: int) -> None:
    parts = promised_in(sections()[number])
    assert parts
    for part in parts:
        assert len(part.strip("|").split("|")) == 3, part
        assert named_in(part), f"no test: {part}"


@pytest.mark.parametrize("number", NOT_YET)
def test_a_promise_without_a_test_says_why(number: int) -> None:
    text = sections()[number]
    assert not named_in(text)
    assert NOT_YET[number] in text


@pytest.mark.parametrize("number", PROMISES)
def test_every_test_that_is_named_exists(number: int) -> None:
    for name, file in named_in(sections()[number]):
        assert file.is_file(), file
        assert name.startswith("test_")
        assert name in defined_in(file), f"{name} is not in {file.relative_to(ROOT)}"


def test_every_file_that_is_named_exists() -> None:
    for name, path in _LINK.findall(PAGE.read_text()):
        assert (PAGE.parent / path).is_file(), f"{name}: {path}"
