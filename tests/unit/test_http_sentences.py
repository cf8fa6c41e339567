"""What a form shows beside a field: words for people, about the right field, said once."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http_client import assert_problem
from tests.unit.staff_client import BackOffice, open_back_office, usd


@pytest.fixture(scope="module")
def office() -> Iterator[BackOffice]:
    with open_back_office() as office:
        yield office


def product(**changes: Any) -> dict[str, Any]:
    return {"title": "Mug", "variants": [{"sku": "MUG", "price": usd(1)}]} | changes


TIME = "must be a time with its zone, such as 2026-11-26T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "pointer", "detail"),
    [
        ("/orders?placed_from=2026-11-26", "query:placed_from", TIME),
        ("/orders?placed_from=2026-11-26T00:00:00", "query:placed_from", TIME),
        ("/orders?placed_from=soon", "query:placed_from", TIME),
        ("/orders?limit=many", "query:limit", "must be a whole number"),
        ("/orders?cursor=", "query:cursor", "must have at least 1 character"),
        ("/orders?customer_id=me", "query:customer_id", "must be a UUID"),
    ],
)
def test_a_parameter_is_refused_in_words(
    office: BackOffice, path: str, pointer: str, detail: str
) -> None:
    [error] = assert_problem(office.ask("GET", path), 422, "invalid_request")["errors"]
    assert (error["pointer"], error["detail"]) == (pointer, detail)


@pytest.mark.parametrize(
    ("changes", "pointer", "detail"),
    [
        ({"title": ""}, "/title", "must have at least 1 character"),
        ({"title": "a\nb"}, "/title", "must contain only printable characters"),
        ({"published": "yes"}, "/published", "must be true or false"),
        ({"variants": []}, "/variants", "must have 1 or more items"),
        ({"tags": "sale"}, "/tags", "must be a list"),
        (
            {"variants": [{"sku": "MUG", "price": {"amount": 1, "currency": "dollars"}}]},
            "/variants/0/price/currency",
            "must be an ISO 4217 code such as USD",
        ),
        (
            {"variants": [{"sku": "MUG", "price": {"amount": 1.5, "currency": "USD"}}]},
            "/variants/0/price/amount",
            "must be a whole number",
        ),
        (
            {"variants": [{"sku": "M", "price": usd(1), "compare_at_price": usd(1 << 60)}]},
            "/variants/0/compare_at_price/amount",
            None,
        ),
    ],
)
def test_a_field_is_refused_in_words(
    office: BackOffice, changes: dict[str, Any], pointer: str, detail: str | None
) -> None:
    refused = office.post("/products", product(**changes))
    [error] = assert_problem(refused, 422, "invalid_request")["errors"]
    assert error["pointer"] == pointer
    assert error["detail"] == detail or (detail is None and error["detail"] != "is not valid")


def test_a_variant_that_cannot_be_is_named_by_its_place(office: BackOffice) -> None:
    dear = {"sku": "CUP", "price": usd(1), "compare_at_price": {"amount": 2, "currency": "EUR"}}
    refused = office.post("/products", product(variants=[{"sku": "MUG", "price": usd(1)}, dear]))
    [error] = assert_problem(refused, 422, "invalid_value")["errors"]
    assert error["pointer"] == "/variants/1/compare_at_price/currency"


def test_what_no_etag_is_is_refused_without_a_regular_expression(office: BackOffice) -> None:
    made = office.mug()
    refused = office.ask("PATCH", f"/products/{made['id']}", json={}, headers={"If-Match": "1"})
    [error] = assert_problem(refused, 422, "invalid_request")["errors"]
    assert error["detail"] == 'must be an ETag such as "3", or *'


def test_a_parameter_that_comes_twice_is_refused(office: BackOffice) -> None:
    refused = office.ask("GET", "/products?tag=blue&tag=red")
    [error] = assert_problem(refused, 422, "invalid_request")["errors"]
    assert error == {
        "pointer": "query",
        "code": "repeated",
        "detail": "contains a parameter twice",
    }


def test_fields_that_are_not_known_are_refused_once_with_those_that_are(
    office: BackOffice,
) -> None:
    odd = {"c4n4ry": 1, "c4n4ry2": 2}
    price = usd(1) | odd
    refused = office.post("/products", product(variants=[{"sku": "M", "price": price}], **odd))
    errors = assert_problem(refused, 422, "invalid_request")["errors"]
    found = {error["pointer"]: error["detail"] for error in errors}
    assert len(errors) == len(found)
    assert found["/variants/0/price"].endswith("unknown field; allowed: amount, currency")
    assert "allowed: title, variants, handle" in found[""]
    assert "c4n4ry" not in refused.text
