"""What is somebody's opens to nobody else: every id of theirs, tried by strangers and guests.

Another's thing is a 404 like one that is not there, nothing of it changes, and nothing of theirs
stands in the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from httpx2 import Response

from quickshop.application.shopper import order_token
from quickshop.domain.cart import CartId
from quickshop.domain.errors import NotFoundError
from quickshop.domain.orders import OrderId
from quickshop.entrypoints.http.edge.rate_limits import Limits
from tests.http_client import Web, api_document, assert_problem, open_web, order_form
from tests.people import PASSWORD, Person, log_in, signed_in
from tests.routes import ROUTES, Route

STREET: Final = "12 Secret Gardens"
OWNED: Final = ("cart_id", "line_id", "order_id", "address_id", "session_id")
ADDRESS: Final = {
    "name": "Ada Lovelace",
    "line1": STREET,
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
BODIES: Final[Mapping[str, Any]] = {
    "add_cart_line": {"sku": "MUG-1", "quantity": 1},
    "change_cart_line": {"quantity": 7},
    "place_order": order_form(),
    "pay_order_again": {"method": "card", "token": "tok_ok"},
    "cancel_own_order": {"reason": "mischief"},
    "replace_address": {"address": ADDRESS},
}
THEIRS: Final = [
    route
    for route in ROUTES
    if ":" not in route.who and any(f"{{{name}}}" in route.path for name in OWNED)
]


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer who has one of everything, and the id of each."""

    person: Person
    ids: Mapping[str, str]

    @property
    def private(self) -> list[str]:
        """What a stranger must not be told."""
        return [self.person.email, STREET, self.person.access_token, self.person.refresh_token]


@dataclass(frozen=True, slots=True)
class Intruder:
    """Somebody with things of their own, and no right to anybody else's."""

    name: str
    headers: Mapping[str, str]
    signed_in: bool


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with open_web(limits=Limits(enabled=False)) as web:
        web.stock(units=1_000)
        yield web


def a_cart_of(web: Web, person: Person) -> dict[str, Any]:
    cart = web.client.post("/v1/carts", headers=person.headers).json()
    line = {"sku": "MUG-1", "quantity": 2}
    answer = web.client.post(f"/v1/carts/{cart['id']}/lines", json=line, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def an_order_of(web: Web, person: Person) -> str:
    cart = a_cart_of(web, person)
    form = order_form(email=person.email, shipping_address=ADDRESS)
    placed = web.client.post(
        f"/v1/carts/{cart['id']}/checkout",
        json=form,
        headers={**person.headers, "Idempotency-Key": uuid4().hex},
    )
    assert placed.status_code == 201, placed.text
    assert placed.json()["token"] is None
    return str(placed.json()["id"])


@pytest.fixture(scope="module")
def owner(web: Web) -> Owner:
    person = signed_in(web)
    other_device = log_in(web, person.email)
    saved = web.client.post(
        "/v1/me/addresses", json={"address": ADDRESS}, headers=person.headers
    ).json()
    cart = a_cart_of(web, person)
    return Owner(
        person,
        {
            "cart_id": cart["id"],
            "line_id": cart["lines"][0]["id"],
            "order_id": an_order_of(web, person),
            "address_id": saved["id"],
            "session_id": str(other_device.session_id),
        },
    )


@pytest.fixture(scope="module")
def intruders(web: Web) -> list[Intruder]:
    stranger = signed_in(web)
    a_cart_of(web, stranger)
    receipt, basket = web.order(), web.cart(("MUG-1", 1))
    tokens = {**receipt.headers, **basket.headers}
    return [
        Intruder("nobody", {}, signed_in=False),
        Intruder("a guest with tokens of their own", tokens, signed_in=False),
        Intruder("another customer", stranger.headers, signed_in=True),
        Intruder("another with a guest's tokens", {**stranger.headers, **tokens}, signed_in=True),
    ]


def state_of(web: Web, owner: Owner) -> list[Any]:
    """All that is the owner's, as they see it."""
    paths = (
        "/v1/me",
        "/v1/carts",
        "/v1/orders",
        f"/v1/carts/{owner.ids['cart_id']}",
        f"/v1/orders/{owner.ids['order_id']}",
    )
    shown = [web.client.get(path, headers=owner.person.headers).json() for path in paths]
    sessions = web.client.get("/v1/me/sessions", headers=owner.person.headers).json()["items"]
    return [*shown, sorted(session["id"] for session in sessions)]


def call(web: Web, route: Route, ids: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    path = route.path
    for name in OWNED:
        path = path.replace(f"{{{name}}}", ids[name])
    return web.client.request(
        route.method,
        path,
        headers={**headers, "Idempotency-Key": uuid4().hex},
        json=BODIES.get(route.operation) if route.method in {"POST", "PUT", "PATCH"} else None,
    )


@pytest.mark.parametrize("route", THEIRS, ids=lambda route: route.operation)
def test_anothers_id_is_a_404_and_nothing_of_theirs_changes_or_is_told(
    web: Web, owner: Owner, intruders: list[Intruder], route: Route
):
    before = state_of(web, owner)
    nothing = {name: str(uuid4()) for name in OWNED}
    for intruder in intruders:
        answer = call(web, route, owner.ids, intruder.headers)
        if route.who == "account" and not intruder.signed_in:
            assert_problem(answer, 401, "not_signed_in")
        else:
            assert_problem(answer, 404, "not_found")
        absent = call(web, route, nothing, intruder.headers)
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content)
        told = answer.text + str(answer.headers)
        assert not [secret for secret in owner.private if secret in told], intruder.name
    assert state_of(web, owner) == before


def test_the_owner_opens_all_of_it(web: Web, owner: Owner):
    """So that the test above does not pass because nothing works."""
    opened = {
        route.operation: call(web, route, owner.ids, owner.person.headers).status_code
        for route in THEIRS
        if route.operation in {"get_cart", "get_own_order", "change_cart_line", "replace_address"}
    }
    assert opened == {
        "get_cart": 200,
        "get_own_order": 200,
        "change_cart_line": 200,
        "replace_address": 200,
    }


def test_every_route_with_an_id_of_a_customer_is_tried():
    named = {
        part.strip("{}")
        for route in ROUTES
        if ":" not in route.who
        for part in route.path.split("/")
        if part.startswith("{")
    }
    assert named == {*OWNED, "key", "provider"}, "a new id needs a row in OWNED"
    writes = {route.operation for route in THEIRS if route.method in {"POST", "PUT", "PATCH"}}
    assert writes - BODIES.keys() <= {"hold_cart", "claim_cart"}, "a new body needs a row"


def test_a_strangers_line_does_not_open_in_ones_own_cart(web: Web, owner: Owner):
    stranger = signed_in(web)
    cart = a_cart_of(web, stranger)
    before = state_of(web, owner)
    path = f"/v1/carts/{cart['id']}/lines/{owner.ids['line_id']}"
    changed = web.client.patch(path, json={"quantity": 9}, headers=stranger.headers)
    assert_problem(changed, 404, "not_found")
    assert_problem(web.client.delete(path, headers=stranger.headers), 404, "not_found")
    assert state_of(web, owner) == before


def test_a_cart_named_at_sign_in_comes_along_only_with_its_own_secret(web: Web, owner: Owner):
    """The one id of a thing that a body of a shopper names."""
    guests, mine = web.cart(("MUG-1", 3)), signed_in(web)
    before = state_of(web, owner)
    for cart_id, token in (
        (owner.ids["cart_id"], "guessed"),
        (owner.ids["cart_id"], guests.token),
        (guests.id, "guessed"),
        (str(uuid4()), guests.token),
    ):
        answer = web.client.post(
            "/v1/auth/login",
            json={
                "email": mine.email,
                "password": PASSWORD,
                "cart": {"id": cart_id, "token": token},
            },
        )
        assert answer.status_code == 200
        assert answer.json()["cart_id"] is None
    assert state_of(web, owner) == before
    assert web.client.get(guests.url, headers=guests.headers).json()["lines"][0]["quantity"] == 3


def ids_in(shape: Any, schemas: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Where in a body ids stand."""
    match shape:
        case {"$ref": str(ref)}:
            yield from ids_in(schemas[ref.rpartition("/")[2]], schemas, path)
        case {"format": "uuid"}:
            yield path
        case {"properties": dict(fields)}:
            for name, inner in fields.items():
                yield from ids_in(inner, schemas, f"{path}/{name}")
        case {"anyOf": list(inners)} | {"oneOf": list(inners)}:
            for inner in inners:
                yield from ids_in(inner, schemas, path)
        case {"items": inner}:
            yield from ids_in(inner, schemas, f"{path}/-")


def test_every_id_in_a_body_of_a_shopper_is_known_to_these_tests():
    document = api_document()
    schemas, found = document["components"]["schemas"], {}
    for route in ROUTES:
        operation = document["paths"].get(route.path, {}).get(route.method.lower(), {})
        if "requestBody" in operation and ":" not in route.who:
            [content] = operation["requestBody"]["content"].values()
            if ids := list(ids_in(content["schema"], schemas)):
                found[route.operation] = ids
    assert found == {"log_in": ["/cart/id"]}


def test_a_customers_cart_does_not_open_with_the_token_that_it_had(web: Web):
    basket, person = web.cart(("MUG-1", 1)), signed_in(web)
    claimed = web.client.post(f"{basket.url}/claim", headers={**person.headers, **basket.headers})
    assert claimed.status_code == 200
    assert_problem(web.client.get(basket.url, headers=basket.headers), 404, "not_found")
    assert web.client.get(basket.url, headers=person.headers).status_code == 200


def test_a_customers_order_opens_to_no_token(web: Web):
    """Also not to one that somebody derived from the token of the cart that it was."""
    basket, person = web.cart(("MUG-1", 1)), signed_in(web)
    placed = web.client.post(
        f"{basket.url}/checkout",
        json=order_form(),
        headers={**basket.headers, **person.headers, "Idempotency-Key": uuid4().hex},
    ).json()
    derived = order_token(basket.token, UUID(placed["id"]))
    for token in (basket.token, derived, ""):
        answer = web.client.get(f"/v1/orders/{placed['id']}", headers={"X-Order-Token": token})
        assert_problem(answer, 404, "not_found")
    own = web.client.get(f"/v1/orders/{placed['id']}", headers=person.headers)
    assert own.json()["number"] == placed["number"]


def test_a_library_caller_is_held_to_the_same(web: Web, owner: Owner):
    cart_id, order_id = CartId(UUID(owner.ids["cart_id"])), OrderId(UUID(owner.ids["order_id"]))
    for open_it in (
        lambda: web.shop.carts.get(cart_id, "guessed"),
        lambda: web.shop.orders.open(order_id, "guessed"),
    ):
        with pytest.raises(NotFoundError):
            open_it()
