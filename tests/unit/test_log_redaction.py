"""No secret is in the log, however it got into a record."""

from __future__ import annotations

import pytest

from quickshop.application.redaction import REMOVED, may_hold_secrets, redact
from tests.unit.test_log_records import line, raised, told

CANARY = "c4n4ry-Zx9"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjNG40cnktWng5In0.c4n4ry-Zx9sQ"
CARDS = ["4242424242424242", "4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005"]
SHAPES = {
    "an API key": "qsk_7Gc4n4ry-Zx9",
    "a refresh token": "qsr_7Gc4n4ry-Zx9",
    "a secret of a mail": "qso_7Gc4n4ry-Zx9",
    "a key of Stripe's": "sk_live_51c4n4ryZx9",
    "a test key of Stripe's": "sk_test_51c4n4ryZx9",
    "a webhook secret": "whsec_c4n4ry/Zx9+a=",
    "a payment method": "pm_1c4n4ryZx9",
    "a payment token": "tok_c4n4ryZx9",
    "a secret for Stripe's script": "pi_3Nc4n4ry_secret_Zx9c4n4ry",
    "a JWT": JWT,
    "a token of three parts": f"{'a1' * 11}.{'b2' * 11}.c4n4ry-Zx9{'c' * 12}",
    "a hash of bcrypt's": "$2b$12$c4n4ryZx9c4n4ryZx9c4n4.Zx9c4n4ryZx9c4n4ryZx9c4n4ryZx9",
    "an e-mail address": "c4n4ry.zx9@mail.example.com",
    **{f"a card as {card}": card for card in CARDS},
}
TEXTS = {
    "a bearer token": "Authorization: Bearer c4n4ry-Zx9",
    "a basic login": "authorization: Basic YWRhOmM0bjRyeS1aeDk=c4n4ry-Zx9",
    "a bearer token alone": "sent Bearer c4n4ry-Zx9 to it",
    "a cart's token": "X-Cart-Token: c4n4ry-Zx9",
    "an order's token": "x-order-token:c4n4ry-Zx9",
    "an API key's header": "X-Api-Key: c4n4ry-Zx9",
    "cookies": "Cookie: a=b; session=c4n4ry-Zx9; c4n4ry-Zx9=1",
    "a cookie that is set": "Set-Cookie: __Host-refresh=c4n4ry-Zx9; Path=/",
    "an ASGI header": "[(b'x-cart-token', b'c4n4ry-Zx9')]",
    "JSON": '{"password": "c4n4ry-Zx9 \\" c4n4ry-Zx9", "a": 1}',
    "JSON in JSON": '{\\"new_password\\": \\"c4n4ry-Zx9\\"}',
    "a query string": "/v1/x?a=1&token=c4n4ry-Zx9&b=2",
    "a dataclass": "PaymentSource(token='c4n4ry-Zx9', method='card')",
    "a dictionary": "{'card_number': 'c4n4ry-Zx9', 'cvc': 'c4n4ry-Zx9'}",
    "a cut dictionary": "{'password': 'c4n4ry-Zx9 c4n4ry-Zx9",
    "a connection string": "host=x password=c4n4ry-Zx9 user=y",
    "words": "password: c4n4ry-Zx9",
    "a URL": "postgresql://shop:c4n4ry-Zx9@db/shop",
    "a URL with an odd password": "postgresql://shop:a/b@c4n4ry-Zx9@db/shop",
    "a URL of one who needs no password": "https://c4n4ry-Zx9@example.com/",
    "a row that PostgreSQL quotes": "Failing row contains (1, c4n4ry-Zx9, (x), null).",
    "a key that PostgreSQL quotes": "Key (name)=(c4n4ry-Zx9) already exists.",
    "what pydantic quotes": "[type=int_parsing, input_value='c4n4ry-Zx9', input_type=str]",
    "what FastAPI quotes": "{'type': 'missing', 'loc': ('a',), 'input': {'a': 'c4n4ry-Zx9'}}",
}
NAMES = [
    *(
        "password",
        "smtp_password",
        "newPassword",
        "PASSWORD",
        "token",
        "accessToken",
        "token_keys",
    ),
    *("X-Cart-Token", "authorization", "Cookie", "set-cookie", "api_key", "apiKey", "x-api-key"),
    *("secret", "stripe_secret_key", "client_secret", "card", "card_number", "cardNumber", "cvv"),
    *("cvc", "pan", "pin", "pepper", "private_key", "credentials", "passphrase", "pwd"),
]
HARMLESS = [
    "order 1001: refund 1 was refused: the card has expired",
    "job 0190f3a1-5d2c-7b3a-9c4e-424242424242 (mail_shipped) failed on try 2",
    "payment.token: must be at most 255 characters",
    "quickshop.entrypoints.http.edge.middleware.RequestEnvelope",
    "request 4242424242424242aaaa4242424242ff failed",
    "GET /v1/carts/0190f3a1-5d2c-7b3a-9c4e-424242424242/lines: 200",
    "at 2026-11-26T11:41:16.238Z, 1764157276238 ms, barcode 4006381333931",
    "cannot connect to redis://127.0.0.1:6379/0: connection refused",
    "the company expands its shipping; no keyword is a secret here",
]


def hides(text: str) -> bool:
    return not any(part.lower() in text.lower() for part in ("c4n4ry", "Zx9", *CARDS))


@pytest.mark.parametrize("text", [*SHAPES.values(), *TEXTS.values()], ids=[*SHAPES, *TEXTS])
def test_what_looks_like_a_secret_is_removed_from_every_part_of_a_record(text: str) -> None:
    for shown in (text, f"x {text} y", f"'{text}'", f"a\n{text}\nb", f"({text})"):
        assert hides(line(shown)), line(shown)
        assert hides(line("%s", [shown]))
        assert hides(line(fact=shown, other={"nested": [{"deep": (shown,)}]}))
        assert hides(line(exc_info=raised(ValueError(shown), cause=KeyError(shown))))
        assert hides(line(fact=shown.encode())), line(fact=shown.encode())
    assert hides(line(**{text: 1}))
    assert hides(line(fact={text: 1}))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_named_like_a_secret_is_removed_whole(name: str) -> None:
    for value in (CANARY, CANARY.encode(), [CANARY], {"a": CANARY}, 1234, object()):
        assert told(**{name: value})[name] == REMOVED
        assert told(fact={"a": [{name: value}]})["fact"] == {"a": [{name: REMOVED}]}


def test_a_card_number_that_is_a_number_is_removed() -> None:
    assert told(fact=4242424242424242)["fact"] == REMOVED
    assert told(fact=4242424242424241)["fact"] == 4242424242424241


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_a_little_like_one_is_kept(text: str) -> None:
    assert told(text)["event"] == text


@pytest.mark.parametrize("at", [8 * 1024 - n for n in range(0, 60, 7)])
@pytest.mark.parametrize("secret", ["password='c4n4ry-Zx9c4n4ry'", "qsk_c4n4ry-Zx9", CARDS[0]])
def test_a_text_is_not_cut_so_that_half_a_secret_is_kept(secret: str, at: int) -> None:
    assert hides(line(f"{'.' * at}{secret}{'.' * 9_999}"))
    assert hides(line(exc_info=raised(ValueError(f"{'.' * 999}{secret}{'.' * at}"))))


@pytest.mark.parametrize("name", [*SHAPES, *TEXTS])
def test_the_quick_look_misses_nothing_that_the_thorough_one_finds(name: str) -> None:
    text = SHAPES.get(name) or TEXTS[name]
    assert redact(text) != text
    assert may_hold_secrets(text)
