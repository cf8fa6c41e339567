"""A shop in memory behind the HTTP API, and shoppers who use only the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import uuid4

from httpx2 import Response

from quickshop import Money, Settings, Shop, open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.security.passwords import MIN_COST
from quickshop.application.catalog import NewVariant
from quickshop.domain.catalog import Image
from quickshop.entrypoints.http.app import create_app
from tests.asgi_client import AsgiClient, client_of

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


def order_form(**changes: Any) -> dict[str, Any]:
    """A checkout body that is right, except for the changes."""
    return {
        "email": "ada@example.com",
        "shipping_address": dict(ADDRESS),
        "payment": {"method": "card", "token": "tok_ok"},
        **changes,
    }


@dataclass(frozen=True, slots=True)
class Basket:
    """A cart and the secret that opens it."""

    id: str
    token: str

    @property
    def url(self) -> str:
        return f"/v1/carts/{self.id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Cart-Token": self.token}


@dataclass(frozen=True, slots=True)
class Receipt:
    """An order and the secret that opens it."""

    id: str
    token: str
    answer: Response

    @property
    def url(self) -> str:
        return f"/v1/orders/{self.id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Order-Token": self.token}


@dataclass(frozen=True, slots=True)
class Web:
    """The shop, and a client of its API."""

    shop: Shop
    client: AsgiClient
    mailbox: MemoryNotifier = field(default_factory=MemoryNotifier)
    """The messages that the shop sent."""

    def stock(self, sku: str = "MUG-1", *, units: int = 10, price: int = 1250, **more: Any) -> str:
        """Put a product with one variant in the shop; its id."""
        currency = more.pop("currency", self.shop.policy.currency)
        create = replace(self.shop.products.create, currency=currency)
        product = create(
            title=more.pop("title", f"Mug {sku}"),
            variants=[NewVariant(sku=sku, price=Money(price, currency))],
            handle=sku.lower(),
            images=[Image("https://example.com/mug.png", "A mug")],
            **more,
        )
        if units:
            self.shop.inventory.receive(sku, units)
        return str(product.id)

    def cart(self, *lines: tuple[str, int]) -> Basket:
        """A cart that holds these SKUs."""
        new = self.client.post("/v1/carts").json()
        basket = Basket(new["id"], new["token"])
        for sku, quantity in lines:
            body = {"sku": sku, "quantity": quantity}
            answer = self.client.post(f"{basket.url}/lines", json=body, headers=basket.headers)
            assert answer.status_code == 200, answer.text
        return basket

    def check_out(self, basket: Basket, key: str | None = None, **changes: Any) -> Response:
        """Try to turn a cart into an order."""
        return self.client.post(
            f"{basket.url}/checkout",
            json=order_form(**changes),
            headers={**basket.headers, "Idempotency-Key": key or uuid4().hex},
        )

    def break_use_case(self, context: str, name: str, error: Exception) -> None:
        """Have one use case fail from now on."""

        def fail(*_args: object, **_options: object) -> None:
            raise error

        broken = replace(getattr(self.shop, context), **{name: fail})
        self.client.app.state.shop = replace(self.shop, **{context: broken})

    def order(self, *lines: tuple[str, int], pay_with: str = "tok_ok") -> Receipt:
        """An order just placed."""
        basket = self.cart(*(lines or (("MUG-1", 1),)))
        answer = self.check_out(basket, payment={"method": "card", "token": pay_with})
        assert answer.status_code == 201, answer.text
        return Receipt(answer.json()["id"], answer.json()["token"], answer)


@cache
def quick_settings(**more: str) -> Settings:
    """A shop in memory, where passwords cost next to nothing. Read once: that takes a while."""
    return Settings.load(database_url="memory://", password_cost=MIN_COST, **more)


@contextmanager
def open_web(*, settings: Settings | None = None, **options: Any) -> Iterator[Web]:
    """An empty shop without a page cache, unless `options` set one."""
    mailbox = MemoryNotifier()
    with (
        open_shop(settings=settings or quick_settings(), notifier=mailbox) as shop,
        serve(shop, mailbox, **options) as web,
    ):
        yield web


@contextmanager
def serve(shop: Shop, mailbox: MemoryNotifier, **options: Any) -> Iterator[Web]:
    """Serve an open shop over HTTP; `options` are those of `create_app`."""
    app = create_app(shop, **{"product_cache_seconds": 0, **options})
    with client_of(app) as client:
        yield Web(shop, client, mailbox)


@cache
def api_document() -> dict[str, Any]:
    """What describes the API, which is the same for each shop. Made once: that takes a while."""
    with open_web() as web:
        document: dict[str, Any] = web.client.get("/openapi.json").json()
    return document


def assert_problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    """Assert that the answer is this problem document, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == code
    assert document["status"] == status
    assert {"type", "title", "detail"} <= document.keys()
    return document
