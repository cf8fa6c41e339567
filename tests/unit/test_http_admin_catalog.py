"""Staff keep the catalog over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from quickshop.domain.catalog_rules import MAX_IMAGES, MAX_METADATA, MAX_TAGS
from quickshop.domain.values import MAX_NAME_LENGTH
from tests.http_client import assert_problem
from tests.unit.staff_client import BackOffice, a_mug, open_back_office, usd


@pytest.fixture
def office() -> Iterator[BackOffice]:
    with open_back_office() as office:
        yield office


def path(product: dict[str, Any]) -> str:
    return f"/products/{product['id']}"


FULL = {
    "title": "Shirt",
    "handle": "linen-shirt",
    "description_html": "<p onclick='x()'>Soft</p>",
    "vendor": "Weaver",
    "product_type": "Shirts",
    "tags": ["linen", "summer"],
    "options": ["Size"],
    "images": [{"url": "https://example.com/1.jpg", "alt": "Front"}],
    "metadata": {"care": "cold"},
    "published": False,
    "variants": [
        {
            "sku": "SHIRT-S",
            "price": usd(2000),
            "compare_at_price": usd(2500),
            "options": ["S"],
            "weight_grams": 200,
            "barcode": "4006381333931",
            "requires_shipping": False,
            "taxable": False,
        },
        {"sku": "SHIRT-M", "price": usd(2100), "options": ["M"]},
    ],
}


def test_a_product_is_created_with_all_that_was_said_of_it(office: BackOffice) -> None:
    answer = office.post("/products", FULL)
    assert answer.status_code == 201
    product = answer.json()
    assert answer.headers["location"] == f"/v1/admin{path(product)}"
    assert answer.headers["etag"] == '"1"'
    same = ("title", "handle", "vendor", "product_type", "tags", "options", "metadata")
    assert {name: product[name] for name in same} == {name: FULL[name] for name in same}
    assert (product["description_html"], product["published"]) == ("<p>Soft</p>", False)
    assert product["images"] == [
        {"url": "https://example.com/1.jpg", "alt": "Front", "position": 1}
    ]
    small, medium = product["variants"]
    assert (small["price"], small["compare_at_price"]) == (usd(2000), usd(2500))
    assert (small["options"], small["weight_grams"]) == ({"Size": "S"}, 200)
    assert (small["barcode"], small["requires_shipping"], small["taxable"]) == (
        "4006381333931",
        False,
        False,
    )
    assert (medium["sku"], medium["available"], medium["taxable"]) == ("SHIRT-M", 0, True)
    assert office.get(path(product)) == product


def test_shoppers_see_a_product_once_it_is_published(office: BackOffice) -> None:
    product = office.mug(published=False)
    url = f"/v1/products/{product['handle']}"
    assert_problem(office.web.client.get(url), 404, "not_found")
    office.done(f"{path(product)}/publish")
    assert office.web.client.get(url).status_code == 200
    office.done(f"{path(product)}/unpublish")
    assert_problem(office.web.client.get(url), 404, "not_found")
    assert office.get(path(product))["version"] == 3


def test_products_are_listed_and_searched_published_or_not(office: BackOffice) -> None:
    for n in range(3):
        office.mug(
            units=0,
            title=f"Mug {n}",
            published=bool(n % 2),
            variants=[{"sku": f"MUG-{n}", "price": usd(100)}],
        )
    first = office.get("/products", limit=2)
    rest = office.get("/products", limit=2, cursor=first["next_cursor"])
    listed = [product["title"] for product in first["items"] + rest["items"]]
    assert listed == ["Mug 2", "Mug 1", "Mug 0"]
    hidden = office.get("/products", published="false", q="mug")["items"]
    assert {product["title"] for product in hidden} == {"Mug 0", "Mug 2"}


def test_a_change_names_only_what_changes(office: BackOffice) -> None:
    shelf = office.done("/categories", {"name": "Cups"}, status=201)
    product = office.mug(category_id=shelf["id"], vendor="Potter")
    changed = office.ask("PATCH", path(product), json={"title": "Cup"}).json()
    assert (changed["title"], changed["vendor"]) == ("Cup", "Potter")
    assert (changed["category"], changed["category_id"]) == ("cups", shelf["id"])
    gone = office.ask("PATCH", path(product), json={"category_id": None}).json()
    assert (gone["title"], gone["category"], gone["version"]) == ("Cup", None, 3)


def test_variants_are_replaced_by_those_that_are_named(office: BackOffice) -> None:
    product = office.done("/products", FULL, status=201)
    small = product["variants"][0]
    body = {
        "variants": [
            {"id": small["id"], "sku": "SHIRT-XS", "price": usd(1900), "options": ["XS"]},
            {"sku": "SHIRT-L", "price": usd(2200), "options": ["L"]},
        ]
    }
    changed = office.ask("PATCH", path(product), json=body).json()
    assert [variant["sku"] for variant in changed["variants"]] == ["SHIRT-XS", "SHIRT-L"]
    assert changed["variants"][0]["id"] == small["id"]


def test_a_change_of_a_state_that_is_gone_is_refused(office: BackOffice) -> None:
    product = office.mug()
    etag = office.ask("GET", path(product)).headers["etag"]
    first = office.ask("PATCH", path(product), json={"title": "A"}, headers={"If-Match": etag})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    for method, below, body in (
        ("PATCH", "", {"title": "B"}),
        ("POST", "/publish", None),
        ("POST", "/unpublish", None),
        ("PUT", "/images", {"images": []}),
    ):
        late = office.ask(method, path(product) + below, json=body, headers={"If-Match": etag})
        assert_problem(late, 412, "precondition_failed")
    by_version = office.ask("PATCH", path(product), json={"title": "B", "version": 1})
    assert_problem(by_version, 409, "conflict")
    both = {"json": {"version": 1}, "headers": {"If-Match": '"2"'}}
    assert_problem(office.ask("PATCH", path(product), **both), 412, "precondition_failed")
    assert office.get(path(product))["title"] == "A"
    for value in ("*", '"2"'):
        answer = office.ask("PATCH", path(product), json={}, headers={"If-Match": value})
        assert answer.status_code == 200
    odd = office.ask("PATCH", path(product), json={}, headers={"If-Match": "2"})
    assert_problem(odd, 422, "invalid_request")


def test_pictures_are_set_by_their_addresses(office: BackOffice) -> None:
    product = office.mug()
    urls = [f"https://example.com/{n}.jpg" for n in (2, 1)]
    body = {"images": [{"url": url, "alt": "A mug"} for url in urls], "version": 1}
    changed = office.ask("PUT", f"{path(product)}/images", json=body).json()
    assert [image["url"] for image in changed["images"]] == urls
    assert [image["position"] for image in changed["images"]] == [1, 2]
    plain = {"images": [{"url": "http://example.com/1.jpg"}]}
    refused = office.ask("PUT", f"{path(product)}/images", json=plain)
    [problem] = assert_problem(refused, 422, "invalid_value")["errors"]
    assert (problem["pointer"], problem["detail"]) == ("/images/0/url", "must be an https URL")
    many = {"images": [{"url": urls[0]}] * (MAX_IMAGES + 1)}
    assert_problem(office.ask("PUT", f"{path(product)}/images", json=many), 422, "invalid_request")


def test_a_price_is_changed_by_sku(office: BackOffice) -> None:
    product = office.mug()
    body = {"sku": "MUG", "price": usd(990), "compare_at_price": usd(1250)}
    [variant] = office.done("/prices", body)["variants"]
    assert (variant["price"], variant["compare_at_price"]) == (usd(990), usd(1250))
    assert_problem(office.post("/prices", body | {"sku": "CUP"}), 404, "not_found")
    euros = {"sku": "MUG", "price": {"amount": 1, "currency": "EUR"}}
    assert_problem(office.post("/prices", euros), 409, "currency_mismatch")
    assert office.get(path(product))["version"] == 2


def test_a_product_in_another_currency_than_the_shops_is_refused(office: BackOffice) -> None:
    variant = {"sku": "MUG", "price": {"amount": 1250, "currency": "ZZZ"}}
    answer = office.post("/products", a_mug(variants=[variant]))
    document = assert_problem(answer, 422, "invalid_value")
    [wrong] = document["errors"]
    assert wrong["pointer"] == "/variants/0/price/currency"
    assert wrong["detail"] == "must be USD, the currency of this shop"


@pytest.mark.parametrize(
    "body",
    [
        a_mug(id=str(uuid4())),
        a_mug(version=3),
        a_mug(variants=[]),
        a_mug(variants=[{"sku": "MUG", "price": usd(1250), "available": 5}]),
        a_mug(variants=[{"sku": "MUG", "price": usd(-1)}]),
        a_mug(variants=[{"sku": "MUG", "price": {"amount": "1250", "currency": "USD"}}]),
        a_mug(title="a" * (MAX_NAME_LENGTH + 1)),
        a_mug(title="two\nlines"),
        a_mug(vendor="two\nlines"),
        a_mug(tags=["a"] * (MAX_TAGS + 1)),
        a_mug(options=["A", "B", "C", "D"]),
        a_mug(metadata={f"k{n}": "v" for n in range(MAX_METADATA + 1)}),
        a_mug(metadata={"k": 1}),
        a_mug(category_id="nothing"),
        a_mug(category_id=str(uuid4())),
        a_mug(handle="a/b"),
        a_mug(images=[{"url": "javascript:alert(1)"}]),
        {"title": "Mug"},
        [],
    ],
)
def test_a_product_that_cannot_be_is_refused(office: BackOffice, body: Any) -> None:
    answer = office.post("/products", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]
    assert office.get("/products")["items"] == []


def test_names_that_others_have_are_refused(office: BackOffice) -> None:
    office.mug()
    assert_problem(office.post("/products", a_mug()), 409, "already_exists")
    other = a_mug(handle="another")
    assert_problem(office.post("/products", other), 409, "already_exists")


def test_a_product_that_is_not_there_is_not_found(office: BackOffice) -> None:
    nobody = f"/products/{uuid4()}"
    for method, below, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "A"}),
        ("POST", "/publish", None),
        ("POST", "/unpublish", None),
        ("PUT", "/images", {"images": []}),
    ):
        assert_problem(office.ask(method, nobody + below, json=body), 404, "not_found")


def test_shelves_are_opened_renamed_moved_and_given_up(office: BackOffice) -> None:
    cups = office.done("/categories", {"name": "Cups"}, status=201)
    tea = office.done("/categories", {"name": "Tea", "slug": "for-tea"}, status=201)
    moved = office.done(f"/categories/{tea['id']}/move", {"parent_id": cups["id"]})
    assert moved == {**tea, "parent_id": cups["id"]}
    renamed = office.ask("PATCH", f"/categories/{tea['id']}", json={"name": "Tea time"}).json()
    assert (renamed["name"], renamed["slug"]) == ("Tea time", "for-tea")
    [root] = office.web.client.get("/v1/categories").json()["items"]
    assert [child["name"] for child in root["children"]] == ["Tea time"]
    full = office.ask("DELETE", f"/categories/{cups['id']}")
    assert_problem(full, 409, "category_in_use")
    assert office.ask("DELETE", f"/categories/{tea['id']}").status_code == 204
    assert office.ask("DELETE", f"/categories/{cups['id']}").status_code == 204
    assert_problem(office.ask("DELETE", f"/categories/{cups['id']}"), 404, "not_found")


def test_shelves_that_cannot_be_are_refused(office: BackOffice) -> None:
    cups = office.done("/categories", {"name": "Cups"}, status=201)
    assert_problem(office.post("/categories", {"name": "Cups"}), 409, "already_exists")
    itself = office.post(f"/categories/{cups['id']}/move", {"parent_id": cups["id"]})
    [problem] = assert_problem(itself, 422, "invalid_value")["errors"]
    assert problem["pointer"] == "/parent_id"
    for body in ({}, {"parent_id": "x"}, {"parent_id": None, "name": "x"}):
        answer = office.post(f"/categories/{cups['id']}/move", body)
        assert_problem(answer, 422, "invalid_request")
    nowhere = office.post("/categories", {"name": "Tea", "parent_id": str(uuid4())})
    assert_problem(nowhere, 422, "invalid_value")
