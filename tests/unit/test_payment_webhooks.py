"""What follows from what a gateway tells: once, in any order, and only for the right money."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from quickshop.adapters.stripe.webhooks import StripeWebhooks
from quickshop.domain.errors import NotFoundError, WebhookRejectedError
from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.payments import CaptureMethod, PaymentStatus
from quickshop.ports.payment_webhooks import Verdict
from tests.scripted import World
from tests.stripe_fake.webhooks import sign

SECRET = "whsec_of_the_tests"
PRICE = 1999


class Told:
    """An order whose payment waits for the shopper's bank, and a gateway that tells of it."""

    def __init__(self, token: str = "tok_3ds") -> None:
        self.world = World(payment_webhooks={"stripe": StripeWebhooks(SECRET)})
        self.order = OrderId(self.world.order(token=token).order.id)
        self.world.run()
        self.key = f"{self.order}:1"
        self.events = 0

    def body(self, type: str, **about: Any) -> bytes:
        self.events += 1
        intent = {
            "id": f"ref:{self.key}",
            "amount": PRICE,
            "amount_received": PRICE,
            "currency": "eur",
            "metadata": {"quickshop_key": self.key},
        }
        event = {
            "id": f"evt_{self.events}",
            "type": f"payment_intent.{type}",
            "data": {"object": intent | about},
        }
        return json.dumps(event).encode()

    def send(self, body: bytes) -> Verdict:
        signature = sign(body, SECRET, int(self.world.clock.now().timestamp()))
        headers = {"stripe-signature": signature}
        return self.world.shop.payments.receive_webhook("stripe", body, headers)

    def tell(self, type: str, **about: Any) -> Verdict:
        return self.send(self.body(type, **about))

    def prove(self) -> None:
        """The shopper proves themselves, and the money moves at the gateway."""
        self.world.gateway.prove(self.key)

    @property
    def status(self) -> OrderStatus:
        return self.world.status(self.order)

    @property
    def payment(self) -> PaymentStatus:
        return self.world.payments(self.order)[-1].status

    @property
    def kept(self) -> list[tuple[str, str, int]]:
        """Event, verdict and deliveries of every message, the first one first."""
        found = self.world.shop.payments.webhooks()
        return [(r.event_id, r.verdict.value, r.deliveries) for r in reversed(found)]


def test_an_order_is_paid_when_the_gateway_tells_that_the_money_moved() -> None:
    told = Told()
    assert (told.status, told.payment) == (OrderStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
    told.prove()
    assert told.tell("succeeded") is Verdict.APPLIED
    assert (told.status, told.payment) == (OrderStatus.PAID, PaymentStatus.CAPTURED)
    told.world.run(days=1)
    assert told.world.mails() == ["order_confirmation"]
    assert told.kept == [("evt_1", "applied", 1)]
    assert not told.world.problems()


def test_what_the_gateway_was_not_asked_yet_is_recorded_and_not_believed() -> None:
    told = Told("tok_ok")
    told.order = OrderId(told.world.order().order.id)
    told.key = f"{told.order}:1"
    assert told.tell("succeeded") is Verdict.IGNORED
    assert (told.status, told.payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
    told.world.run()
    assert told.status is OrderStatus.PAID
    assert told.kept == [("evt_1", "ignored", 1)]


def test_a_repeated_message_has_no_second_effect() -> None:
    told = Told()
    told.prove()
    body = told.body("succeeded")
    assert [told.send(body) for _ in range(3)] == [Verdict.APPLIED] + [Verdict.DUPLICATE] * 2
    assert told.world.timeline(told.order).count("OrderPaid") == 1
    assert told.kept == [("evt_1", "applied", 3)]


def test_what_is_known_already_is_not_told_again() -> None:
    told = Told("tok_ok")
    assert told.tell("succeeded") is Verdict.IGNORED
    assert told.status is OrderStatus.PAID
    assert told.world.timeline(told.order).count("OrderPaid") == 1


@pytest.mark.parametrize("type", ["payment_failed", "requires_action", "canceled"])
def test_a_message_that_was_overtaken_by_the_money_changes_nothing(type: str) -> None:
    told = Told()
    told.prove()
    told.tell("succeeded")
    assert told.tell(type) is Verdict.IGNORED
    assert (told.status, told.payment) == (OrderStatus.PAID, PaymentStatus.CAPTURED)


@pytest.mark.parametrize(
    "about",
    [
        {"amount": PRICE - 1, "amount_received": PRICE - 1},
        {"amount": PRICE + 1},
        {"amount_received": PRICE - 1},
        {"amount_received": 0},
        {"amount_received": PRICE + 1},
        {"currency": "usd"},
        {"currency": "jpy"},
        {"id": "ref:of another order"},
    ],
)
def test_a_message_about_other_money_changes_nothing_and_is_recorded(
    about: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    before = told.world.timeline(told.order)
    assert told.tell("succeeded", **about) is Verdict.MISMATCH
    assert (told.status, told.payment) == (OrderStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
    assert told.world.timeline(told.order) == before
    assert told.kept == [("evt_1", "mismatch", 1)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_message_about_another_order_cannot_pay_this_one() -> None:
    told = Told()
    other = OrderId(told.world.order(token="tok_3ds").order.id)
    told.world.run()
    about = {"metadata": {"quickshop_key": f"{other}:1"}}
    assert told.tell("succeeded", **about) is Verdict.MISMATCH
    assert told.world.status(other) is told.status is OrderStatus.PENDING


@pytest.mark.parametrize(
    ("metadata", "verdict"),
    [
        ({"quickshop_key": "01890000-0000-7000-8000-000000000000:1"}, Verdict.UNKNOWN_ORDER),
        ({"quickshop_key": "anything"}, Verdict.UNKNOWN_ORDER),
        ({}, Verdict.IGNORED),
    ],
)
def test_a_message_about_no_order_of_ours_is_recorded(
    metadata: dict[str, str], verdict: Verdict
) -> None:
    told = Told()
    assert told.tell("succeeded", metadata=metadata) is verdict
    assert told.kept == [("evt_1", verdict.value, 1)]


def test_money_that_comes_after_the_cancellation_goes_back_once() -> None:
    told = Told()
    told.world.shop.orders.cancel(told.order)
    told.prove()
    body = told.body("succeeded")
    assert told.send(body) is Verdict.APPLIED
    assert told.send(body) is Verdict.DUPLICATE
    assert told.tell("succeeded") is Verdict.IGNORED
    told.world.run(days=1)
    assert told.status is OrderStatus.CANCELED
    assert [amount.minor for amount in told.world.gateway.refunded.values()] == [PRICE]


def test_a_refusal_is_asked_about_rather_than_believed() -> None:
    told = Told()
    assert told.tell("payment_failed") is Verdict.APPLIED
    told.prove()  # with another card, in the browser, right after the first was refused
    told.world.run()
    assert told.status is OrderStatus.PAID


def test_money_set_aside_and_let_go_by_the_gateway_is_told() -> None:
    told = Told("tok_lost")
    told.world.gateway.authorized[told.key] = told.world.payments(told.order)[-1].amount
    assert told.tell("amount_capturable_updated") is Verdict.APPLIED
    assert told.payment is PaymentStatus.AUTHORIZED
    assert told.tell("canceled") is Verdict.APPLIED
    assert (told.status, told.payment) == (OrderStatus.PAYMENT_FAILED, PaymentStatus.CANCELED)


def test_an_action_that_the_shop_missed_is_told() -> None:
    told = Told("tok_lost")
    assert told.tell("requires_action", client_secret="pi_secret") is Verdict.APPLIED
    assert told.world.payments(told.order)[-1].action == "pi_secret"


def test_a_part_that_staff_captured_elsewhere_pays_an_order_that_was_set_aside() -> None:
    told = Told("tok_lost")
    assert told.world.payments(told.order)[-1].capture_method is CaptureMethod.AUTOMATIC
    assert told.tell("succeeded", amount_received=500) is Verdict.MISMATCH


def test_messages_that_mean_nothing_here_are_only_recorded() -> None:
    told = Told()
    assert told.tell("created") is Verdict.IGNORED
    assert told.payment is PaymentStatus.REQUIRES_ACTION


def forge(told: Told) -> None:
    body = told.body("succeeded")
    headers = {"stripe-signature": sign(body, "whsec_guessed", 0)}
    with pytest.raises(WebhookRejectedError, match="forged"):
        told.world.shop.payments.receive_webhook("stripe", body, headers)


def test_a_forged_message_changes_nothing_and_is_recorded() -> None:
    told = Told()
    forge(told)
    assert (told.status, told.payment) == (OrderStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
    ((event_id, verdict, deliveries),) = told.kept
    assert event_id.startswith("rejected:")
    assert (verdict, deliveries) == ("forged", 1)


def test_a_forged_message_does_not_keep_out_the_true_one() -> None:
    told = Told()
    body = told.body("succeeded")
    with pytest.raises(WebhookRejectedError):
        told.world.shop.payments.receive_webhook("stripe", body, {})
    assert told.send(body) is Verdict.APPLIED


def test_a_message_replayed_hours_later_is_stale_and_one_row_however_often() -> None:
    told = Told()
    body = told.body("succeeded")
    signature = sign(body, SECRET, int(told.world.clock.now().timestamp()))
    told.world.clock.advance(hours=1)
    for _ in range(3):
        with pytest.raises(WebhookRejectedError, match="stale"):
            told.world.shop.payments.receive_webhook(
                "stripe", body, {"stripe-signature": signature}
            )
    assert [(verdict, deliveries) for _, verdict, deliveries in told.kept] == [("stale", 3)]


def test_a_flood_of_forgeries_is_kept_up_to_a_limit() -> None:
    told = Told()
    receive = replace(told.world.shop.payments.receive_webhook, rejected_kept=5)
    for number in range(9):
        with pytest.raises(WebhookRejectedError):
            receive("stripe", b"forgery %d" % number, {})
    assert len(told.kept) == 5
    told.prove()
    assert told.tell("succeeded") is Verdict.APPLIED, "the true ones are always kept"


def test_messages_are_forgotten_after_a_month() -> None:
    told = Told()
    told.tell("created")
    told.world.run(days=29)
    assert len(told.kept) == 1
    told.world.run(days=2)
    assert not told.kept


def test_a_provider_that_was_not_set_up_is_not_listened_to() -> None:
    world = World()
    with pytest.raises(NotFoundError):
        world.shop.payments.receive_webhook("stripe", b"{}", {})
