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
"""Exclusive limit of an amount, in minor units, so that sums of many fit 64-bit columns."""
MAX_PRICE_MINOR: Final = 10**12
"""Highest price of one unit, in minor units: a full cart at this price is below `MAX_MINOR`."""

_CODE = re.compile(r"[A-Z]{3}")
_PLAIN_DECIMAL = re.compile(
    r"(?=[+-]?\.?[0-9])(?P<sign>[+-]?)0*(?P<whole>[0-9]{0,17})(?:\.(?P<fraction>[0-9]*))?"
)


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    if currency in _NO_MINOR_UNIT:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor unit of its currency (cents for EUR, yen for JPY).

    Only whole numbers, so sums are exact. Comparing amounts of different currencies raises
    `CurrencyMismatchError`.
    """

    minor: int
    currency: str
    """ISO 4217 code, upper case."""

    def __post_init__(self) -> None:
        """Check the amount and the currency.

        Raises:
            InvalidValueError: the currency is not an ISO 4217 code, or the amount is not below
                `MAX_MINOR`.
        """
        if not _CODE.fullmatch(self.currency):
            raise InvalidValueError("currency", "must be an ISO 4217 code such as USD")
        require_whole("amount", self.minor)
        if not -MAX_MINOR < self.minor < MAX_MINOR:
            raise InvalidValueError("amount", f"must be below {MAX_MINOR:,} minor units")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return an amount of 0 in the currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Return the exact amount of a decimal text such as `36.00`.

        Raises:
            InvalidValueError: the text is not a plain decimal number, or has more decimals than
                the currency.
        """
        match = _PLAIN_DECIMAL.fullmatch(text.strip())
        if match is None:
            raise InvalidValueError("amount", "must be a decimal number such as 36.00")
        fraction = (match["fraction"] or "").rstrip("0")
        decimals = exponent(currency)
        if len(fraction) > decimals:
            raise InvalidValueError(
                "amount", f"must have at most {decimals} decimals in {currency}"
            )
        minor = int(f"0{match['whole']}{fraction.ljust(decimals, '0')}")
        return cls(-minor if match["sign"] == "-" else minor, currency)

    @property
    def decimal(self) -> Decimal:
        """The exact amount in the major unit: 1999 USD cents are `19.99`."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        """Return the amount with its currency, as messages state it: `19.99 USD`."""
        return f"{self.decimal:f} {self.currency}"

    def __add__(self, other: Money) -> Money:
        """Return the sum of two amounts of one currency."""
        self._require_same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference of two amounts of one currency."""
        self._require_same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> Money:
        """Return the amount multiplied by a whole number."""
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare two amounts of one currency."""
        self._require_same_currency(other)
        return self.minor < other.minor

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Return the amount split in proportion to `weights`; the shares add up to the amount.

        Largest-remainder method: each minor unit left by rounding down goes to the share that lost
        most by it; of equal shares, the earlier one first.

        Raises:
            InvalidValueError: `weights` is empty, contains a negative number, or adds up to 0.
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
    """Return the sum of amounts of one currency; 0 when there are none."""
    return sum(amounts, start=Money.zero(currency))
