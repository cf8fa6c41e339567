"""Fifty requests at once with one key have one effect, whichever process each of them reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from quickshop.application.checkout import PlacedOrder
from tests.http_client import order_form
from tests.integration.buyers import Buyers, open_buyers, problems, stock, until
from tests.integration.shop_processes import running, variables
from tests.servers import free_port

REQUESTS = 50
CLIENTS = 16
CARD = {"method": "card", "token": "tok_ok"}


@dataclass(frozen=True, slots=True)
class Front:
    """Two API processes on one PostgreSQL, and the same shop as a library."""

    buyers: Buyers
    doors: tuple[httpx.Client, ...]

    def fifty_times(
        self, path: str, body: Mapping[str, Any], **headers: str
    ) -> list[httpx.Response]:
        """The answers to the same request with the same key, sent through all doors at once."""
        headers["Idempotency-Key"] = "one"

        def send(door: httpx.Client) -> httpx.Response:
            return door.post(path, json=body, headers=headers)

        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(send, islice(cycle(self.doors), REQUESTS)))

    def order(self, pay_with: str = "tok_ok") -> PlacedOrder:
        """An order of two mugs, and what followed from it."""
        placed = self.buyers.check_out(self.buyers.fill("MUG", quantity=2), pay_with=pay_with)
        self.finish()
        return placed

    def finish(self) -> None:
        """See all work done that is to be done: here, or in one of the API processes."""
        run = self.buyers.shop.jobs.run

        def is_idle() -> bool:
            self.buyers.shop.run_jobs()
            return not run.queue.size(run.clock.now(), patience=timedelta()).waiting

        until(is_idle, what="the work behind the scenes")

    def allocated(self) -> int:
        """Mugs that are promised to orders."""
        return self.buyers.shop.inventory.list(sku="MUG").items[0].allocated


@pytest.fixture
def front(database_url: str, tmp_path: Path) -> Iterator[Front]:
    environment = variables(
        database_url=database_url, mail_dir=tmp_path / "mail", sandbox_book=tmp_path / "sandbox.db"
    )
    with ExitStack() as stack, open_buyers(database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 100)
        ports = [free_port(), free_port()]
        for port in ports:
            stack.enter_context(running(tmp_path, environment, "serve", "--port", str(port)))
        doors = tuple(
            stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30))
            for port in ports
        )
        for door in doors:
            until(lambda door=door: is_open(door), what="the API")
        yield Front(buyers, doors)


def is_open(door: httpx.Client) -> bool:
    try:
        return door.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def assert_one_answer(answers: list[httpx.Response], status: int) -> None:
    """One did it, some got the very same bytes again, the others are to ask again."""
    first = [a for a in answers if a.is_success and "idempotent-replayed" not in a.headers]
    assert [answer.status_code for answer in first] == [status]
    for answer in answers:
        if answer.is_success:
            assert (answer.status_code, answer.content) == (status, first[0].content)
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
            assert answer.headers["retry-after"] == "1"
    assert len(answers) == REQUESTS
    assert {a.headers.get("idempotent-replayed", "true") for a in answers} == {"true"}


def test_fifty_checkouts_with_one_key_place_one_order(front: Front) -> None:
    cart = front.buyers.fill("MUG", quantity=2)
    path = f"/v1/carts/{cart.cart.id}/checkout"
    answers = front.fifty_times(path, order_form(), **{"X-Cart-Token": cart.token})
    assert_one_answer(answers, 201)
    assert len(front.buyers.shop.orders.list().items) == 1
    assert front.allocated() == 2
    front.finish()
    (order,) = front.buyers.shop.orders.list().items
    (payment,) = front.buyers.shop.orders.payments(order.id)
    assert payment.captured == order.total
    assert problems(front.buyers.shop) == []


def test_fifty_payments_with_one_key_make_one_attempt(front: Front) -> None:
    placed = front.order(pay_with="tok_declined")
    assert front.allocated() == 0
    path = f"/v1/orders/{placed.order.id}/payments"
    answers = front.fifty_times(path, CARD, **{"X-Order-Token": placed.token})
    assert_one_answer(answers, 201)
    front.finish()
    payments = front.buyers.shop.orders.payments(placed.order.id)
    assert [payment.status for payment in payments] == ["declined", "captured"]
    assert front.allocated() == 2
    assert problems(front.buyers.shop) == []


def test_fifty_cancellations_with_one_key_cancel_and_refund_once(front: Front) -> None:
    placed = front.order()
    path = f"/v1/orders/{placed.order.id}/cancel"
    answers = front.fifty_times(path, {"reason": "enough"}, **{"X-Order-Token": placed.token})
    assert_one_answer(answers, 200)
    front.finish()
    (payment,) = front.buyers.shop.orders.payments(placed.order.id)
    assert [refund.amount for refund in payment.refunds] == [placed.order.total]
    timeline = front.buyers.shop.orders.timeline(placed.order.id)
    told = Counter(entry.kind for entry in timeline)
    assert (told["OrderCanceled"], told["OrderRefunded"]) == (1, 1)
    assert front.allocated() == 0
    assert problems(front.buyers.shop) == []
