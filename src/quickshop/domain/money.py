"""Money: an exact amount in one currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from quickshop.domain.errors import CurrencyMismatchError, InvalidValueError
from quickshop.domain.values import require_whole

# ISO 4217:2015, list one, column "minor unit", where it is not 2. Display tables (CLDR) differ
# from it on purpose; payment gateways do not.
_NO_MINOR_UNIT = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()
)
_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

MAX_MINOR: Final = 10**17
"""Amounts stay below this, in minor units: they and sums of many fit 64-bit columns."""
MAX_PRICE_MINOR: Final = 10**12
"""Highest price of one unit: a full cart of such stays below `MAX_MINOR`."""

_CODE = re.compile(r"[A-Z]{3}")
_PLAIN_DECIMAL = re.compile(
    r"(?=[+-]?\.?[0-9])(?P<sign>[+-]?)0*(?P<whole>[0-9]{0,17})(?:\.(?P<fraction>[0-9]*))?"
)


def exponent(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    if currency in _NO_MINOR_UNIT:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor unit of its currency (cents for EUR, yen for JPY).

    Whole numbers only, so no sum can drift. Ordered only within one currency: comparing euros
    with yen raises, it does not answer.
    """

    minor: int
    currency: str
    """ISO 4217 code, upper case."""

    def __post_init__(self) -> None:
        """Refuse what is not money.

        Raises:
            InvalidValueError: no ISO 4217 code, or an amount too large to be true.
        """
        if not _CODE.fullmatch(self.currency):
            raise InvalidValueError("currency", "must be an ISO 4217 code such as USD")
        require_whole("amount", self.minor)
        if not -MAX_MINOR < self.minor < MAX_MINOR:
            raise InvalidValueError("amount", f"must lie within ±{MAX_MINOR} minor units")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in that currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read a decimal amount such as `36.00`, losing nothing.

        Raises:
            InvalidValueError: no plain decimal number, or finer than the currency's minor unit.
        """
        match = _PLAIN_DECIMAL.fullmatch(text.strip())
        if match is None:
            raise InvalidValueError("amount", "must be a decimal number such as 36.00")
        fraction = (match["fraction"] or "").rstrip("0")
        decimals = exponent(currency)
        if len(fraction) > decimals:
            raise InvalidValueError(
                "amount", f"has more than the {decimals} decimals of {currency}"
            )
        minor = int(f"0{match['whole']}{fraction.ljust(decimals, '0')}")
        return cls(-minor if match["sign"] == "-" else minor, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in the major unit, exact: 1999 USD cents are `19.99`."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        """Add, within one currency."""
        self._require_same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Subtract, within one currency."""
        self._require_same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> Money:
        """Multiply by a whole number."""
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare, within one currency."""
        self._require_same_currency(other)
        return self.minor < other.minor

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share the amount in proportion to `weights`, losing no minor unit.

        The largest-remainder method: what rounding leaves over goes one unit each to the shares
        that rounding hurt most, the earlier of equals first.

        Raises:
            InvalidValueError: `weights` is empty, has a negative, or adds up to zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise InvalidValueError("weights", "must be non-negative and not all zero")
        shares = [self.minor * weight // total for weight in weights]
        by_loss = sorted(
            range(len(weights)), key=lambda n: (-(self.minor * weights[n] % total), n)
        )
        for n in by_loss[: self.minor - sum(shares)]:
            shares[n] += 1
        return [Money(share, self.currency) for share in shares]

    def _require_same_currency(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatchError(self.currency, other.currency)


def total(amounts: Sequence[Money], currency: str) -> Money:
    """Add up amounts of one currency; none at all make zero."""
    return sum(amounts, start=Money.zero(currency))
