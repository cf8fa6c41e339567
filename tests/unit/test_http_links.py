"""The document leads from the answer of an operation to the operations that take its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from quickshop.domain.identity import ADMIN
from quickshop.entrypoints.http.links import SOURCES
from tests.http_client import Web, open_web, order_form
from tests.people import signed_in

Document = Mapping[str, Any]

UNREACHABLE: Final = {
    "receive_payment_webhook": "the name of a payment gateway is a setting, which no answer has"
}
"""Operations with something in their path that no answer of another one has."""
_BODY: Final = "$response.body#/"


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock()
        yield web


@pytest.fixture(scope="module")
def document() -> Document:
    with open_web() as web:
        found: Document = web.client.app.openapi()
    return found


def operations_of(document: Document) -> dict[str, Document]:
    return {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def parameters_of(operation: Document) -> dict[str, Document]:
    """By where they are and what they are called."""
    return {f"{each['in']}.{each['name']}": each for each in operation.get("parameters", ())}


def links_of(operation: Document) -> dict[str, Document]:
    return {
        name: link
        for answer in operation["responses"].values()
        for name, link in answer.get("links", {}).items()
    }


def answer_schema(operation: Document) -> Document:
    """Of what is answered when all is well."""
    answers = operation["responses"]
    (status,) = [status for status in answers if status.startswith("2")]
    schema: Document = answers[status]["content"]["application/json"]["schema"]
    return schema


def has(document: Document, schema: Document, steps: list[str]) -> bool:
    """Whether values of a schema may have something at a place."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return has(document, document["components"]["schemas"][name], steps)
    if "anyOf" in schema:
        return any(has(document, each, steps) for each in schema["anyOf"])
    if not steps:
        return schema.get("type") != "null"
    step, *rest = steps
    inner = schema.get("items") if step.isdigit() else schema.get("properties", {}).get(step)
    return inner is not None and has(document, inner, rest)


def test_every_operation_that_takes_an_id_is_led_to(document: Document) -> None:
    operations = operations_of(document)
    led_to = {
        link["operationId"] for each in operations.values() for link in links_of(each).values()
    }
    take_ids = {
        name
        for name, operation in operations.items()
        if any(place.startswith("path.") for place in parameters_of(operation))
    }
    assert take_ids - led_to == UNREACHABLE.keys()


def test_links_lead_to_operations_that_take_what_they_carry(document: Document) -> None:
    operations = operations_of(document)
    for name, operation in operations.items():
        for link in links_of(operation).values():
            taken = parameters_of(operations[link["operationId"]])
            assert link["parameters"].keys() <= taken.keys(), name
            required = {place for place, each in taken.items() if place.startswith("path.")}
            assert required <= link["parameters"].keys(), name


def test_what_links_carry_is_in_the_answer_or_in_the_request(document: Document) -> None:
    for name, operation in operations_of(document).items():
        asked = parameters_of(operation)
        for link in links_of(operation).values():
            for where in link["parameters"].values():
                if where.startswith(_BODY):
                    steps = where.removeprefix(_BODY).split("/")
                    assert has(document, answer_schema(operation), steps), (name, where)
                elif where.startswith("$request."):
                    assert where.removeprefix("$request.") in asked, (name, where)
                else:
                    assert where == "$response.header.ETag", (name, where)


def test_the_table_names_operations_that_there_are_and_nothing_in_vain(document: Document) -> None:
    operations = operations_of(document)
    assert SOURCES.keys() <= operations.keys()
    for name, values in SOURCES.items():
        carried = {
            where
            for link in links_of(operations[name]).values()
            for where in link["parameters"].values()
        }
        assert set(values.values()) <= carried, name


def test_every_page_leads_to_the_next_one(document: Document) -> None:
    for name, operation in operations_of(document).items():
        is_paged = "query.cursor" in parameters_of(operation)
        assert ("next_page" in links_of(operation)) is is_paged, name


class Follower:
    """Asks the shop by nothing but the document and the links in it."""

    def __init__(self, web: Web, document: Document) -> None:
        self._web = web
        self._addresses = {
            operation["operationId"]: (method, path)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self._operations = operations_of(document)

    def ask(
        self, operation: str, given: Mapping[str, str] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Parameters are by their places."""
        method, path = self._addresses[operation]
        values: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for place, value in (given or {}).items():
            kind, _, name = place.partition(".")
            values[kind][name] = value
        headers = values["header"] | more.pop("headers", {})
        address = re.sub(r"{(\w+)}", lambda found: values["path"][found[1]], path)
        answer = self._web.client.request(
            method, address, params=values["query"], headers=headers, **more
        )
        assert answer.status_code < 300, answer.text
        return {"body": answer.json() if answer.content else None, "asked": dict(given or {})}

    def follow(self, source: str, answer: Mapping[str, Any], link: str, **more: Any) -> Any:
        """What the answer leads to."""
        wanted = links_of(self._operations[source])[link]
        given = {
            place: _found(where, answer)
            for place, where in wanted["parameters"].items()
            if _found(where, answer) is not None
        }
        return self.ask(wanted["operationId"], given, **more)


def _found(where: str, answer: Mapping[str, Any]) -> Any:
    if where.startswith("$request."):
        return answer["asked"].get(where.removeprefix("$request."))
    found = answer["body"]
    for step in where.removeprefix(_BODY).split("/"):
        found = found[int(step)] if step.isdigit() else found[step]
    return found


def test_a_guest_can_shop_by_links_alone(web: Web, document: Document) -> None:
    shop = Follower(web, document)
    cart = shop.ask("create_cart")
    line = {"sku": "MUG-1", "quantity": 1}
    filled = shop.follow("create_cart", cart, "add_cart_line", json=line)
    shop.follow("add_cart_line", filled, "change_cart_line", json={"quantity": 2})
    key = {"Idempotency-Key": "once"}
    held = shop.follow("add_cart_line", filled, "hold_cart", headers=key)
    shop.follow("hold_cart", held, "get_cart")
    placed = shop.follow("hold_cart", held, "place_order", headers=key, json=order_form())
    opened = shop.follow("place_order", placed, "get_own_order")
    assert opened["body"]["total"]["amount"] == 2500
    canceled = shop.follow("get_own_order", opened, "cancel_own_order", headers=key)
    assert canceled["body"]["status"] == "canceled"


def test_staff_get_from_page_to_page_and_to_what_is_listed(web: Web, document: Document) -> None:
    web.stock("MUG-2")
    shop, staff = Follower(web, document), signed_in(web, roles=(ADMIN,)).headers
    first = shop.ask("list_all_products", {"query.limit": "1"}, headers=staff)
    second = shop.follow("list_all_products", first, "next_page", headers=staff)
    assert [each["id"] for each in first["body"]["items"]] != [
        each["id"] for each in second["body"]["items"]
    ]
    shown = shop.follow("list_all_products", second, "inspect_product", headers=staff)
    assert shown["body"]["id"] == second["body"]["items"][0]["id"]
