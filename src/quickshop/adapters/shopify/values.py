"""Parsers of single cells. Each raises InvalidValueError with the rule that a value must meet."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from quickshop.domain.catalog_rules import MAX_WEIGHT_GRAMS
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.inventory import MAX_UNITS
from quickshop.domain.money import MAX_PRICE_MINOR, Money
from quickshop.domain.values import is_https_url

MAX_POSITION: Final = 999_999

_DECIMAL: Final = re.compile(r"-?(\d{1,15}(\.\d{0,13})?|\.\d{1,13})", re.ASCII)
_STATUSES: Final = frozenset({"active", "draft", "archived", "unlisted"})


def amount(text: str, currency: str) -> Money:
    """Parse a price, which must not be negative."""
    if not _DECIMAL.fullmatch(text):
        raise InvalidValueError(
            "amount",
            "must be a plain number such as 1299.00, with no currency sign or thousands separator",
        )
    money = Money.parse(text, currency)
    if money.minor < 0:
        raise InvalidValueError("amount", "must not be negative")
    if money.minor > MAX_PRICE_MINOR:
        raise InvalidValueError(
            "amount", f"must be at most {Money(MAX_PRICE_MINOR, currency).decimal}"
        )
    return money


def quantity(text: str) -> int:
    """Parse a number of units, which may be negative; `3.0` is 3."""
    number = Decimal(text) if _DECIMAL.fullmatch(text) else Decimal("0.5")
    if number != number.to_integral_value():
        raise InvalidValueError("quantity", "must be a whole number such as 12")
    if abs(number) > MAX_UNITS:
        raise InvalidValueError("quantity", f"must be at most {MAX_UNITS}")
    return int(number)


def position(text: str) -> int:
    """Parse the position of an image, counting from 1."""
    if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII):
        raise InvalidValueError("position", f"must be a whole number from 1 to {MAX_POSITION}")
    return int(text)


def grams(text: str) -> int:
    """Parse a weight, rounded to whole grams."""
    number = Decimal(text) if _DECIMAL.fullmatch(text) else Decimal(-1)
    if not 0 <= number <= MAX_WEIGHT_GRAMS:
        raise InvalidValueError("weight", "must be a number of grams such as 250")
    return int(number.to_integral_value(ROUND_HALF_UP))


def flag(text: str) -> bool:
    """Parse true or false."""
    if text.casefold() not in {"true", "false"}:
        raise InvalidValueError("flag", "must be true or false")
    return text.casefold() == "true"


def is_active(text: str) -> bool:
    """Return whether a product of this status is visible to shoppers."""
    if text.casefold() not in _STATUSES:
        raise InvalidValueError("status", "must be active, draft or archived")
    return text.casefold() == "active"


def sells_on(text: str) -> bool:
    """Return whether an inventory policy continues selling when out of stock."""
    if text.casefold() not in {"deny", "continue"}:
        raise InvalidValueError("policy", "must be deny or continue")
    return text.casefold() == "continue"


def image_url(text: str) -> str:
    """Parse the address of an image."""
    if not is_https_url(text):
        raise InvalidValueError(
            "url", "must be an https address such as https://example.com/a.jpg"
        )
    return text


def one_line(text: str) -> str:
    """Return the text on one line, without characters that cannot be printed."""
    if text.isprintable():
        return text
    kept = (char if char.isprintable() else " " if char.isspace() else "" for char in text)
    return "".join(kept).strip()
