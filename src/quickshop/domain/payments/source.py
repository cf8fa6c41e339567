"""The payment source: the method and the gateway's token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.payments.card_numbers import looks_like_card_number
from quickshop.domain.values import require_text

MAX_TOKEN_LENGTH: Final = 255
"""Characters in the gateway's token for a card."""
MAX_METHOD_LENGTH: Final = 50
"""Characters in the name of a payment method."""
MAX_REFERENCE_LENGTH: Final = 255
"""Characters in a gateway's id of a charge or a message."""


@dataclass(frozen=True, slots=True)
class PaymentSource:
    """How the shopper pays: a method (`card`) and the gateway's token, never a card number."""

    token: str
    method: str = "card"

    def __post_init__(self) -> None:
        """Check that the token can come from a gateway. Card numbers are never accepted or stored.

        Raises:
            InvalidValueError: a part is blank, too long, not printable, or a card number.
        """
        require_text("payment.token", self.token, max_length=MAX_TOKEN_LENGTH)
        require_text("payment.method", self.method, max_length=MAX_METHOD_LENGTH)
        if looks_like_card_number(self.token):
            raise InvalidValueError(
                "payment.token", "must be the gateway's token for the card, never a card number"
            )
        if looks_like_card_number(self.method):
            raise InvalidValueError(
                "payment.method", "must be a payment method, never a card number"
            )
