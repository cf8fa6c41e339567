"""One shopping trip over HTTP: the same on one file and on the whole stack."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests import processes
from tests.cli_runs import plain_environment
from tests.integration.databases import Databases
from tests.integration.shop_processes import running, variables
from tests.landing import share
from tests.processes import PATIENCE_SECONDS, eventually
from tests.servers import free_port

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


@dataclass(frozen=True, slots=True)
class Town:
    """A shop that is served, and its command line."""

    web: httpx.Client
    folder: Path
    environment: dict[str, str]

    def quickshop(self, *words: str) -> str:
        """What a `quickshop` command says; it must succeed."""
        done = processes.run(
            [sys.executable, "-m", "quickshop", *words],
            cwd=self.folder,
            env=plain_environment() | self.environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def mailed_secret(self, email: str) -> str:
        """The secret of the mail that is written to an address, once it is there."""
        found: list[str] = []

        def has_come() -> bool:
            for file in (self.folder / "mail").glob("*.eml"):
                mail = message_from_bytes(file.read_bytes(), policy=policy.default)
                text = mail.get_body(("plain",))
                if mail["To"] == email and text is not None:
                    found.extend(re.findall(r"qso_[\w-]+", text.get_content()))
            return bool(found)

        assert eventually(has_come), f"no mail to {email}"
        return found[0]

    def available(self, handle: str) -> int:
        """Units of a product that can be bought, as staff see it."""
        variant = self.web.get(f"/v1/products/{handle}").json()["variants"][0]
        units: int = variant["available"]
        return units


Basket = tuple[str, dict[str, str], Any]
"""Path of a cart, what opens it, and what it comes to."""


class Guest:
    """Somebody who shops, with the secrets that the shop handed out."""

    mails = 0
    """How many they get besides those about orders."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def new_cart(self) -> tuple[str, dict[str, str]]:
        """Path of an empty cart, and what opens it."""
        cart = self.town.web.post("/v1/carts").json()
        return f"/v1/carts/{cart['id']}", {"X-Cart-Token": cart["token"]}

    def opens(self, placed: Mapping[str, Any]) -> dict[str, str]:
        """What opens an order of theirs."""
        return {"X-Order-Token": placed["token"]}

    def fill_cart(self, sku: str, quantity: int) -> Basket:
        """A cart with these units."""
        path, headers = self.new_cart()
        line = {"sku": sku, "quantity": quantity}
        priced = self.town.web.post(f"{path}/lines", json=line, headers=headers)
        assert priced.status_code < 300, priced.text
        return path, headers, priced.json()["total"]

    def go_to_the_till(self, basket: Basket) -> Basket:
        """As guests do: as they are."""
        return basket

    def check_out(self, sku: str, quantity: int, token: str) -> httpx.Response:
        """The answer to ordering these units and paying that way."""
        return self.order_cart(self.fill_cart(sku, quantity), token)

    def order_cart(self, basket: Basket, token: str) -> httpx.Response:
        """The answer to ordering what is in a cart."""
        path, headers, total = basket
        return self.town.web.post(
            f"{path}/checkout",
            headers=headers | {"Idempotency-Key": uuid4().hex},
            json={
                "email": "ada@example.com",
                "shipping_address": ADDRESS,
                "payment": {"method": "card", "token": token},
                "expected_total": total,
            },
        )

    def order(self, placed: Mapping[str, Any]) -> dict[str, Any]:
        """The order as it is now."""
        answer = self.town.web.get(f"/v1/orders/{placed['id']}", headers=self.opens(placed))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, placed: Mapping[str, Any], what: str, **options: Any) -> httpx.Response:
        """The answer to asking for something about an order."""
        headers = self.opens(placed) | {"Idempotency-Key": uuid4().hex}
        path = f"/v1/orders/{placed['id']}/{what}"
        return self.town.web.post(path, headers=headers, **options)

    def until(self, placed: Mapping[str, Any], status: str) -> None:
        """Wait for an order to get that far."""
        assert eventually(lambda: self.order(placed)["status"] == status), self.order(placed)

    def listed(self, placed: Sequence[Mapping[str, Any]]) -> list[str]:
        """The orders that they are shown as theirs, the newest first."""
        shown = []
        for order in reversed(placed):
            answer = self.town.web.get("/v1/orders", headers=self.opens(order))
            shown += [each["id"] for each in answer.json()["items"]]
        return shown


class Customer(Guest):
    """Somebody who has an account, and needs no secrets."""

    mails = 1

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.headers: dict[str, str] = {}

    def go_to_the_till(self, basket: Basket) -> Basket:
        """Get an account by mail, and sign in with the cart that was filled before."""
        path, guest, total = basket
        person = {"email": "ada@example.com", "password": "correct horse battery"}
        asked = self.town.web.post("/v1/auth/register", json=person | {"name": "Ada"})
        assert asked.status_code == 202, asked.text
        secret = self.town.mailed_secret(person["email"])
        done = self.town.web.post("/v1/auth/confirm", json={"token": secret})
        assert done.status_code == 204, done.text
        cart = {"id": path.rpartition("/")[2], "token": guest["X-Cart-Token"]}
        answer = self.town.web.post("/v1/auth/login", json=person | {"cart": cart})
        assert (answer.status_code, answer.json()["cart_id"]) == (200, cart["id"])
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert self.town.web.get(path, headers=guest).status_code == 404
        return path, self.headers, total

    def new_cart(self) -> tuple[str, dict[str, str]]:
        """Once signed in, without a secret."""
        if not self.headers:
            return super().new_cart()
        cart = self.town.web.post("/v1/carts", headers=self.headers).json()
        return f"/v1/carts/{cart['id']}", self.headers

    def opens(self, placed: Mapping[str, Any]) -> dict[str, str]:
        """Their session."""
        assert placed.get("token") is None
        return self.headers

    def listed(self, placed: Sequence[Mapping[str, Any]]) -> list[str]:
        """In one list."""
        answer = self.town.web.get("/v1/orders", headers=self.headers)
        return [each["id"] for each in answer.json()["items"]][: len(placed)]


def served(
    folder: Path, environment: dict[str, str], *processes: tuple[str, ...]
) -> Iterator[Town]:
    """A town whose shop runs in these processes, besides the one that serves."""
    port = free_port()
    with ExitStack() as stack:
        for words in (("serve", "--port", str(port)), *processes):
            stack.enter_context(running(folder, environment, *words))
        base = f"http://127.0.0.1:{port}"
        web = stack.enter_context(httpx.Client(base_url=base, timeout=PATIENCE_SECONDS))

        def is_up() -> bool:
            try:
                return web.get("/health/ready").status_code == 200
            except httpx.TransportError:
                return False

        assert eventually(is_up), "\n".join(log.read_text() for log in folder.glob("*.log"))
        yield Town(web, folder, environment)


def shared(url: str, folder: Path, **more: object) -> dict[str, str]:
    return variables(
        database_url=url,
        mail_dir=folder / "mail",
        sandbox_book=folder / "sandbox.db",
        payment_patience_seconds=0.5,
        sweep_seconds=0.5,
        poll_seconds=0.2,
        password_cost=4,
        **more,
    )


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("embedded")
    yield from served(folder, shared(f"sqlite:///{folder}/shop.db", folder))


@pytest.fixture(scope="module")
def stack(
    databases: Databases, valkey_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("stack")
    servers = {"redis_url": valkey_server, "broker_url": valkey_server}
    with databases.borrowed() as url:
        processes = (("relay",), ("relay",), ("worker", "--concurrency", "2"))
        yield from served(folder, shared(url, folder, **servers), *processes)


@pytest.fixture(scope="module", params=["embedded", "stack"])
def town(request: pytest.FixtureRequest) -> Town:
    """A town with a stocked shop."""
    found: Town = request.getfixturevalue(request.param)
    found.quickshop("import", "shopify", "--sample")
    return found


@pytest.mark.sampled
@pytest.mark.parametrize("kind", share([Guest, Customer], 2))
def test_shoppers_are_served_and_everything_adds_up(town: Town, kind: type[Guest]) -> None:
    mails = town.folder / "mail"
    mailed = len(list(mails.glob("*.eml")))
    listed = town.web.get("/v1/products", params={"in_stock": "true", "sort": "price"}).json()
    assert listed["items"][0]["variants"][0]["price"]["currency"] == "USD"
    product = town.web.get("/v1/products", params={"q": "candle"}).json()["items"][0]
    handle, sku = product["handle"], product["variants"][0]["sku"]
    before = product["variants"][0]["available"]
    shopper = kind(town)
    basket = shopper.go_to_the_till(shopper.fill_cart(sku, 2))
    answer = shopper.order_cart(basket, "tok_ok")
    paid = answer.json()
    assert (answer.status_code, paid["status"]) == (201, "pending")
    shopper.until(paid, "paid")

    declined = shopper.check_out(sku, 3, "tok_declined").json()
    shopper.until(declined, "payment_failed")
    again = shopper.ask(declined, "payments", json={"method": "card", "token": "tok_ok"})
    assert again.status_code == 201, again.text
    shopper.until(declined, "paid")

    late = shopper.check_out(sku, 1, "tok_timeout_then_ok").json()
    shopper.until(late, "paid")

    greedy = shopper.check_out(sku, min(before, 999), "tok_ok")
    assert (greedy.status_code, greedy.json()["code"]) == (409, "out_of_stock")

    canceled = shopper.check_out(sku, 4, "tok_ok").json()
    shopper.until(canceled, "paid")
    answer = shopper.ask(canceled, "cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")

    orders = [paid, declined, late, canceled]
    assert shopper.listed(orders) == [order["id"] for order in reversed(orders)]
    stranger = town.web.get(f"/v1/orders/{canceled['id']}", headers={"X-Order-Token": "guess"})
    assert stranger.status_code == 404
    # A page may be a few seconds old; the stock itself is not.
    assert eventually(lambda: town.available(handle) == before - 6)
    assert eventually(lambda: len(list(mails.glob("*.eml"))) - mailed == 7 + shopper.mails)
    town.quickshop("doctor")
