"""What Stripe's errors mean for a payment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import stripe

from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError

_HTTP_SERVER_ERROR: Final = 500

_KEPT_QUIET: Final = frozenset(
    "generic_decline fraudulent lost_card stolen_card merchant_blacklist pickup_card"
    " restricted_card security_violation".split()
)
"""Reasons that nobody who holds the card may be told, or that say nothing."""

_SHOPPERS: Final = frozenset({"payment_method", "payment_method_types[0]", "amount", "currency"})
"""Parameters that a shopper or a price decides: another card or another order may work."""


def is_stuck(error: PaymentUnknownError) -> bool:
    """Whether Stripe remembers a failure of its own under this key, and repeats it for a day."""
    cause = error.__cause__
    return (
        isinstance(cause, stripe.StripeError)
        and (cause.http_status or 0) >= _HTTP_SERVER_ERROR
        and is_replayed(cause.headers)
    )


def decline_reason(error: object) -> str:
    """What to say of a refusal: the bank's word, where there is one that may be repeated."""
    word = getattr(error, "decline_code", None)
    if word and word not in _KEPT_QUIET:
        return str(word)
    return getattr(error, "code", None) or "card_declined"


@contextmanager
def translated() -> Iterator[None]:
    """Turn Stripe's errors into the port's.

    Raises:
        PaymentDeclinedError: refused, and no money moved.
        PaymentUnknownError: no answer, or none that tells.
        AdapterError: the shop asks in a way that Stripe does not accept.
    """
    try:
        yield
    except stripe.CardError as error:
        raise PaymentDeclinedError(decline_reason(error.error)) from error
    except stripe.InvalidRequestError as error:
        if error.param in _SHOPPERS:
            raise PaymentDeclinedError(error.code or f"{error.param}_not_accepted") from error
        raise AdapterError(f"Stripe refused the request: {_named(error)}") from error
    except stripe.IdempotencyError as error:
        raise AdapterError("Stripe knows this payment's key for another request") from error
    except stripe.AuthenticationError:
        # Not chained: its message has parts of the key.
        raise AdapterError(
            "Stripe does not accept the secret key: see QUICKSHOP_STRIPE_SECRET_KEY"
        ) from None
    except stripe.PermissionError:
        raise AdapterError(
            "Stripe does not let this secret key do that: see QUICKSHOP_STRIPE_SECRET_KEY"
        ) from None
    except stripe.StripeError as error:
        raise PaymentUnknownError(f"Stripe gave no answer: {type(error).__name__}") from error


def is_replayed(headers: object) -> bool:
    """Whether an answer is the stored one of an earlier call."""
    get = getattr(headers, "get", None)
    return get is not None and get("Idempotent-Replayed") == "true"


def _named(error: stripe.InvalidRequestError) -> str:
    return " ".join(filter(None, [error.code or "invalid_request", error.param]))
