"""Payments through Stripe's PaymentIntents (for the reasons see ADR-0008)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from uuid import UUID, uuid4

from typing_extensions import override

from quickshop.domain.errors import (
    AdapterError,
    MissingExtraError,
    PaymentDeclinedError,
    PaymentUnknownError,
    QuickShopError,
)
from quickshop.ports.payments import PaymentGateway

try:
    import requests
    import stripe
    from requests.adapters import HTTPAdapter
    from stripe import PaymentIntent
except ModuleNotFoundError as error:
    raise MissingExtraError("stripe", "paying through Stripe") from error

from quickshop.adapters.stripe.amounts import from_stripe, to_stripe
from quickshop.adapters.stripe.failures import (
    decline_reason,
    is_replayed,
    is_stuck,
    translated,
)
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.payments import Charge, ChargeState
from quickshop.ports.services import CheckedService

KEY_NAME: Final = "quickshop_key"
"""Name of the metadata that holds the payment key of an intent or refund."""

_API_BASE: Final = "https://api.stripe.com"
_CONNECTIONS: Final = 64
_KEYS_LAST_SECONDS: Final = 12 * 3600
"""Half of the 24 hours for which Stripe keeps idempotency keys, to allow for clock differences."""

_SEARCH_LIMIT: Final = 100
_MADE: Final = "requires_confirmation"
"""The status of an intent that has not been confirmed yet."""
_REFUSED: Final = "requires_payment_method"
"""The status after a declined card: until the intent is canceled, another card may be tried."""
_CLOSED: Final = "abandoned"
"""The cancellation reason of declined intents only."""

_STATES: Final = {
    "requires_action": ChargeState.ACTION_REQUIRED,
    "requires_capture": ChargeState.AUTHORIZED,
    "succeeded": ChargeState.CAPTURED,
    "canceled": ChargeState.CANCELED,
}


class StripeGateway(PaymentGateway, CheckedService):
    """A `PaymentGateway` on a Stripe account. Safe to share between threads.

    `source.token` is a PaymentMethod (`pm_...`) that the shopper's browser received from Stripe,
    and `source.method` its type. Each request to Stripe ends within `timeout_seconds`. A charge
    makes two requests, and four or five after an earlier failure.
    """

    def __init__(
        self, secret_key: str, *, timeout_seconds: float, api_base: str = _API_BASE
    ) -> None:
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        self._session.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            max_network_retries=0,  # jobs retry, within their time limit
            http_client=stripe.RequestsClient(timeout=timeout_seconds, session=self._session),
        )
        self._api_base = api_base
        self._timeout_seconds = timeout_seconds
        self._is_test = "_test_" in secret_key
        self._intents = client.v1.payment_intents
        self._refunds = client.v1.refunds

    @override
    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        intent = self._intent(amount, source, key, capture=capture)
        if intent.status == _MADE:
            intent = self._confirmed(intent, key)
        return self._outcome(intent)

    @override
    def find(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        """Find the intent of this key; an intent that this call creates takes no money.

        Raises:
            PaymentDeclinedError: the payment was declined, and no money moves.
            PaymentUnknownError: there was no answer.
            AdapterError: Stripe does not accept the request.
        """
        return self._outcome(self._intent(amount, source, key, capture=capture))

    @override
    def capture(self, reference: str, amount: Money, *, key: str) -> Charge:
        wanted = to_stripe(amount)
        intent = self._done(
            reference,
            lambda key: self._intents.capture(
                reference, {"amount_to_capture": wanted}, {"idempotency_key": key}
            ),
            key,
        )
        if intent.status == "requires_capture":
            raise AdapterError("Stripe does not capture this amount of the payment")
        if intent.status != "succeeded":
            raise PaymentDeclinedError("authorization_expired")
        return _charge_of(intent)

    @override
    def void(self, reference: str, *, key: str) -> Charge:
        intent = self._done(
            reference,
            lambda key: self._intents.cancel(reference, {}, {"idempotency_key": key}),
            key,
        )
        if intent.status not in {"succeeded", "canceled"}:
            raise PaymentUnknownError(f"the payment cannot be voided while it is {intent.status}")
        return _charge_of(intent)

    @override
    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        """Send a refund, unless an earlier one has this key: Stripe forgets idempotency keys.

        Raises:
            PaymentDeclinedError: the refund was refused, and no money moved.
            PaymentUnknownError: there was no answer.
        """
        wanted = to_stripe(amount)
        with translated():
            sent = self._refunds.list({"payment_intent": reference, "limit": _SEARCH_LIMIT})
            found = [refund for refund in sent.auto_paging_iter() if _key_of(refund) == key]
        refund = found[0] if found else self._send_refund(reference, wanted, key)
        if refund.status in {"failed", "canceled"}:
            raise PaymentDeclinedError(getattr(refund, "failure_reason", None) or "refund_failed")

    @override
    def check_connection(self) -> str:
        try:
            with translated():
                # A restricted key that can be paid with may read payments, but not the balance.
                self._intents.list({"limit": 1})
        except PaymentUnknownError as error:
            raise PaymentUnknownError(
                f"{error}; {self._api_base} must be reachable from here"
                f" within {self._timeout_seconds:g} s"
            ) from error
        mode = "test mode, which moves no money" if self._is_test else "live mode"
        return f"Stripe accepts the secret key, in {mode}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send_refund(self, reference: str, amount: int, key: str) -> stripe.Refund:
        try:
            with translated():
                return self._refunds.create(
                    {"payment_intent": reference, "amount": amount, "metadata": {KEY_NAME: key}},
                    {"idempotency_key": key},
                )
        except AdapterError as error:
            if isinstance(error.__cause__, stripe.InvalidRequestError):
                reason = error.__cause__.code or "refund_refused"
                raise PaymentDeclinedError(reason) from error
            raise

    def _intent(
        self, amount: Money, source: PaymentSource, key: str, *, capture: bool
    ) -> PaymentIntent:
        """Return the current intent of this key. If there is none, create it: no money moves."""
        intent, is_new = self._created(amount, source, key, capture=capture)
        if _may_be_forgotten(key, intent):
            intent = self._first_made(key, intent)
        elif is_new:
            return intent
        return self._retrieved(intent.id)

    def _created(
        self, amount: Money, source: PaymentSource, key: str, *, capture: bool
    ) -> tuple[PaymentIntent, bool]:
        params: Any = {
            "amount": to_stripe(amount),
            "currency": amount.currency.lower(),
            "payment_method": source.token,
            "payment_method_types": [source.method],
            "capture_method": "automatic" if capture else "manual",
            "metadata": {KEY_NAME: key},
        }
        try:
            with translated():
                intent = self._intents.create(params, {"idempotency_key": f"{key}:create"})
        except PaymentUnknownError as error:
            found = self._made_for(key) if is_stuck(error) else []
            if not found:
                raise
            return found[0], False
        return intent, not is_replayed(getattr(intent.last_response, "headers", None))

    def _first_made(self, key: str, intent: PaymentIntent) -> PaymentIntent:
        """Return the first intent, if Stripe may have forgotten the key between two of them."""
        first, *later = sorted(
            {found.id: found for found in (*self._made_for(key), intent)}.values(),
            key=lambda found: (found.created, found.status in {_MADE, "canceled"}),
        )
        for surplus in later:
            if surplus.status == _MADE:
                with suppress(QuickShopError):  # cleanup only: no call confirms this intent
                    self._closed(surplus)
        return first

    def _made_for(self, key: str) -> list[PaymentIntent]:
        """Return the intents of this key, oldest first; very recent ones may be missing."""
        query = f"metadata['{KEY_NAME}']:'{key}'"
        with translated():
            found = self._intents.search({"query": query, "limit": _SEARCH_LIMIT})
        return sorted(found.data, key=lambda intent: intent.created)

    def _confirmed(self, intent: PaymentIntent, key: str) -> PaymentIntent:
        try:
            return self._done(
                intent.id,
                lambda key: self._intents.confirm(intent.id, {}, {"idempotency_key": key}),
                f"{key}:confirm",
            )
        except PaymentDeclinedError:
            refused = self._retrieved(intent.id)
            return self._closed(refused) if refused.status == _MADE else refused

    def _done(
        self, reference: str, step: Callable[[str], PaymentIntent], key: str
    ) -> PaymentIntent:
        """Take a step that an intent takes once, and return its new state."""
        try:
            return self._stepped(reference, step, key)
        except PaymentUnknownError as error:
            if not is_stuck(error):
                raise
            # An intent takes the step once with any key, so another key is safe.
            return self._stepped(reference, step, str(uuid4()))

    def _stepped(
        self, reference: str, step: Callable[[str], PaymentIntent], key: str
    ) -> PaymentIntent:
        try:
            with translated():
                return step(key)
        except AdapterError as error:
            if not isinstance(error.__cause__, stripe.InvalidRequestError):
                raise
            return self._retrieved(reference)  # the intent was past that step

    def _retrieved(self, reference: str) -> PaymentIntent:
        with translated():
            return self._intents.retrieve(reference)

    def _outcome(self, intent: PaymentIntent) -> Charge:
        """Return the state of an intent. Cancel a declined one, or the browser could revive it."""
        if intent.status == _REFUSED:
            intent = self._closed(intent)
        if intent.status == _REFUSED or _was_closed(intent):
            raise PaymentDeclinedError(decline_reason(intent.last_payment_error))
        return _charge_of(intent)

    def _closed(self, intent: PaymentIntent) -> PaymentIntent:
        reason: Any = {"cancellation_reason": _CLOSED}
        return self._done(
            intent.id,
            lambda key: self._intents.cancel(intent.id, reason, {"idempotency_key": key}),
            f"{intent.id}:close",
        )


def _charge_of(intent: PaymentIntent) -> Charge:
    state = _STATES.get(intent.status, ChargeState.UNCONFIRMED)
    moved = getattr(intent, "amount_received", intent.amount)
    if state is not ChargeState.CAPTURED:
        moved = 0
    return Charge(
        reference=intent.id,
        state=state,
        captured=from_stripe(moved, intent.currency),
        action=_action_of(intent) if state is ChargeState.ACTION_REQUIRED else "",
    )


def _action_of(intent: Any) -> str:
    """Return what the shopper needs: the bank's page, or the client secret for Stripe's script."""
    redirect = getattr(intent.next_action, "redirect_to_url", None)
    return str(redirect.url if redirect else intent.client_secret)


def _was_closed(intent: PaymentIntent) -> bool:
    return intent.status == "canceled" and getattr(intent, "cancellation_reason", "") == _CLOSED


def _key_of(refund: Any) -> str | None:
    key: str | None = getattr(refund.metadata, KEY_NAME, None)
    return key


def _may_be_forgotten(key: str, intent: PaymentIntent) -> bool:
    """Return whether the key is so old that Stripe may have forgotten it.

    The order's id holds the time of the order (UUID version 7), and no key is used before it.
    """
    try:
        order_id = UUID(key.partition(":")[0])
    except ValueError:
        return True
    placed_at = (order_id.int >> 80) / 1000
    return order_id.version != 7 or intent.created - placed_at > _KEYS_LAST_SECONDS  # noqa: PLR2004
