"""Orders paid through Stripe, over HTTP, with webhooks: whatever is lost, money moves once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest

from quickshop import Money, Shop, open_shop
from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.payments import PaymentStatus
from quickshop.entrypoints.http.app import create_app
from tests.http_client import order_form
from tests.integration.buyers import problems, settings_for, stock, until
from tests.stripe_fake.running import API_KEY, WEBHOOK_SECRET, StripeFake, running, serving

PRICE = 1250
HOURS = 3600
VISA = "pm_card_visa"
SECURE = "pm_card_threeDSecure2Required"


@dataclass(frozen=True, slots=True)
class Street:
    """A shop, its Stripe, and shoppers who use nothing but HTTP."""

    shop: Shop
    fake: StripeFake
    web: httpx.Client
    orders: dict[OrderId, dict[str, str]] = field(default_factory=dict)
    """Headers that open each order."""

    def order(self, token: str = VISA) -> OrderId:
        cart = self.web.post("/v1/carts").json()
        path, headers = f"/v1/carts/{cart['id']}", {"X-Cart-Token": cart["token"]}
        line = {"sku": "MUG", "quantity": 1}
        assert self.web.post(f"{path}/lines", json=line, headers=headers).is_success
        answer = self.web.post(
            f"{path}/checkout",
            json=order_form(payment={"method": "card", "token": token}),
            headers=headers | {"Idempotency-Key": uuid4().hex},
        )
        assert answer.status_code == 201, answer.text
        order = OrderId(UUID(answer.json()["id"]))
        self.orders[order] = {"X-Order-Token": answer.json()["token"]}
        return order

    def seen(self, order: OrderId) -> dict[str, Any]:
        """The order as its shopper sees it."""
        shown: dict[str, Any] = self.web.get(
            f"/v1/orders/{order}", headers=self.orders[order]
        ).json()
        return shown

    def until(self, order: OrderId, status: OrderStatus) -> None:
        until(lambda: self.seen(order)["status"] == status, what=f"{order} is {status}")

    def intents(self, order: OrderId) -> list[dict[str, Any]]:
        """What Stripe knows of an order."""
        return [row for row in self.fake.intents if row["quickshop_key"] == f"{order}:1"]

    def payment(self, order: OrderId) -> PaymentStatus:
        return self.shop.orders.payments(order)[-1].status

    def verdicts(self) -> list[str]:
        """What came of every message, the oldest first."""
        return [record.verdict.value for record in reversed(self.shop.payments.webhooks())]

    def listen(self, **road: float) -> None:
        """Have Stripe send its webhooks to the shop, along a road that may be bad."""
        url = f"{self.web.base_url}/v1/payments/webhooks/stripe"
        self.fake.press("webhooks", url=url, secret=WEBHOOK_SECRET, **road)


@contextmanager
def open_street(url: str, folder: Path, **more: object) -> Iterator[Street]:
    given: dict[str, object] = {
        "payment_gateway": "stripe",
        "stripe_secret_key": API_KEY,
        "stripe_webhook_secret": WEBHOOK_SECRET,
        "stripe_timeout_seconds": 0.5,
        "payment_patience_seconds": HOURS,
        "sweep_seconds": 0.2,
        "poll_seconds": 0.05,
    }
    with running(str(folder / "stripe.db")) as fake:
        settings = settings_for(url, folder, **given | {"stripe_api_base": fake.url} | more)
        with open_shop(settings=settings, worker=True) as shop:
            stock(shop, "MUG", 100)
            with serving(create_app(shop)) as base, httpx.Client(base_url=base) as web:
                yield Street(shop, fake, web)


@pytest.fixture
def street(any_database_url: str, tmp_path: Path) -> Iterator[Street]:
    with open_street(any_database_url, tmp_path) as street:
        street.listen()
        yield street


@pytest.fixture
def impatient(sqlite_url: str, tmp_path: Path) -> Iterator[Street]:
    """A shop that asks again at once."""
    with open_street(sqlite_url, tmp_path, payment_patience_seconds=0.3) as street:
        yield street


def test_an_order_is_paid_and_stripe_tells_what_the_shop_knows(street: Street) -> None:
    order = street.order()
    street.until(order, OrderStatus.PAID)
    # It races with the answer that the shop waits for; whichever comes second changes nothing.
    until(lambda: street.verdicts() in (["ignored"], ["applied"]), what="the webhook")
    assert [row["captured"] for row in street.intents(order)] == [PRICE]
    assert street.shop.orders.timeline(order)[-1].kind == "OrderPaid"
    assert not problems(street.shop)


def test_a_refused_card_is_told_to_the_shopper(street: Street) -> None:
    order = street.order("pm_card_visa_chargeDeclinedInsufficientFunds")
    street.until(order, OrderStatus.PAYMENT_FAILED)
    assert street.shop.orders.payments(order)[-1].failure == "insufficient_funds"
    assert [row["captured"] for row in street.intents(order)] == [0]
    assert not problems(street.shop)


@pytest.mark.parametrize(
    ("proven", "status", "moved"),
    [(True, OrderStatus.PAID, PRICE), (False, OrderStatus.PAYMENT_FAILED, 0)],
)
def test_what_the_shopper_settles_with_their_bank_reaches_the_order_by_webhook(
    street: Street, proven: bool, status: OrderStatus, moved: int
) -> None:
    order = street.order(SECURE)
    until(lambda: street.seen(order)["payment_action"] is not None, what="3-D Secure")
    (intent,) = street.intents(order)
    assert street.seen(order)["payment_action"] == f"{intent['id']}_secret_fake"
    assert street.seen(order)["status"] == OrderStatus.PENDING

    street.fake.press(f"intents/{intent['id']}/authenticate", success=proven)

    street.until(order, status)
    assert [row["captured"] for row in street.intents(order)] == [moved]
    assert street.seen(order)["payment_action"] is None
    assert not problems(street.shop)


def test_money_that_moved_without_an_answer_is_told_by_webhook(street: Street) -> None:
    street.fake.lie("hang_after", path="/confirm", seconds=2)
    order = street.order()
    street.until(order, OrderStatus.PAID)
    assert street.fake.lies_told["hang_after"] == 1
    assert [row["captured"] for row in street.intents(order)] == [PRICE]
    assert street.verdicts() == ["applied"]


@pytest.mark.parametrize(
    "lie", ["hang_after", "hang_before", "error_after", "error_before", "stored_error"]
)
@pytest.mark.parametrize("path", ["/v1/payment_intents", "/confirm"])
def test_without_webhooks_a_lost_answer_is_asked_for(
    impatient: Street, lie: str, path: str
) -> None:
    impatient.fake.lie(lie, path=path, seconds=1)
    order = impatient.order()
    impatient.until(order, OrderStatus.PAID)
    assert impatient.fake.lies_told[lie] == 1
    assert [row["captured"] for row in impatient.intents(order)] == [PRICE]


def test_money_that_moved_for_an_order_canceled_meanwhile_goes_back_once(
    impatient: Street,
) -> None:
    impatient.fake.lie("hang_after", path="/confirm", seconds=2)
    order = impatient.order()
    until(lambda: any(r["captured"] for r in impatient.intents(order)), what="the money")
    impatient.shop.orders.cancel(order)
    until(lambda: impatient.payment(order) is PaymentStatus.REFUNDED, what="the refund")
    impatient.listen()
    until(lambda: len(impatient.verdicts()) == 1, what="the webhook that came last")
    assert [row["amount"] for row in impatient.fake.refunds] == [PRICE]
    assert impatient.seen(order)["status"] == OrderStatus.CANCELED
    assert not problems(impatient.shop)


def test_a_charge_that_never_arrived_is_barred_when_its_order_is_canceled(
    impatient: Street,
) -> None:
    impatient.fake.lie("error_before", path="/v1/payment_intents", times=3)
    order = impatient.order()
    until(lambda: "error_before" in impatient.fake.lies_told, what="a lost question")
    impatient.shop.orders.cancel(order)
    until(lambda: impatient.payment(order) is PaymentStatus.CANCELED, what="the end of it")
    (intent,) = impatient.intents(order)
    assert (intent["status"], intent["captured"]) == ("canceled", 0)


def test_money_is_set_aside_captured_in_part_and_sent_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    with open_street(sqlite_url, tmp_path, capture="manual") as street:
        street.listen()
        order = street.order()
        until(lambda: street.payment(order) is PaymentStatus.AUTHORIZED, what="the money aside")
        street.shop.orders.capture(order, amount=Money(1000, "USD"))
        street.until(order, OrderStatus.PAID)
        street.shop.orders.refund(order, amount=Money(400, "USD"))
        street.shop.orders.refund(order, amount=Money(600, "USD"))
        street.until(order, OrderStatus.REFUNDED)
        assert [row["captured"] for row in street.intents(order)] == [1000]
        assert sorted(row["amount"] for row in street.fake.refunds) == [400, 600]
        assert not problems(street.shop)

        other = street.order()
        until(lambda: street.payment(other) is PaymentStatus.AUTHORIZED, what="the money aside")
        street.shop.orders.cancel(other)
        until(lambda: street.payment(other) is PaymentStatus.CANCELED, what="the void")
        assert [(r["status"], r["captured"]) for r in street.intents(other)] == [("canceled", 0)]


def every(rows: list[dict[str, Any]], holds: Callable[[dict[str, Any]], bool]) -> bool:
    return all(holds(row) for row in rows)


def test_on_a_bad_day_every_order_is_settled_and_paid_once(impatient: Street) -> None:
    impatient.listen(duplicate=0.3, lose=0.2, delay=0.3, delay_seconds=1, corrupt=0.3, seed=7)
    impatient.fake.press("plan", seed=7, rate=0.15, seconds=1)
    orders = [impatient.order() for _ in range(12)]
    refused = impatient.order("pm_card_visa_chargeDeclined")
    for order in orders:
        impatient.until(order, OrderStatus.PAID)
    impatient.until(refused, OrderStatus.PAYMENT_FAILED)
    impatient.fake.press("heal")
    until(lambda: every(impatient.fake.events, lambda row: row["done"]), what="all webhooks")
    for order in orders:
        assert sum(row["captured"] for row in impatient.intents(order)) == PRICE
    assert sum(row["captured"] for row in impatient.fake.intents) == PRICE * len(orders)
    told = impatient.fake.lies_told
    assert sum(told.values()) > 5, "it was a bad day"
    assert told["webhook_corrupted"]
    assert "forged" in impatient.verdicts()
    assert not impatient.fake.refunds
    assert not problems(impatient.shop)
