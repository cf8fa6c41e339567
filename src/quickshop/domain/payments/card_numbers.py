"""Detection of card numbers, which a shop must never store."""

from __future__ import annotations

from typing import Final
from unicodedata import category

_LENGTHS: Final = range(12, 20)
"""Digits in a primary account number: at most 19 (ISO/IEC 7812-1), at least 12 in practice."""
_SPACES_AND_DASHES: Final = frozenset({"Zs", "Pd"})


def looks_like_card_number(text: str) -> bool:
    """Return whether the text has the length and check digit of a card number.

    Spaces, dashes and digits of any script are accepted. The check digit is the Luhn formula of
    ISO/IEC 7812-1, annex B: from the right, double every second digit and add the digits of all
    results; the sum of a card number ends in 0.
    """
    written = [char for char in text if category(char) not in _SPACES_AND_DASHES]
    if len(written) not in _LENGTHS or not all(map(str.isdecimal, written)):
        return False
    digits = [int(char) for char in reversed(written)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
