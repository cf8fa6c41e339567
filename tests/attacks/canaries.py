"""Secrets that sing when they are found where none may be."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from io import StringIO
from itertools import chain, cycle, islice
from typing import Any, Final

from httpx2 import Response

from quickshop.adapters.observability.records import JsonLines
from quickshop.application.redaction import names_a_secret
from quickshop.domain.identity import Permission
from quickshop.entrypoints.http.edge.credentials import ACCESS_COOKIE, REFRESH_COOKIE
from quickshop.entrypoints.http.edge.middleware import RequestIdFilter
from quickshop.entrypoints.http.edge.redaction import secrets_of_request
from quickshop.shop import Shop
from tests.attacks.stage import SKU, Stage
from tests.attacks.surface import Call, at, texts_of
from tests.people import log_in

KEYS: Final = {
    "token-signing key": "c4n4ry-of-the-tokens-6Zb1rN0fXw8QeLh3",
    "password key": "c4n4ry-of-the-passwords-Vt5Kq9sYp2MaUj7",
    "webhook secret": "whsec_c4n4ry0of0the0webhooks",
    "gateway key": "sk_test_c4n4ry0of0the0gateway",
    "mail password": "c4n4ry-of-the-mails-1Gd6Hc4Bn8",
}
"""What the settings hold."""


def settings_with_canaries() -> dict[str, object]:
    """Settings that hold every key."""
    return {
        "token_keys": f"one:{KEYS['token-signing key']}",
        "password_keys": f"one:{KEYS['password key']}",
        "stripe_webhook_secret": KEYS["webhook secret"],
        "stripe_secret_key": KEYS["gateway key"],
        "smtp_password": KEYS["mail password"],
    }


def hatch(stage: Stage) -> dict[str, str]:
    """A secret of each kind, all of them good."""
    passwords = {
        "login password": "c4n4ry horse login staple",
        "new password": "c4n4ry horse newer staple",
    }
    person = stage.customer("canary@example.com", passwords["login password"])
    shop = stage.web.shop
    key = shop.staff.make_api_key(stage.admin().id, name="canary", scopes=[Permission.ORDERS_READ])
    cart = shop.carts.create()
    shop.carts.add_line(cart.cart.id, cart.token, sku=SKU, quantity=1)
    basket = shop.carts.create()
    shop.carts.add_line(basket.cart.id, basket.token, sku=SKU, quantity=1)
    placed = stage.place(basket.cart.id, basket.token, "tok_c4n4ry0of0a0payment")
    other = log_in(stage.web, person.email, password=passwords["login password"])
    shop.accounts.request_password_reset(email=person.email)
    return {
        **KEYS,
        **passwords,
        "access token": person.access_token,
        "refresh token": person.refresh_token,
        "cookie": other.refresh_token,
        "api key": key.secret,
        "one-time token": stage.mailed(person.email),
        "cart token": cart.token,
        "order token": placed.token,
        "payment token": "tok_c4n4ry0of0a0payment",
    }


def placements(stage: Stage, canaries: Mapping[str, str]) -> Iterator[Call]:
    """Every operation with secrets in their proper places, and in all other places.

    Which secret is put where changes from place to place, so that each is in each kind of place.
    """
    turns = cycle(canaries.values())
    for operation in stage.operations:
        for who in sorted(operation.audience):
            call = stage.call(operation, who)
            yield call
            yield from _outside_of_bodies(call, canaries, turns)
            if operation.body is not None:
                yield from _in_bodies(call, canaries, turns)


def _outside_of_bodies(
    call: Call, canaries: Mapping[str, str], turns: Iterator[str]
) -> Iterator[Call]:
    yield call.but(query=dict(_named(canaries)))
    for name in call.operation.query:
        yield call.but(query={name: next(turns)})
    for name in call.operation.path_names:
        yield call.but(path_values={**call.path_values, name: next(turns)})
    yield call.but(headers={**call.headers, "Cookie": _cookies(canaries)})
    for name in {*call.operation.headers, "X-Cart-Token", "User-Agent", "Referer"}:
        yield call.but(headers={**call.headers, name: next(turns)})
    yield call.but(headers={**call.headers, "Authorization": f"Bearer {next(turns)}"})
    yield call.but(headers={**call.headers, "Authorization": next(turns)})


def _in_bodies(call: Call, canaries: Mapping[str, str], turns: Iterator[str]) -> Iterator[Call]:
    secrets = [*canaries.values()]
    yield call.but(body=secrets)
    yield call.but(body=f'{{"password": "{next(turns)}", "token": {secrets!r}')
    if isinstance(call.body, dict):
        yield call.but(body=call.body | dict(_named(canaries)))
        yield call.but(body=call.body | dict.fromkeys(secrets, 1))
    for path in texts_of(call.body):
        for secret in islice(turns, 3):
            yield call.with_body_at(path, secret)


def _named(canaries: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in canaries.items():
        yield name.replace(" ", "_").replace("-", "_"), text


def _cookies(canaries: Mapping[str, str]) -> str:
    tokens = f"{ACCESS_COOKIE}={canaries['access token']}; {REFRESH_COOKIE}={canaries['cookie']}"
    return f"{tokens}; api={canaries['api key']}"


def nowhere(stage: Stage, canaries: Mapping[str, str]) -> Iterator[Response]:
    """Addresses that are none, made of secrets, by every method."""
    methods = cycle(("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND", "HEAD"))
    for secret in canaries.values():
        for path in ("/v1/nothing/{}", "/v1/orders/{}", "/{}", "/{0}?token={0}"):
            yield stage.web.client.request(next(methods), path.format(secret))


@dataclass(frozen=True, slots=True)
class Log:
    """What was written down."""

    stream: StringIO

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@contextmanager
def logging_as_served() -> Iterator[Log]:
    """The log of a server, as it sets it up, but into memory."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(secrets_of_request))
    handler.addFilter(RequestIdFilter())
    root, own = logging.getLogger(), logging.getLogger("quickshop")
    before = root.level, own.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    own.setLevel(logging.INFO)
    try:
        yield Log(stream)
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        own.setLevel(before[1])


class Leaky:
    """A use case that fails with an error that contains its arguments and other secrets."""

    def __init__(self, error: type[Exception], secrets: Iterable[str]) -> None:
        self._error = error
        self._secrets = [*secrets]

    def __call__(self, *args: object, **options: object) -> None:
        raise self._error(f"cannot do it with {args!r} {options!r}, because of {self._secrets}")

    def __getattr__(self, _name: str) -> Leaky:
        return self


def leaking(shop: Shop, error: type[Exception], secrets: Iterable[str], *, but: str = "") -> Shop:
    """The same shop, in which every call fails with an error that contains its input."""
    leak = Leaky(error, secrets)
    contexts: dict[str, Any] = {}
    for each in fields(shop):
        context = getattr(shop, each.name)
        if type(context).__module__.startswith("quickshop.shop.") and each.name != "policy":
            cases = [case.name for case in fields(context) if case.name != but]
            contexts[each.name] = replace(context, **dict.fromkeys(cases, leak))
    return replace(shop, **contexts)


def carried(call: Call) -> dict[str, str]:
    """The secrets of a request."""
    headers = {
        name: text.removeprefix("Bearer ")
        for name, text in call.headers.items()
        if names_a_secret(name) and name != "Stripe-Signature"
    }
    fields_of_body = {
        str(path[-1]): at(call.body, path)
        for path in texts_of(call.body)
        if path and isinstance(path[-1], str) and names_a_secret(path[-1])
    }
    return {name: text for name, text in (headers | fields_of_body).items() if text}


def sung(text: str | bytes, canaries: Mapping[str, str]) -> set[str]:
    """The names of those that are heard in a text."""
    heard = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return {name for name, secret in canaries.items() if secret in heard}


def spoken(answer: Response) -> str:
    """All that an answer says, in its headers too."""
    headers = chain.from_iterable(answer.headers.multi_items())
    return "\n".join((*headers, answer.text))
