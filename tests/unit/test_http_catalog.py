"""Browsing over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from quickshop import Money
from quickshop.domain.catalog import CategoryId
from quickshop.ports.catalog import CategoryView
from tests.http_client import Web, assert_problem, open_web


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


@pytest.fixture(scope="module")
def shared() -> Iterator[Web]:
    """For tests that leave nothing behind that another could notice."""
    with open_web() as web:
        web.stock()
        yield web


def test_a_product_shows_its_variants_prices_and_availability(web: Web):
    product_id = web.stock(units=7, price=1250, vendor="Acme", tags=["kitchen"])
    product = web.client.get("/v1/products/mug-1").json()
    assert product["id"] == product_id
    assert (product["handle"], product["title"]) == ("mug-1", "Mug MUG-1")
    assert (product["vendor"], product["tags"], product["options"]) == ("Acme", ["kitchen"], [])
    assert product["images"] == [
        {"url": "https://example.com/mug.png", "alt": "A mug", "position": 1}
    ]
    [variant] = product["variants"]
    assert variant["price"] == {"amount": 1250, "currency": "USD"}
    assert (variant["sku"], variant["available"]) == ("MUG-1", 7)
    assert variant["compare_at_price"] is None


def test_a_product_opens_by_its_id_as_by_its_handle(web: Web):
    product_id = web.stock()
    by_id, by_handle = (web.client.get(f"/v1/products/{key}") for key in (product_id, "mug-1"))
    assert by_id.content == by_handle.content


@pytest.mark.parametrize("key", ["nothing", "a%00b", "%ED%A0%80", "x" * 300, "a%0Ab"])
def test_a_product_that_is_not_there_is_a_404(shared: Web, key: str):
    assert_problem(shared.client.get(f"/v1/products/{key}"), 404, "not_found")


def test_a_key_that_no_product_can_have_never_gets_to_the_database(web: Web):
    web.break_use_case("products", "page", AssertionError("it did"))
    for key in ("a%00b", "a%0Db", "x" * 256):
        assert_problem(web.client.get(f"/v1/products/{key}"), 404, "not_found")


def test_an_unpublished_product_is_a_404(web: Web):
    web.stock(published=False)
    assert_problem(web.client.get("/v1/products/mug-1"), 404, "not_found")


@pytest.mark.parametrize("url", ["/v1/products/mug-1", "/v1/products", "/v1/categories"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other" , W/{}', "*"])
def test_whoever_has_the_page_already_is_told_so_without_a_body(shared: Web, url: str, form: str):
    first = shared.client.get(url)
    known = {"If-None-Match": form.format(first.headers["etag"])}
    again = shared.client.get(url, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers


def test_a_changed_price_gives_another_etag_and_the_whole_page(web: Web):
    web.stock()
    first = web.client.get("/v1/products/mug-1")
    web.shop.products.change_price("MUG-1", Money(999, "USD"))
    again = web.client.get("/v1/products/mug-1", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.json()["variants"][0]["price"]["amount"] == 999


def test_selling_a_unit_shows_on_the_page(web: Web):
    web.stock(units=3)
    before = web.client.get("/v1/products/mug-1")
    web.order(("MUG-1", 2))
    after = web.client.get("/v1/products/mug-1")
    assert after.json()["variants"][0]["available"] == 1
    assert after.headers["etag"] != before.headers["etag"]


@pytest.mark.parametrize("url", ["/v1/products/mug-1", "/v1/products"])
def test_head_answers_like_get_without_the_body(web: Web, url: str):
    web.stock()
    got, headed = web.client.get(url), web.client.head(url)
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["etag"] == got.headers["etag"]
    assert headed.headers["content-length"] == str(len(got.content))


def test_product_pages_may_be_kept_for_a_second_by_everyone():
    with open_web(product_cache_seconds=2) as web:
        web.stock()
        page = web.client.get("/v1/products/mug-1")
        assert page.headers["cache-control"] == "public, max-age=1"


def test_where_nothing_is_cached_nobody_else_caches_either():
    with open_web(product_cache_seconds=0) as web:
        web.stock()
        assert web.client.get("/v1/products/mug-1").headers["cache-control"] == "no-cache"


def test_paging_shows_every_product_once(web: Web):
    ids = {web.stock(f"MUG-{n}") for n in range(7)}
    seen: list[str] = []
    params = {"limit": "3"}
    while True:
        page = web.client.get("/v1/products", params=params).json()
        seen += [product["id"] for product in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len(seen) == 7
    assert set(seen) == ids


def test_a_page_has_twenty_products_unless_another_number_is_asked_for(web: Web):
    for n in range(21):
        web.stock(f"MUG-{n}", units=0)
    assert len(web.client.get("/v1/products").json()["items"]) == 20
    assert len(web.client.get("/v1/products?limit=100").json()["items"]) == 21


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=teapot", ["POT"]),
        ("q=mug", ["MUG"]),
        ("tag=tea", ["POT"]),
        ("vendor=Acme", ["MUG"]),
        ("min_price=2000", ["POT"]),
        ("max_price=2000", ["MUG"]),
        ("in_stock=true", ["MUG"]),
        ("in_stock=false", ["POT"]),
        ("sort=price", ["MUG", "POT"]),
        ("sort=-price", ["POT", "MUG"]),
        ("sort=title", ["MUG", "POT"]),
        ("sort=newest", ["POT", "MUG"]),
        ("q=&sort=relevance", ["POT", "MUG"]),
        ("category=nothing", []),
    ],
)
def test_products_are_found_by_what_is_asked_for(web: Web, query: str, expected: list[str]):
    web.stock("MUG", price=1000, title="Mug", vendor="Acme")
    web.stock("POT", price=3000, title="Teapot", tags=["tea"], units=0)
    found = web.client.get(f"/v1/products?{query}").json()["items"]
    assert [product["variants"][0]["sku"] for product in found] == expected


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1_0", "limit"),
        ("limit=2.5", "limit"),
        ("limit=101.0", "limit"),
        ("limit=2.", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("sort=random", "sort"),
        ("in_stock=yes", "in_stock"),
        ("min_price=-1", "min_price"),
        ("max_price=1e3", "max_price"),
        ("max_price=9999999999999999", "max_price"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=bnVsbA", "cursor"),
        ("q=a%00b", "q"),
        ("tag=a%00b", "tag"),
        ("vendor=%0A", "vendor"),
        ("category=" + "x" * 256, "category"),
        ("q=" + "x" * 256, "q"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_the_parameters_name(
    shared: Web, query: str, pointer: str
):
    document = assert_problem(
        shared.client.get(f"/v1/products?{query}"),
        422,
        "invalid_value" if "cursor=" in query and "%00" not in query else "invalid_request",
    )
    assert [entry["pointer"] for entry in document["errors"]] == [f"query:{pointer}"]


@pytest.mark.parametrize("path", ["/v1/products?q=mug&c4n4ry=", "/v1/categories?c4n4ry=1"])
def test_a_parameter_that_is_not_known_is_refused_and_not_repeated(shared: Web, path: str):
    answer = shared.client.get(path)
    document = assert_problem(answer, 422, "invalid_request")
    assert [entry["pointer"] for entry in document["errors"]] == ["query"]
    assert "c4n4ry" not in answer.text


def test_bytes_that_are_no_text_find_nothing_and_break_nothing(web: Web):
    assert web.client.get("/v1/products?q=%ff%fe&tag=%ED%A0%80").json()["items"] == []


def test_a_cursor_of_another_order_is_refused(web: Web):
    for n in range(3):
        web.stock(f"MUG-{n}")
    cursor = web.client.get("/v1/products?limit=1&sort=price").json()["next_cursor"]
    answer = web.client.get("/v1/products", params={"sort": "title", "cursor": cursor})
    assert_problem(answer, 422, "invalid_value")


def test_the_category_tree_is_empty_in_an_empty_shop(web: Web):
    assert web.client.get("/v1/categories").json() == {"items": []}


def test_the_category_tree_nests(web: Web):
    root = _category("Bikes", [_category("Road", [])])
    shop = replace(web.shop, products=replace(web.shop.products, categories=lambda: [root]))
    web.client.app.state.shop = shop
    [bikes] = web.client.get("/v1/categories").json()["items"]
    assert (bikes["slug"], bikes["name"]) == ("bikes", "Bikes")
    assert [child["slug"] for child in bikes["children"]] == ["road"]
    assert bikes["children"][0]["children"] == []


def _category(name: str, children: list[CategoryView]) -> CategoryView:
    return CategoryView(CategoryId(uuid4()), name.lower(), name, children)
