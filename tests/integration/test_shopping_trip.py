"""One shopping trip over HTTP: the same on one file and on the whole stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.integration.shop_processes import running, variables
from tests.processes import eventually
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
    environment: Mapping[str, str]

    def quickshop(self, *words: str) -> str:
        """What a `quickshop` command says; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "quickshop", *words],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cart(self, sku: str, quantity: int) -> tuple[str, dict[str, str], int]:
        """Path and headers of a cart with these units, and what it comes to."""
        cart = self.web.post("/v1/carts").json()
        path, headers = f"/v1/carts/{cart['id']}", {"X-Cart-Token": cart["token"]}
        line = {"sku": sku, "quantity": quantity}
        priced = self.web.post(f"{path}/lines", json=line, headers=headers)
        assert priced.status_code < 300, priced.text
        return path, headers, priced.json()["total"]

    def check_out(self, sku: str, quantity: int, token: str) -> httpx.Response:
        """The answer to ordering these units and paying that way."""
        path, headers, total = self.cart(sku, quantity)
        return self.web.post(
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
        answer = self.web.get(
            f"/v1/orders/{placed['id']}", headers={"X-Order-Token": placed["token"]}
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def until(self, placed: Mapping[str, Any], status: str) -> None:
        """Wait for an order to get that far."""
        assert eventually(lambda: self.order(placed)["status"] == status), self.order(placed)

    def available(self, handle: str) -> int:
        """Units of a product that can be bought, as staff see it."""
        variant = self.web.get(f"/v1/products/{handle}").json()["variants"][0]
        units: int = variant["available"]
        return units


def served(
    folder: Path, environment: dict[str, str], *processes: tuple[str, ...]
) -> Iterator[Town]:
    """A town whose shop runs in these processes, besides the one that serves."""
    port = free_port()
    with ExitStack() as stack:
        for words in (("serve", "--port", str(port)), *processes):
            stack.enter_context(running(folder, environment, *words))
        web = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10))

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
        **more,
    )


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Town]:
    yield from served(tmp_path, shared(f"sqlite:///{tmp_path}/shop.db", tmp_path))


@pytest.fixture
def stack(database_url: str, valkey_server: str, tmp_path: Path) -> Iterator[Town]:
    environment = shared(database_url, tmp_path, redis_url=valkey_server, broker_url=valkey_server)
    yield from served(
        tmp_path, environment, ("relay",), ("relay",), ("worker", "--concurrency", "2")
    )


@pytest.fixture(params=["embedded", "stack"])
def town(request: pytest.FixtureRequest) -> Town:
    found: Town = request.getfixturevalue(request.param)
    return found


def test_shoppers_are_served_and_everything_adds_up(town: Town) -> None:
    town.quickshop("import", "shopify", "--sample")
    listed = town.web.get("/v1/products", params={"in_stock": "true", "sort": "price"}).json()
    assert listed["items"][0]["variants"][0]["price"]["currency"] == "USD"
    product = town.web.get("/v1/products", params={"q": "candle"}).json()["items"][0]
    handle, sku = product["handle"], product["variants"][0]["sku"]
    before = product["variants"][0]["available"]

    paid = town.check_out(sku, 2, "tok_ok")
    assert (paid.status_code, paid.json()["status"]) == (201, "pending")
    town.until(paid.json(), "paid")

    declined = town.check_out(sku, 3, "tok_declined").json()
    town.until(declined, "payment_failed")
    again = town.web.post(
        f"/v1/orders/{declined['id']}/payments",
        headers={"X-Order-Token": declined["token"], "Idempotency-Key": uuid4().hex},
        json={"method": "card", "token": "tok_ok"},
    )
    assert again.status_code == 201, again.text
    town.until(declined, "paid")

    late = town.check_out(sku, 1, "tok_timeout_then_ok").json()
    town.until(late, "paid")

    greedy = town.check_out(sku, min(before, 999), "tok_ok")
    assert (greedy.status_code, greedy.json()["code"]) == (409, "out_of_stock")

    canceled = town.check_out(sku, 4, "tok_ok").json()
    town.until(canceled, "paid")
    answer = town.web.post(
        f"/v1/orders/{canceled['id']}/cancel",
        headers={"X-Order-Token": canceled["token"], "Idempotency-Key": uuid4().hex},
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")

    stranger = town.web.get(f"/v1/orders/{canceled['id']}", headers={"X-Order-Token": "guess"})
    assert stranger.status_code == 404
    # A page may be a few seconds old; the stock itself is not.
    assert eventually(lambda: town.available(handle) == before - 6)
    mails = town.folder / "mail"
    assert eventually(lambda: len(list(mails.glob("*.eml"))) == 7)
    town.quickshop("doctor")
