"""Money in JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quickshop.domain.money import MAX_MINOR, MAX_PRICE_MINOR, Money
from quickshop.entrypoints.http.models import Input, Output
from quickshop.entrypoints.http.sentences import CURRENCY_PATTERN

MinorUnits = Annotated[int, Field(description="In the currency's minor unit: 1999 is 19.99 USD.")]


class MoneyOut(Output):
    """An amount."""

    amount: Annotated[MinorUnits, Field(validation_alias="minor")]
    currency: Annotated[str, Field(description="ISO 4217 code.")]


class MoneyIn(Input):
    """An amount, zero or more."""

    amount: Annotated[MinorUnits, Field(ge=0, lt=MAX_MINOR, examples=[3700])]
    currency: Annotated[
        str,
        Field(
            pattern=CURRENCY_PATTERN,
            description="ISO 4217 code: the currency of the shop.",
            examples=["USD"],
        ),
    ]

    def to_domain(self) -> Money:
        """Return the amount as domain money."""
        return Money(self.amount, self.currency)


class UnitPriceIn(MoneyIn):
    """The price of one unit."""

    amount: Annotated[MinorUnits, Field(ge=0, le=MAX_PRICE_MINOR, examples=[3700])]


class PositiveMoneyIn(MoneyIn):
    """An amount above 0."""

    amount: Annotated[MinorUnits, Field(ge=1, lt=MAX_MINOR, examples=[3700])]
