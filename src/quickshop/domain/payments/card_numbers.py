"""Telling card numbers, which a shop must never keep, from what a gateway made of them."""

from __future__ import annotations

from typing import Final
from unicodedata import category

_LENGTHS: Final = range(12, 20)
"""Digits of a primary account number: at most 19 (ISO/IEC 7812-1), at least 12 in practice."""
_SPACES_AND_DASHES: Final = frozenset({"Zs", "Pd"})


def looks_like_card_number(text: str) -> bool:
    """Whether it is one, as people write them: with spaces or dashes, or in digits of any script.

    By its length and its check digit, the Luhn formula: ISO/IEC 7812-1, annex B. From the right,
    every second digit is doubled, and of what comes out the digits are added; a card number's sum
    ends in 0.
    """
    written = [char for char in text if category(char) not in _SPACES_AND_DASHES]
    if len(written) not in _LENGTHS or not all(map(str.isdecimal, written)):
        return False
    digits = [int(char) for char in reversed(written)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
