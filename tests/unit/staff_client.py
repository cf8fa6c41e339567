"""A shop in memory, and somebody of its staff who uses nothing but the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from httpx2 import Response

from quickshop import Shop
from tests.http_client import Receipt, Web, open_web
from tests.people import Person, signed_in

ADMIN = "/v1/admin"


@dataclass(frozen=True, slots=True)
class BackOffice:
    """The routes of staff, asked by somebody who may do everything."""

    web: Web
    admin: Person

    @property
    def shop(self) -> Shop:
        return self.web.shop

    def ask(self, method: str, path: str, *, key: str | None = None, **request: Any) -> Response:
        """Whatever is answered. With a key it is sent along."""
        headers = {**self.admin.headers, **request.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.web.client.request(method, f"{ADMIN}{path}", headers=headers, **request)

    def get(self, path: str, **params: Any) -> Any:
        """What is there."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.json()

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Response:
        """An answer to something that is to be done, under a new key unless one is given."""
        return self.ask("POST", path, json=body, key=key or uuid4().hex)

    def done(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The document that says that it was done."""
        answer = self.post(path, body)
        assert answer.status_code == status, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.json() if answer.content else None

    def mug(self, *, units: int = 10, **changes: Any) -> dict[str, Any]:
        """A product with one variant, and so many units of it."""
        product: dict[str, Any] = self.done("/products", a_mug(**changes), status=201)
        if units:
            sku = product["variants"][0]["sku"]
            self.done("/inventory/receipts", {"sku": sku, "quantity": units})
        return product

    def order(self, *, units: int = 2, pay_with: str = "tok_ok") -> Receipt:
        """An order of mugs that a guest placed, and that was paid if it could be."""
        receipt = self.web.order(("MUG", units), pay_with=pay_with)
        self.shop.run_jobs()
        return receipt


def usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


def a_mug(**changes: Any) -> dict[str, Any]:
    """A product that can be created, except for the changes."""
    return {"title": "Mug", "variants": [{"sku": "MUG", "price": usd(1250)}]} | changes


@contextmanager
def open_back_office(**options: Any) -> Iterator[BackOffice]:
    """An empty shop, and somebody who may do everything in it."""
    with open_web(**options) as web:
        yield BackOffice(web, signed_in(web, roles=("admin",)))
