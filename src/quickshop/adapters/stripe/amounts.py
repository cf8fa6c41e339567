"""Amounts in Stripe's units, which sometimes differ from ISO 4217.

From https://docs.stripe.com/currencies (minor units, special cases):

- Zero-decimal and two-decimal currencies have the units of ISO 4217, except MGA: it has two
  decimals in ISO 4217 (its smallest part is a fifth of an ariary), and none at Stripe.
- ISK and UGX have no decimals, but for backward compatibility are sent with two that are always
  00: 5 ISK are 500.
- The last digit of a three-decimal currency (BHD, JOD, KWD, OMR, TND) must be 0. Stripe advises
  rounding to the nearest ten. The payment would then differ from the order, so such an amount is
  refused instead. In these currencies, set prices in hundredths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quickshop.domain.errors import PaymentDeclinedError
from quickshop.domain.money import Money, exponent

_DECIMALS: Final[Mapping[str, int]] = {"ISK": 2, "UGX": 2, "MGA": 0}
_THOUSANDTHS: Final = 3


def to_stripe(money: Money) -> int:
    """Return the amount in Stripe's units.

    Raises:
        PaymentDeclinedError: Stripe cannot move exactly this amount.
    """
    shift = _decimals(money.currency) - exponent(money.currency)
    amount, rest = _shifted(money.minor, shift)
    if rest or (_decimals(money.currency) == _THOUSANDTHS and amount % 10):
        raise PaymentDeclinedError("amount_not_supported")
    return amount


def from_stripe(amount: Any, currency: Any) -> Money:
    """Return the money of an amount in Stripe's units.

    Raises:
        ValueError: the amount is not valid.
        InvalidValueError: the currency is unknown.
    """
    if type(amount) is not int or not isinstance(currency, str):
        raise ValueError("an amount must be a whole number with a currency")
    code = currency.upper()
    minor, rest = _shifted(amount, exponent(code) - _decimals(code))
    if rest:
        raise ValueError("the amount is finer than the currency's minor unit")
    return Money(minor, code)


def _shifted(amount: int, decimals: int) -> tuple[int, int]:
    """Return the amount in units `decimals` finer (or coarser), and the remainder."""
    if decimals < 0:
        return divmod(amount, int(10**-decimals))
    return amount * int(10**decimals), 0


def _decimals(currency: str) -> int:
    return _DECIMALS.get(currency, exponent(currency))
