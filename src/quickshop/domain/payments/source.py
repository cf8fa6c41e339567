"""What a shopper pays with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.payments.card_numbers import looks_like_card_number
from quickshop.domain.values import require_text

MAX_TOKEN_LENGTH: Final = 255
"""Characters in what a gateway made of a card."""
MAX_METHOD_LENGTH: Final = 50
"""Characters in the name of a way to pay."""
MAX_REFERENCE_LENGTH: Final = 255
"""Characters in a gateway's name for a charge or a message."""


@dataclass(frozen=True, slots=True)
class PaymentSource:
    """How the shopper pays: a method (`card`) and the gateway's token for it, never a number."""

    token: str
    method: str = "card"

    def __post_init__(self) -> None:
        """Refuse what no gateway issued. A card number is never taken, let alone kept.

        Raises:
            InvalidValueError: blank, too long, not printable, or a card number.
        """
        require_text("payment.token", self.token, max_length=MAX_TOKEN_LENGTH)
        require_text("payment.method", self.method, max_length=MAX_METHOD_LENGTH)
        if looks_like_card_number(self.token):
            raise InvalidValueError(
                "payment.token", "must be what the gateway made of the card, never a card number"
            )
        if looks_like_card_number(self.method):
            raise InvalidValueError("payment.method", "must be a way to pay, never a card number")
