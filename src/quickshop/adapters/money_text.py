"""Formatting of amounts of money."""

from __future__ import annotations

from typing import Final

from babel.numbers import format_currency, get_currency_symbol

from quickshop.domain.money import Money, exponent

LOCALE: Final = "en_US"


def money(amount: Money) -> str:
    """Format an amount with all decimals of its currency: `$1,234.50`.

    The decimals are those of ISO 4217, as in `Money`. Babel's own table rounds some currencies to
    the smallest amount in cash.
    """
    decimals = exponent(amount.currency)
    symbol = get_currency_symbol(amount.currency, LOCALE)
    pattern = "¤" + ("\N{NO-BREAK SPACE}" if symbol[-1].isalpha() else "") + "#,##0"
    return format_currency(
        amount.decimal,
        amount.currency,
        f"{pattern}.{'0' * decimals}" if decimals else pattern,
        locale=LOCALE,
        currency_digits=False,
    )
