"""Which other sites' pages browsers let use the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from httpx2 import Response

from quickshop.entrypoints.http.edge.rules import Edge
from tests.http_client import Web, assert_problem, open_web

FRIEND = "https://www.shop.example"
OTHER_FRIEND = "http://localhost:3000"
STRANGERS = (
    "https://evil.example",
    "http://www.shop.example",
    "https://www.shop.example:8443",
    "https://www.shop.example.evil.example",
    "https://WWW.shop.example",
    "https://www.shop.example/",
    "https://shop.example",
    "null",
    "*",
    "",
    f"{FRIEND},{OTHER_FRIEND}",
)
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,idempotency-key,x-cart-token",
}
HEADERS = (
    "authorization content-type idempotency-key if-match if-none-match x-cart-token x-order-token"
    " x-request-id"
)
EXPOSED = "etag idempotent-replayed location ratelimit ratelimit-policy retry-after x-request-id"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with open_web(edge=Edge(cors_origins=(FRIEND, OTHER_FRIEND))) as web:
        web.stock("MUG-1")
        yield web


def granted(answer: Response) -> dict[str, str]:
    """What the answer says about other sites."""
    return {
        name: value for name, value in answer.headers.items() if name.startswith("access-control")
    }


def words(value: str) -> set[str]:
    return set(value.lower().replace(",", " ").split())


@pytest.mark.parametrize("origin", [FRIEND, OTHER_FRIEND])
def test_a_friends_page_may_ask_whatever_the_api_is_for(web: Web, origin: str):
    answer = web.client.options("/v1/carts", headers={"Origin": origin, **PREFLIGHT})
    assert (answer.status_code, answer.content) == (204, b"")
    said = granted(answer)
    assert said["access-control-allow-origin"] == origin
    assert said["access-control-allow-credentials"] == "true"
    assert words(said["access-control-allow-methods"]) == words("GET HEAD POST PUT PATCH DELETE")
    assert words(said["access-control-allow-headers"]) == words(HEADERS)
    assert int(said["access-control-max-age"]) == 7_200
    assert answer.headers.get_list("access-control-allow-origin") == [origin]
    assert "Origin" in answer.headers["vary"]


FRIENDLY = {
    "200": ("GET", "/v1/products", 200),
    "201": ("POST", "/v1/carts", 201),
    "304": ("GET", "/v1/products", 304),
    "404": ("GET", "/nothing", 404),
    "405": ("PUT", "/v1/carts", 405),
    "413": ("POST", "/v1/carts", 413),
    "422": ("GET", "/v1/products?limit=0", 422),
}


@pytest.mark.parametrize(("method", "url", "status"), FRIENDLY.values(), ids=FRIENDLY)
def test_a_friends_page_may_read_every_answer_errors_included(
    web: Web, method: str, url: str, status: int
):
    more = {304: {"If-None-Match": "*"}, 413: {"Content-Length": "9999999"}}.get(status, {})
    answer = web.client.request(method, url, headers={"Origin": FRIEND, **more})
    assert answer.status_code == status
    assert answer.headers.get_list("access-control-allow-origin") == [FRIEND]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert words(answer.headers["access-control-expose-headers"]) == words(EXPOSED)
    assert "Origin" in answer.headers["vary"]


def test_a_friends_page_may_read_failures():
    with open_web(edge=Edge(cors_origins=(FRIEND,))) as web:
        web.break_use_case("carts", "create", ZeroDivisionError())
        answer = web.client.post("/v1/carts", headers={"Origin": FRIEND})
    assert_problem(answer, 500, "internal_error")
    assert answer.headers["access-control-allow-origin"] == FRIEND


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_strangers_page_is_told_nothing(web: Web, origin: str):
    for answer in (
        web.client.get("/v1/products", headers={"Origin": origin}),
        web.client.options("/v1/carts", headers={"Origin": origin, **PREFLIGHT}),
    ):
        assert granted(answer) == {}
        assert "Origin" in answer.headers["vary"]
    assert web.client.get("/v1/products", headers={"Origin": origin}).status_code == 200


def test_two_origins_are_none(web: Web):
    headers = [("Origin", FRIEND), ("Origin", FRIEND)]
    assert granted(web.client.get("/v1/products", headers=headers)) == {}


def test_caches_are_told_that_answers_differ_by_origin(web: Web):
    answer = web.client.get("/v1/products")
    assert (granted(answer), answer.headers["vary"]) == ({}, "Origin")


def test_options_that_are_no_preflight_are_a_method_like_any_other(web: Web):
    for headers in ({"Origin": FRIEND}, PREFLIGHT):
        assert_problem(web.client.options("/v1/carts", headers=headers), 405, "method_not_allowed")


def test_a_shop_without_other_sites_says_nothing_about_them():
    with open_web() as web:
        answer = web.client.get("/v1/products", headers={"Origin": FRIEND})
        asked = web.client.options("/v1/carts", headers={"Origin": FRIEND, **PREFLIGHT})
    assert (granted(answer), "vary" in answer.headers) == ({}, False)
    assert (granted(asked), asked.status_code) == ({}, 405)


def test_a_preflight_does_not_wake_the_shop(web: Web):
    answer = web.client.options("/no/such/route", headers={"Origin": FRIEND, **PREFLIGHT})
    assert answer.status_code == 204


def test_a_preflight_under_a_wrong_name_or_in_the_clear_is_refused():
    edge = Edge(cors_origins=(FRIEND,), allowed_hosts=("shop.example",), require_https=True)
    with open_web(edge=edge) as web:
        headers = {"Origin": FRIEND, **PREFLIGHT}
        assert_problem(web.client.options("/v1/carts", headers=headers), 400, "host_not_allowed")
        headers["Host"] = "shop.example"
        assert_problem(web.client.options("/v1/carts", headers=headers), 403, "https_required")
