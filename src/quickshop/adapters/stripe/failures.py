"""The translation of Stripe's errors into payment errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import stripe

from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError

_HTTP_SERVER_ERROR: Final = 500

_CONCEALED: Final = frozenset(
    "generic_decline fraudulent lost_card stolen_card merchant_blacklist pickup_card"
    " restricted_card security_violation".split()
)
"""Reasons that must not be shown to the cardholder, or that say nothing."""

_SHOPPERS: Final = frozenset({"payment_method", "payment_method_types[0]", "amount", "currency"})
"""Parameters that depend on the shopper or the price: another card or order may work."""


def is_stuck(error: PaymentUnknownError) -> bool:
    """Return whether Stripe stored its own failure with this key, and replays it for a day."""
    cause = error.__cause__
    return (
        isinstance(cause, stripe.StripeError)
        and (cause.http_status or 0) >= _HTTP_SERVER_ERROR
        and is_replayed(cause.headers)
    )


def decline_reason(error: object) -> str:
    """Return the reason of a decline: the bank's code, if it may be shown."""
    code = getattr(error, "decline_code", None)
    if code and code not in _CONCEALED:
        return str(code)
    return getattr(error, "code", None) or "card_declined"


@contextmanager
def translated() -> Iterator[None]:
    """Turn Stripe's errors into the port's.

    Raises:
        PaymentDeclinedError: the payment was declined, and no money moved.
        PaymentUnknownError: there was no answer, or an inconclusive one.
        AdapterError: Stripe does not accept the request.
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
        raise AdapterError(
            "the Stripe idempotency key of this payment was used for another request"
        ) from error
    except stripe.AuthenticationError:
        # Not chained: its message contains parts of the key.
        raise AdapterError(
            "Stripe does not accept the secret key: see QUICKSHOP_STRIPE_SECRET_KEY"
        ) from None
    except stripe.PermissionError:
        raise AdapterError(
            "the Stripe secret key lacks a permission: see QUICKSHOP_STRIPE_SECRET_KEY"
        ) from None
    except stripe.StripeError as error:
        raise PaymentUnknownError(f"Stripe gave no answer: {type(error).__name__}") from error


def is_replayed(headers: object) -> bool:
    """Return whether an answer is the stored answer of an earlier call."""
    get = getattr(headers, "get", None)
    return get is not None and get("Idempotent-Replayed") == "true"


def _named(error: stripe.InvalidRequestError) -> str:
    return " ".join(filter(None, [error.code or "invalid_request", error.param]))
