"""Where payment gateways tell the shop what they did."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from quickshop.adapters.stripe.webhooks import StripeWebhooks
from quickshop.entrypoints.http.app import create_app
from tests.builders import MovableClock
from tests.http_client import Web, api_document, assert_problem, open_web
from tests.scripted import World
from tests.stripe_fake.webhooks import sign

URL = "/v1/payments/webhooks/stripe"
SECRET = "whsec_of_the_tests"
CLOCK = MovableClock()


@pytest.fixture
def client() -> Iterator[TestClient]:
    world = World(payment_webhooks={"stripe": StripeWebhooks(SECRET)}, clock=CLOCK)
    with TestClient(create_app(world.shop)) as client:
        yield client


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    moment = CLOCK.now().timestamp() if at is None else at
    return {"Stripe-Signature": sign(body, secret, int(moment))}


def an_event(**more: object) -> bytes:
    event = {"id": "evt_1", "type": "customer.created", "data": {"object": {}}}
    return json.dumps(event | more, indent=4, ensure_ascii=False).encode()


def test_a_message_is_received_as_it_was_signed_byte_for_byte(client: TestClient) -> None:
    body = an_event(note="ünïcode  \u2028 and   spaces ")
    answer = client.post(URL, content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (200, {"verdict": "ignored"})
    again = client.post(URL, content=body, headers=signed(body))
    assert (again.status_code, again.json()) == (200, {"verdict": "duplicate"})


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_whatever_it_is_said_to_be_it_is_the_signature_that_counts(
    client: TestClient, content_type: str
) -> None:
    body = an_event()
    headers = signed(body) | {"Content-Type": content_type}
    assert client.post(URL, content=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, signed(b"another body"), signed(an_event(), "whsec_guessed"), signed(an_event(), at=1)],
)
def test_a_message_that_is_not_believed_is_a_problem_that_repeats_nothing(
    client: TestClient, headers: dict[str, str]
) -> None:
    answer = client.post(URL, content=an_event(), headers=headers)
    assert_problem(answer, 400, "webhook_rejected")
    assert "evt_1" not in answer.text


def test_a_message_that_nobody_understands_is_a_problem(client: TestClient) -> None:
    assert_problem(client.post(URL, content=b"[]", headers=signed(b"[]")), 400, "webhook_rejected")


def test_a_message_larger_than_any_is_refused_before_it_is_read(client: TestClient) -> None:
    body = b"x" * (256 * 1024 + 1)
    assert client.post(URL, content=body, headers=signed(body)).status_code == 413


def test_a_provider_that_the_shop_does_not_use_is_not_there(client: TestClient) -> None:
    body = an_event()
    unknown = client.post(URL.replace("stripe", "else"), content=body, headers=signed(body))
    assert_problem(unknown, 404, "not_found")


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


def test_a_shop_that_does_not_use_stripe_does_not_listen_to_it(web: Web) -> None:
    body = an_event()
    answer = web.client.post(URL, content=body, headers=signed(body, at=time.time()))
    assert_problem(answer, 404, "not_found")


def test_the_route_is_described() -> None:
    described = api_document()["paths"]["/v1/payments/webhooks/{provider}"]
    assert set(described["post"]["responses"]) >= {"200", "400", "404", "413"}
    assert described["post"]["requestBody"]["required"]
