"""Amounts as Stripe counts them, which is not always as ISO 4217 does.

From https://docs.stripe.com/currencies (minor units, special cases):

- Zero-decimal and two-decimal currencies are counted as ISO 4217 counts them, but MGA, which has
  two decimals there (a fifth of an ariary is the smallest part), has none at Stripe.
- ISK and UGX have no decimals, and for old times' sake are sent with two that are always 00:
  5 ISK are 500.
- The last digit of a three-decimal currency (BHD, JOD, KWD, OMR, TND) must be 0. Stripe advises to
  round to the nearest ten; a shop that took an amount that is not the order's would not be exact,
  so such an amount is refused here instead. Price in hundredths in these currencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quickshop.domain.errors import PaymentDeclinedError
from quickshop.domain.money import Money, exponent

_DECIMALS: Final[Mapping[str, int]] = {"ISK": 2, "UGX": 2, "MGA": 0}
_THOUSANDTHS: Final = 3


def to_stripe(money: Money) -> int:
    """The amount in Stripe's units.

    Raises:
        PaymentDeclinedError: Stripe cannot move exactly this amount.
    """
    shift = _decimals(money.currency) - exponent(money.currency)
    amount, rest = _shifted(money.minor, shift)
    if rest or (_decimals(money.currency) == _THOUSANDTHS and amount % 10):
        raise PaymentDeclinedError("amount_not_supported")
    return amount


def from_stripe(amount: Any, currency: Any) -> Money:
    """The money that Stripe means.

    Raises:
        ValueError: it is no amount of money.
        InvalidValueError: there is no such currency.
    """
    if type(amount) is not int or not isinstance(currency, str):
        raise ValueError("an amount is a whole number of some currency")
    code = currency.upper()
    minor, rest = _shifted(amount, exponent(code) - _decimals(code))
    if rest:
        raise ValueError("finer than the currency's minor unit")
    return Money(minor, code)


def _shifted(amount: int, decimals: int) -> tuple[int, int]:
    """The amount in units so many decimals finer, or coarser, and what is lost by that."""
    if decimals < 0:
        return divmod(amount, int(10**-decimals))
    return amount * int(10**decimals), 0


def _decimals(currency: str) -> int:
    return _DECIMALS.get(currency, exponent(currency))
