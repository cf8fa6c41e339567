"""What comes of paying with which payment method: Stripe's own names for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a card is refused."""

    code: str
    decline_code: str | None


_GENERIC: Final = Decline("card_declined", "generic_decline")
DECLINES: Final = {
    "pm_card_visa_chargeDeclined": _GENERIC,
    "pm_card_chargeDeclined": _GENERIC,
    "pm_card_chargeCustomerFail": _GENERIC,
    "pm_card_visa_chargeDeclinedInsufficientFunds": Decline("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": Decline("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": Decline("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": Decline("expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": Decline("incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": Decline("processing_error", "processing_error"),
}
NEEDS_ACTION: Final = frozenset(
    {"pm_card_threeDSecure2Required", "pm_card_authenticationRequired"}
)
REFUND_FAILS: Final = "pm_card_refundFail"
MISSING: Final = "pm_missing"

_WHOLE_HUNDREDS: Final = frozenset({"isk", "ugx"})
_WHOLE_TENS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def is_chargeable(amount: int, currency: str) -> bool:
    """Whether Stripe takes this amount in this currency."""
    step = 100 if currency in _WHOLE_HUNDREDS else 10 if currency in _WHOLE_TENS else 1
    return amount % step == 0
