"""A shop with a guest, a customer and an admin, ready for anything that its API offers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from httpx2 import Response

from quickshop import open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.application.checkout import PlacedOrder
from quickshop.application.shopper import Shopper
from quickshop.domain.cart import CartId
from quickshop.domain.payments import PaymentSource
from quickshop.entrypoints.http.edge.rate_limits import Limits
from quickshop.entrypoints.http.edge.rules import Edge
from quickshop.ports.limits import RequestGate
from quickshop.settings import Settings
from tests.attacks.direct import PEER, Answer, ask
from tests.attacks.surface import ADMIN, CUSTOMER, Call, Operation, as_bytes, operations_of, sample
from tests.builders import an_address
from tests.http_client import Web, api_document, serve
from tests.people import PASSWORD, Person, an_email, log_in, mailed_secret, registered
from tests.stripe_fake.webhooks import sign

WEBHOOK_SECRET: Final = "whsec_of_the_tests"
ADMIN_EMAIL: Final = "root@example.com"
SKU, STAFF_SKU = "MUG-0", "CUP-0"
"""What shoppers buy, and what staff work on."""
_OWN: Final = ("/v1/me", "/v1/auth")
"""Below these, a write may end the session or the account: each is made with its own."""

_FEED: Final = f"""Handle,Title,Product Category,Variant SKU,Variant Price,Published
{SKU.lower()},Mug,Mugs,{SKU},12.50,true
{STAFF_SKU.lower()},Cup,Mugs,{STAFF_SKU},7.50,true
""".encode()

_KNOWN: Final[Mapping[str, Mapping[str, Any]]] = {
    "create_product": {"sku": "NEW-0"},
    "capture_payment": {"amount": None},
    "refund_order": {"amount": None},
    "fulfill_order": {"lines": None},
}
"""What else is meant by fields of some operations."""

_serial = count(1)


@dataclass(slots=True)
class Stage:
    """The shop, a client of its API, and who comes."""

    web: Web
    operations: list[Operation]
    _admin: Person | None = None
    _customer: Person | None = None
    _made: dict[str, str] = field(default_factory=dict)

    def operation(self, name: str) -> Operation:
        """The operation of this id."""
        return next(each for each in self.operations if each.id == name)

    def send(self, call: Call) -> Response:
        """Do it."""
        path = call.operation.path
        for name, value in call.path_values.items():
            path = path.replace(f"{{{name}}}", quote(value, safe="", errors="surrogatepass"))
        headers = dict(call.headers)
        content = None
        if call.operation.media_type is not None:
            content = as_bytes(call.body)
            headers = {"Content-Type": call.operation.media_type, **headers}
        return self.web.client.request(
            call.operation.method,
            path,
            params=dict(call.query) or None,
            headers=headers,
            content=content,
        )

    def ask(self, call: Call, *, peer: tuple[str, int] = PEER) -> Answer:
        """Do it without a client in between."""
        client = self.web.client
        return client.portal.call(lambda: ask(client.app, call, peer=peer))

    def call(self, operation: Operation, who: str) -> Call:
        """A request of theirs that is right, about things made for it."""
        person = self._person(operation, who)
        shopper = person if who == CUSTOMER else None
        names, headers = self._names(operation, shopper)
        if person is not None:
            headers |= person.headers
        if "Idempotency-Key" in operation.headers:
            headers["Idempotency-Key"] = uuid4().hex
        known = self._known(operation)
        query = {
            name: str(sample(schema, known, name))
            for name, schema in operation.query.items()
            if name in known or schema.get("examples")
        }
        body = None if operation.body is None else sample(operation.body, known)
        if operation.id == "receive_payment_webhook":
            body = _news_from_stripe()
            headers["Stripe-Signature"] = sign(body.encode(), WEBHOOK_SECRET, int(time()))
        if operation.media_type == "text/csv":
            body = "Handle,Title,Variant Price\ncup,Cup,1.00\n"
        return Call(operation, names, query, headers, body)

    def customer(self, email: str | None = None, password: str = PASSWORD) -> Person:
        """A new customer, who read our mail."""
        address = email or an_email()
        registered(self.web, address, password=password)
        return log_in(self.web, address, password=password)

    def admin(self) -> Person:
        """Who may do everything."""
        if self._admin is None:
            self.web.shop.staff.create_admin(email=ADMIN_EMAIL, password=PASSWORD)
            self._admin = log_in(self.web, ADMIN_EMAIL)
        return self._admin

    def mailed(self, email: str) -> str:
        """The secret of the mail that was asked for last for this address."""
        self.web.shop.run_jobs()
        return mailed_secret(self.web, email)

    def _person(self, operation: Operation, who: str) -> Person | None:
        if who == ADMIN:
            return self.admin()
        if who != CUSTOMER:
            return None
        if operation.writes and operation.path.startswith(_OWN):
            return self.customer()
        if self._customer is None:
            self._customer = self.customer()
        return self._customer

    def _names(
        self, operation: Operation, person: Person | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """What stands in the path, and the secrets of a guest that open it."""
        wanted, names, headers = operation.path_names, dict[str, str](), dict[str, str]()
        shop = self.web.shop
        if {"cart_id", "order_id"} & {*wanted} or operation.id == "list_own_orders":
            owner = person.customer_id if person and operation.id != "claim_cart" else None
            cart = shop.carts.create(customer_id=owner)
            opener = Shopper(token=cart.token or "", customer_id=owner)
            view = shop.carts.add_line(cart.cart.id, opener, sku=SKU, quantity=1)
            names |= {"cart_id": str(view.id), "line_id": str(view.lines[0].id)}
            headers["X-Cart-Token"] = cart.token or ""
            if "order_id" in wanted or operation.id == "list_own_orders":
                declined = operation.id == "pay_order_again"
                placed = self.place(view.id, opener, "tok_declined" if declined else "tok_ok")
                if declined or operation.audience == {ADMIN}:
                    shop.run_jobs()
                names["order_id"] = str(placed.order.id)
                headers["X-Order-Token"] = placed.token or ""
        if person is not None and "address_id" in wanted:
            saved = shop.customers.save_address(person.customer_id, an_address())
            names["address_id"] = str(saved.id)
        if person is not None and "session_id" in wanted:
            names["session_id"] = str(person.session_id)
        if {"customer_id", "user_id"} & {*wanted}:
            names["customer_id"] = names["user_id"] = str(self.customer().id)
        names["role"] = (
            "helper" if operation.id in {"set_role", "remove_role"} else "order_manager"
        )
        names |= self._made | {"key": SKU.lower(), "provider": "stripe"}
        known = {name: names.get(name, str(uuid4())) for name in wanted}
        taken = {name: value for name, value in headers.items() if name in operation.headers}
        return known, taken

    def place(self, cart_id: CartId, opener: str | Shopper, pay_with: str) -> PlacedOrder:
        """Order what is in a cart."""
        return self.web.shop.orders.place(
            cart_id,
            opener,
            email="ada@example.com",
            shipping_address=an_address(),
            payment=PaymentSource(pay_with),
        )

    def _known(self, operation: Operation) -> dict[str, Any]:
        known: dict[str, Any] = {
            "password": PASSWORD,
            "current_password": PASSWORD,
            "new_password": f"{PASSWORD} staple",
            "sku": STAFF_SKU if operation.audience == {ADMIN} else SKU,
            "limit": 5,
            "cart": None,
            "expected_total": None,
            "category_id": self._made.get("category_id"),
            "parent_id": None,
            "location": "main",
            "to_location": "attic",
            "tracking_url": "https://parcels.example/1",
            "expires_at": None,
        } | _KNOWN.get(operation.id, {})
        if operation.id == "log_in":
            known["email"] = self._anyone().email
        if operation.id == "refresh_session":
            known["refresh_token"] = log_in(self.web, self._anyone().email).refresh_token
        if ask := _ASKING.get(operation.id):
            known["token"] = self.mailed(ask(self))
        return known

    def _anyone(self) -> Person:
        if self._customer is None:
            self._customer = self.customer()
        return self._customer

    def stock(self) -> None:
        """Sell something, and let staff find something to work on."""
        shop = self.web.shop
        with TemporaryDirectory() as folder:
            feed = Path(folder, "feed.csv")
            feed.write_bytes(_FEED)
            shop.products.import_file(feed, currency="USD")
        for sku in (SKU, STAFF_SKU):
            for location in ("main", "attic"):
                shop.inventory.receive(sku, 1_000_000, location=location)
        self._made["product_id"] = str(shop.products.get(STAFF_SKU.lower()).id)
        self._made["category_id"] = str(shop.products.categories()[0].id)
        if any(operation.id == "start_import" for operation in self.operations):
            answer = self.send(self.call(self.operation("start_import"), ADMIN))
            self._made["import_id"] = answer.json()["id"]
            shop.run_jobs()


def _ask_for_account(stage: Stage) -> str:
    email = an_email()
    stage.web.shop.accounts.register(email=email, password=PASSWORD)
    return email


def _ask_for_reset(stage: Stage) -> str:
    email = stage.customer().email
    stage.web.shop.accounts.request_password_reset(email=email)
    return email


def _ask_for_change(stage: Stage) -> str:
    email = an_email()
    stage.web.shop.accounts.request_email_change(
        stage.customer().id, email=email, password=PASSWORD
    )
    return email


_ASKING: Final[Mapping[str, Callable[[Stage], str]]] = {
    "confirm_account": _ask_for_account,
    "reset_password": _ask_for_reset,
    "confirm_email_change": _ask_for_change,
}
"""How the secret that an operation takes is mailed; to which address."""


def _news_from_stripe() -> str:
    intent = {
        "id": f"pi_{next(_serial)}",
        "object": "payment_intent",
        "amount": 1250,
        "amount_received": 1250,
        "currency": "usd",
        "metadata": {"quickshop_key": "nobody's:1"},
    }
    event = {"id": f"evt_{next(_serial)}", "object": "event", "data": {"object": intent}}
    return json.dumps(event | {"type": "payment_intent.succeeded"})


@cache
def known_operations() -> list[Operation]:
    """Every operation of the API."""
    return operations_of(api_document())


def quick_settings(**more: object) -> Settings:
    """Settings under which passwords cost next to nothing."""
    given: Mapping[str, object] = {
        "database_url": "memory://",
        "password_cost": 4,
        "payment_gateway": "stripe",  # for its webhooks; money goes through the sandbox
        "stripe_secret_key": "sk_test_of_the_tests",
        "stripe_webhook_secret": WEBHOOK_SECRET,
    }
    return Settings.load(**(given | more))


@contextmanager
def open_stage(
    settings: Settings | None = None,
    *,
    limits: Limits | None = None,
    edge: Edge | None = None,
    gate: RequestGate | None = None,
    stocked: bool = False,
    **options: Any,
) -> Iterator[Stage]:
    """A stocked shop behind its API, without rate limits unless `limits` are given."""
    settings, gateway = settings or quick_settings(), _sandbox()
    mails = options.pop("notifier", None) or MemoryNotifier()
    given = {"settings": settings, "notifier": mails, "payment_gateway": gateway} | options
    with closing(gateway), open_shop(**given) as shop:
        limits = limits or Limits(enabled=False)
        with serve(shop, mails, edge=edge, limits=limits, request_gate=gate) as web:
            stage = Stage(web, known_operations())
            if not stocked:
                stage.stock()
            yield stage


def _sandbox() -> SandboxGateway:
    return SandboxGateway(":memory:", slow_seconds=0)
