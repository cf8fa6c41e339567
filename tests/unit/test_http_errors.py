"""What HTTP makes of errors, expected and not."""

import importlib
import logging
import pkgutil
import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest

import quickshop
from quickshop.domain.errors import (
    AdapterError,
    NotFoundError,
    PaymentDeclinedError,
    QuickShopError,
    SchemaError,
)
from quickshop.entrypoints.http.edge.middleware import RequestIdFilter
from quickshop.entrypoints.http.errors import STATUS_BY_ERROR, status_of
from tests.http_client import Web, assert_problem, open_web


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


@pytest.fixture(scope="module")
def shared() -> Iterator[Web]:
    """For tests that leave nothing behind that another could notice."""
    with open_web() as web:
        yield web


def every_error(kind: type[QuickShopError] = QuickShopError) -> Iterator[type[QuickShopError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


def test_every_error_has_a_status_of_its_own():
    for module in pkgutil.walk_packages(quickshop.__path__, "quickshop."):
        if not re.search(r"migrations|__main__", module.name):  # those do things when imported
            importlib.import_module(module.name)
    shipped = {kind for kind in every_error() if kind.__module__.startswith("quickshop.")}
    assert {kind.__name__ for kind in shipped - STATUS_BY_ERROR.keys()} == set()
    assert {HTTPStatus(status) for status in STATUS_BY_ERROR.values()}


def test_an_error_that_a_program_derives_is_answered_like_its_parent():
    class OutOfTeaError(NotFoundError):
        pass

    assert status_of(OutOfTeaError("tea")) == 404
    assert status_of(PaymentDeclinedError("no")) == 402


@pytest.mark.parametrize("error", [AdapterError("smtp-3 refused"), SchemaError("at 0007")])
def test_what_failed_outside_the_shop_is_logged_and_not_told(
    web: Web, error: AdapterError, caplog: pytest.LogCaptureFixture
):
    web.break_use_case("carts", "create", error)
    answer = web.client.post("/v1/carts")
    assert_problem(answer, 503, error.code)
    assert str(error) not in answer.text
    assert str(error) in caplog.text


def test_what_nobody_expected_is_a_500_that_tells_nothing_but_where_to_look(
    web: Web, caplog: pytest.LogCaptureFixture
):
    web.break_use_case("carts", "create", ZeroDivisionError("the secret is xyzzy"))
    answer = web.client.post("/v1/carts", headers={"X-Request-Id": "find-me"})
    assert_problem(answer, 500, "internal_error")
    assert "xyzzy" not in answer.text
    assert answer.headers["x-request-id"] == "find-me"
    assert "find-me" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        ("POST", "/v1/products", "GET, HEAD"),
        ("DELETE", "/v1/products/mug", "GET, HEAD"),
        ("PUT", "/v1/carts", "GET, HEAD, POST"),
        ("HEAD", "/v1/auth/login", "POST"),
        ("GET", "/v1/carts/1/lines/2", "DELETE, PATCH"),
        ("PUT", "/v1/carts/1", "GET, HEAD"),
        ("GET", "/v1/orders/1/cancel", "POST"),
        ("OPTIONS", "/v1/orders", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("POST", "/docs/assets/swagger-ui.css", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_served_is_told_which_are(
    shared: Web, method: str, url: str, allowed: str
):
    answer = shared.client.request(method, url)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert_problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "url", ["/nothing", "/v1", "/v1/products/a/b", "/v1/products/", "/v1/admin/nothing", "/docs/x"]
)
def test_an_address_with_nothing_behind_it_is_a_problem_like_any_other(shared: Web, url: str):
    assert_problem(shared.client.get(url), 404, "not_found")


@pytest.mark.parametrize("name", ["a", "Trace-01.b_c", "x" * 64])
def test_a_request_keeps_the_name_that_it_came_with(shared: Web, name: str):
    answer = shared.client.get("/health/live", headers={"X-Request-Id": name})
    assert answer.headers["x-request-id"] == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "<script>", "a\x7f", "é"])
def test_a_name_that_could_do_harm_is_replaced(shared: Web, name: str):
    headers = {b"X-Request-Id": name.encode("latin-1")}
    answer = shared.client.get("/health/live", headers=headers)
    assert answer.headers["x-request-id"] != name
    assert len(answer.headers["x-request-id"]) == 32


def test_every_request_gets_a_name_of_its_own(shared: Web):
    names = {shared.client.get(url).headers["x-request-id"] for url in ("/", "/nothing", "/docs")}
    assert len(names) == 3


def test_log_lines_of_a_request_carry_its_name_in_threads_too(
    web: Web, caplog: pytest.LogCaptureFixture
):
    def speak(**_options: object) -> None:
        logging.getLogger("quickshop.test").warning("here")
        raise NotFoundError("cart")

    web.break_use_case("carts", "create", NotFoundError("cart"))
    broken = web.client.app.state.shop
    object.__setattr__(broken.carts, "create", speak)
    with caplog.filtering(RequestIdFilter()):
        web.client.post("/v1/carts", headers={"X-Request-Id": "find-me"})
    assert [r.request_id for r in caplog.records if r.getMessage() == "here"] == ["find-me"]


@pytest.mark.parametrize("url", ["/health/live", "/v1/products", "/nothing", "/docs"])
def test_browsers_are_told_not_to_guess_types(shared: Web, url: str):
    assert shared.client.get(url).headers["x-content-type-options"] == "nosniff"
