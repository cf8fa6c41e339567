"""Stripe's messages: what is believed, and what each of them says."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from quickshop.adapters.stripe.amounts import from_stripe, to_stripe
from quickshop.adapters.stripe.webhooks import StripeWebhooks
from quickshop.domain.errors import PaymentDeclinedError, WebhookRejectedError
from quickshop.domain.money import Money
from quickshop.ports.payments import NoticeKind, PaymentNotice
from tests.builders import NOW
from tests.stripe_fake.webhooks import sign

SECRET = "whsec_of_the_tests"
AT = int(NOW.timestamp())
WEBHOOKS = StripeWebhooks(SECRET)


def an_event(type: str = "payment_intent.succeeded", **about: Any) -> dict[str, Any]:
    intent = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 1250,
        "amount_received": 1250,
        "currency": "usd",
        "client_secret": "pi_1_secret",
        "metadata": {"quickshop_key": "order:1"},
    }
    return {"id": "evt_1", "object": "event", "type": type, "data": {"object": intent | about}}


def body_of(event: object) -> bytes:
    return json.dumps(event, indent=2).encode()


BODY = body_of(an_event())
GOOD = sign(BODY, SECRET, AT)
DIGITS = GOOD.partition("v1=")[2]


def read(body: bytes, signature: str | None = None, *, now_in_seconds: float = 0) -> PaymentNotice:
    headers = {"stripe-signature": sign(body, SECRET, AT) if signature is None else signature}
    return WEBHOOKS.verify(body, headers, now=NOW + timedelta(seconds=now_in_seconds))


def test_a_message_says_which_payment_it_is_about_and_what_moved() -> None:
    assert read(BODY, GOOD) == PaymentNotice(
        event_id="evt_1",
        kind=NoticeKind.CAPTURED,
        gateway_key="order:1",
        reference="pi_1",
        amount=Money(1250, "USD"),
        captured=Money(1250, "USD"),
        action="pi_1_secret",
    )


def with_digest(digest: Callable[[bytes, bytes], str]) -> str:
    return f"t={AT},v1={digest(SECRET.encode(), f'{AT}.'.encode() + BODY)}"


def keyed(algorithm: str) -> Callable[[bytes, bytes], str]:
    return lambda key, text: hmac.new(key, text, algorithm).hexdigest()


FORGERIES: dict[str, tuple[bytes, str]] = {
    "without a signature": (BODY, ""),
    "signed with another secret": (BODY, sign(BODY, "whsec_of_someone_else", AT)),
    "signed with no secret": (BODY, sign(BODY, "", AT)),
    "one byte of the body changed": (BODY.replace(b"1250", b"1251", 1), GOOD),
    "a space added": (BODY + b" ", GOOD),
    "a line end changed": (BODY.replace(b"\n", b"\r\n"), GOOD),
    "the same JSON written otherwise": (json.dumps(json.loads(BODY)).encode(), GOOD),
    "in another encoding": (BODY.decode().encode("utf-16"), GOOD),
    "the body cut short": (BODY[:-1], GOOD),
    "an empty body": (b"", GOOD),
    "another time than was signed": (BODY, GOOD.replace(f"t={AT}", f"t={AT + 1}")),
    "the time missing": (BODY, f"v1={DIGITS}"),
    "two times": (BODY, f"t={AT - 1000},{GOOD}"),
    "the time not a number": (BODY, GOOD.replace(f"t={AT}", "t=now")),
    "the time in other digits": (BODY, GOOD.replace(f"t={AT}", "t=\uff11\uff17")),
    "an endless time": (BODY, GOOD.replace(f"t={AT}", "t=" + "9" * 400)),
    "a signature of the test scheme only": (BODY, GOOD.replace("v1=", "v0=")),
    "the signature cut short": (BODY, GOOD[:-1]),
    "the signature longer": (BODY, GOOD + "0"),
    "the signature in capitals": (BODY, f"t={AT},v1={DIGITS.upper()}"),
    "the signature of an empty text": (BODY, f"t={AT},v1={keyed('sha256')(SECRET.encode(), b'')}"),
    "an empty signature": (BODY, f"t={AT},v1="),
    "a signature with letters beyond ASCII": (BODY, f"t={AT},v1=ä{DIGITS[1:]}"),
    "a weaker digest": (BODY, with_digest(keyed("sha1"))),
    "a digest without the secret": (
        BODY,
        with_digest(lambda _key, text: hashlib.sha256(text).hexdigest()),
    ),
    "the body alone signed": (
        BODY,
        f"t={AT},v1={hmac.new(SECRET.encode(), BODY, 'sha256').hexdigest()}",
    ),
    "a very long header": (BODY, GOOD + ",v1=0" * 1000),
}


@pytest.mark.parametrize(("body", "signature"), FORGERIES.values(), ids=FORGERIES)
def test_what_stripe_did_not_sign_is_forged(body: bytes, signature: str) -> None:
    with pytest.raises(WebhookRejectedError) as refusal:
        read(body, signature)
    assert refusal.value.verdict == "forged"


def test_a_message_without_its_header_is_forged() -> None:
    with pytest.raises(WebhookRejectedError, match="forged"):
        WEBHOOKS.verify(BODY, {"content-type": "application/json"}, now=NOW)


@pytest.mark.parametrize("seconds", [301, -301, 86_400, -86_400])
def test_a_message_of_another_time_is_stale(seconds: int) -> None:
    with pytest.raises(WebhookRejectedError) as refusal:
        read(BODY, GOOD, now_in_seconds=seconds)
    assert refusal.value.verdict == "stale"


@pytest.mark.parametrize("seconds", [299, -299])
def test_five_minutes_are_forgiven(seconds: int) -> None:
    assert read(BODY, GOOD, now_in_seconds=seconds).event_id == "evt_1"


def test_while_the_secret_is_changed_one_good_signature_among_several_is_enough() -> None:
    old = sign(BODY, "whsec_old", AT).partition(",")[2]
    assert read(BODY, f"{GOOD},{old}").event_id == "evt_1"
    assert read(BODY, f"t={AT},{old},v0=x,v1={DIGITS}").event_id == "evt_1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        body_of({"id": "evt_1"}),
        body_of(an_event() | {"id": 7}),
        body_of(an_event() | {"id": ""}),
        body_of(an_event() | {"id": "evt_\n"}),
        body_of(an_event() | {"id": "e" * 256}),
        body_of(an_event() | {"data": {"object": None}}),
        body_of(an_event(amount="1250")),
        body_of(an_event(amount=12.5)),
        body_of(an_event(amount=True)),
        body_of(an_event(amount=10**30)),
        body_of(an_event(currency="dollars")),
        body_of(an_event(currency=None)),
        body_of(an_event(metadata={"quickshop_key": ["order:1"]})),
        body_of(an_event(metadata={"quickshop_key": "\0"})),
    ],
)
def test_what_stripe_signed_and_nobody_understands_is_unreadable(body: bytes) -> None:
    with pytest.raises(WebhookRejectedError) as refusal:
        read(body)
    assert refusal.value.verdict == "unreadable"


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("payment_intent.succeeded", NoticeKind.CAPTURED),
        ("payment_intent.amount_capturable_updated", NoticeKind.AUTHORIZED),
        ("payment_intent.requires_action", NoticeKind.ACTION_REQUIRED),
        ("payment_intent.payment_failed", NoticeKind.DECLINED),
        ("payment_intent.canceled", NoticeKind.CANCELED),
        ("payment_intent.created", NoticeKind.OTHER),
        ("customer.updated", NoticeKind.OTHER),
    ],
)
def test_every_kind_of_message_is_known_or_of_no_concern(type: str, kind: NoticeKind) -> None:
    notice = read(body_of(an_event(type)))
    assert notice.kind is kind
    assert (notice.captured is not None) == (kind is NoticeKind.CAPTURED)


def test_an_action_that_is_a_page_is_shown_as_its_address() -> None:
    redirect = {"redirect_to_url": {"url": "https://bank.example/3ds"}}
    event = an_event("payment_intent.requires_action", next_action=redirect)
    assert read(body_of(event)).action == "https://bank.example/3ds"


def test_a_message_about_someone_elses_payment_names_none_of_ours() -> None:
    assert read(body_of(an_event(metadata={}))).gateway_key is None
    assert read(body_of(an_event(metadata=None))).gateway_key is None


@pytest.mark.parametrize(
    ("money", "sent"),
    [
        (Money(1250, "USD"), 1250),
        (Money(500, "JPY"), 500),
        (Money(500, "KRW"), 500),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(500, "MGA"), 5),
        (Money(500, "HUF"), 500),
        (Money(500, "TWD"), 500),
        (Money(5120, "KWD"), 5120),
        (Money(0, "USD"), 0),
    ],
)
def test_an_amount_means_the_same_there_and_back(money: Money, sent: int) -> None:
    assert to_stripe(money) == sent
    assert from_stripe(sent, money.currency.lower()) == money


@pytest.mark.parametrize("money", [Money(5124, "KWD"), Money(5, "BHD"), Money(501, "MGA")])
def test_an_amount_that_stripe_would_round_is_refused_instead(money: Money) -> None:
    with pytest.raises(PaymentDeclinedError, match="amount_not_supported"):
        to_stripe(money)
