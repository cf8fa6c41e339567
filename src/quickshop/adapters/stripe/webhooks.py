"""Webhooks from Stripe."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from typing_extensions import override

from quickshop.adapters.stripe.amounts import from_stripe
from quickshop.domain.errors import InvalidValueError, WebhookRejectedError
from quickshop.domain.payments import MAX_REFERENCE_LENGTH
from quickshop.ports.payments import NoticeKind, PaymentNotice, PaymentWebhooks

TOLERANCE_SECONDS: Final = 300
_KEY_NAME: Final = "quickshop_key"
_MAX_HEADER: Final = 2048

_SECONDS: Final = re.compile(r"[0-9]{1,12}")

_KINDS: Final[Mapping[str, NoticeKind]] = {
    "payment_intent.requires_action": NoticeKind.ACTION_REQUIRED,
    "payment_intent.amount_capturable_updated": NoticeKind.AUTHORIZED,
    "payment_intent.succeeded": NoticeKind.CAPTURED,
    "payment_intent.payment_failed": NoticeKind.DECLINED,
    "payment_intent.canceled": NoticeKind.CANCELED,
}


class StripeWebhooks(PaymentWebhooks):
    """Accepts webhooks signed with the endpoint's secret, at most five minutes off the clock.

    The scheme is https://docs.stripe.com/webhooks#verify-manually: `Stripe-Signature` contains
    `t=SECONDS` and one `v1=HMAC` per secret in use, over `SECONDS.BODY` as it was received.
    """

    def __init__(self, secret: str) -> None:
        if not secret.strip():
            raise InvalidValueError("secret", "must not be blank, or anyone could sign a webhook")
        self._secret = secret.encode()

    @override
    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> PaymentNotice:
        sent_at, signatures = _parsed(headers.get("stripe-signature", ""))
        signed = b"%s.%s" % (sent_at.encode(), body)
        expected = hmac.new(self._secret, signed, hashlib.sha256).hexdigest().encode()
        # All signatures are compared, so that the time taken reveals nothing about them.
        if not sum(hmac.compare_digest(expected, signature) for signature in signatures):
            raise WebhookRejectedError("forged")
        if abs(now.timestamp() - int(sent_at)) > TOLERANCE_SECONDS:
            raise WebhookRejectedError("stale")
        return _read(body)


def _parsed(header: str) -> tuple[str, list[bytes]]:
    if len(header) > _MAX_HEADER:
        raise WebhookRejectedError("forged")
    pairs = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value.encode("utf-8", "replace") for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]):
        raise WebhookRejectedError("forged")
    return times[0], signatures


def _read(body: bytes) -> PaymentNotice:
    try:
        event = json.loads(body.decode())
        return _notice(event)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise WebhookRejectedError("unreadable") from error
    except InvalidValueError as error:
        raise WebhookRejectedError("unreadable") from error


def _notice(event: dict[str, Any]) -> PaymentNotice:
    kind = _KINDS.get(_name(event["type"]), NoticeKind.OTHER)
    about = event["data"]["object"]
    if kind is NoticeKind.OTHER:
        return PaymentNotice(
            event_id=_name(event["id"]),
            kind=kind,
            gateway_key=None,
            reference=str(about.get("id", ""))[:MAX_REFERENCE_LENGTH],
            amount=None,
            captured=None,
        )
    key = (about.get("metadata") or {}).get(_KEY_NAME)
    return PaymentNotice(
        event_id=_name(event["id"]),
        kind=kind,
        gateway_key=None if key is None else _name(key),
        reference=_name(about["id"]),
        amount=from_stripe(about["amount"], about["currency"]),
        captured=_captured(kind, about),
        action=_action(about),
    )


def _captured(kind: NoticeKind, about: dict[str, Any]) -> Any:
    if kind is not NoticeKind.CAPTURED:
        return None
    return from_stripe(about["amount_received"], about["currency"])


def _action(about: dict[str, Any]) -> str:
    redirect = (about.get("next_action") or {}).get("redirect_to_url") or {}
    return str(redirect.get("url") or about.get("client_secret") or "")


def _name(value: object) -> str:
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_REFERENCE_LENGTH
        or not value.isprintable()
    ):
        raise ValueError("a name must be a short printable text")
    return value
