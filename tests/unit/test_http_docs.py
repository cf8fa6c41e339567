"""The documentation and the health of the API."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from quickshop.domain.errors import TransientError
from tests.http_client import Web, assert_problem, open_web

OPERATIONS = {
    "list_products": "GET /v1/products",
    "get_product": "GET /v1/products/{key}",
    "list_categories": "GET /v1/categories",
    "create_cart": "POST /v1/carts",
    "get_cart": "GET /v1/carts/{cart_id}",
    "add_cart_line": "POST /v1/carts/{cart_id}/lines",
    "change_cart_line": "PATCH /v1/carts/{cart_id}/lines/{line_id}",
    "remove_cart_line": "DELETE /v1/carts/{cart_id}/lines/{line_id}",
    "hold_cart": "POST /v1/carts/{cart_id}/hold",
    "release_cart": "DELETE /v1/carts/{cart_id}/hold",
    "place_order": "POST /v1/carts/{cart_id}/checkout",
    "list_own_orders": "GET /v1/orders",
    "open_order": "GET /v1/orders/{order_id}",
    "cancel_own_order": "POST /v1/orders/{order_id}/cancel",
    "pay_order_again": "POST /v1/orders/{order_id}/payments",
    "receive_payment_webhook": "POST /v1/payments/webhooks/{provider}",
    "list_all_products": "GET /v1/admin/products",
    "create_product": "POST /v1/admin/products",
    "inspect_product": "GET /v1/admin/products/{product_id}",
    "update_product": "PATCH /v1/admin/products/{product_id}",
    "publish_product": "POST /v1/admin/products/{product_id}/publish",
    "unpublish_product": "POST /v1/admin/products/{product_id}/unpublish",
    "set_product_images": "PUT /v1/admin/products/{product_id}/images",
    "change_price": "POST /v1/admin/prices",
    "create_category": "POST /v1/admin/categories",
    "rename_category": "PATCH /v1/admin/categories/{category_id}",
    "move_category": "POST /v1/admin/categories/{category_id}/move",
    "delete_category": "DELETE /v1/admin/categories/{category_id}",
    "list_stock": "GET /v1/admin/inventory",
    "list_locations": "GET /v1/admin/locations",
    "receive_stock": "POST /v1/admin/inventory/receipts",
    "adjust_stock": "POST /v1/admin/inventory/adjustments",
    "count_stock": "POST /v1/admin/inventory/counts",
    "transfer_stock": "POST /v1/admin/inventory/transfers",
    "configure_stock": "PATCH /v1/admin/inventory",
    "list_orders": "GET /v1/admin/orders",
    "get_order": "GET /v1/admin/orders/{order_id}",
    "fulfill_order": "POST /v1/admin/orders/{order_id}/fulfillments",
    "complete_order": "POST /v1/admin/orders/{order_id}/complete",
    "cancel_order": "POST /v1/admin/orders/{order_id}/cancel",
    "add_note": "POST /v1/admin/orders/{order_id}/notes",
    "capture_payment": "POST /v1/admin/orders/{order_id}/capture",
    "void_payment": "POST /v1/admin/orders/{order_id}/void",
    "refund_order": "POST /v1/admin/orders/{order_id}/refunds",
    "start_import": "POST /v1/admin/imports",
    "list_imports": "GET /v1/admin/imports",
    "get_import": "GET /v1/admin/imports/{import_id}",
    "list_import_issues": "GET /v1/admin/imports/{import_id}/issues",
    "get_queue_size": "GET /v1/admin/jobs",
    "list_dead_jobs": "GET /v1/admin/jobs/dead",
    "replay_job": "POST /v1/admin/jobs/dead/{job_id}/replay",
    "check_live": "GET /health/live",
    "check_ready": "GET /health/ready",
}


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


def test_every_operation_is_documented_under_the_name_of_its_use_case(web: Web):
    schema = web.client.get("/openapi.json").json()
    found = {
        operation["operationId"]: f"{method.upper()} {path}"
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    assert schema["openapi"].startswith("3.1")
    assert found == OPERATIONS


def test_every_failure_is_documented_as_a_problem(web: Web):
    schema = web.client.get("/openapi.json").json()
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert {"400", "403", "500"} <= operation["responses"].keys(), path
            assert ("408" in operation["responses"]) is ("413" in operation["responses"]), path
            for status, answer in operation["responses"].items():
                if status >= "4":
                    [(media_type, content)] = answer["content"].items()
                    assert media_type == "application/problem+json"
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_the_documentation_needs_no_other_server(web: Web):
    page = web.client.get("/docs").text
    assert not re.search(r"https?:|['\"]//", page)
    assets = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert len(assets) >= 3
    for asset in assets:
        answer = web.client.get(f"/{asset}")
        assert answer.status_code == 200
        assert len(answer.content) > 500


class Scripts(HTMLParser):
    """What of a page a browser would run or style it by."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.files: list[str] = []
        self.unlisted: list[str] = []
        """What no hash and no address can allow."""
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.unlisted += [name for name in given if name.startswith("on") or name == "style"]
        self.unlisted += [tag for _ in [1] if tag in {"style", "base", "iframe", "object"}]
        self._open = tag == "script" and "src" not in given
        if tag == "script" and given.get("src"):
            self.files.append(str(given["src"]))

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inline.append(data)
            self._open = False


def test_the_documentation_runs_only_what_its_policy_lists(web: Web):
    answer = web.client.get("/docs")
    [policy] = answer.headers.get_list("content-security-policy")
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    page = Scripts(answer.text)
    hashes = [
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        for script in page.inline
    ]
    assert len(page.inline) == 1
    assert rules["script-src"] == ["'self'", *hashes]
    assert [file for file in page.files if re.match("[a-z]+:|//", file)] == []
    assert page.unlisted == []
    assert "unsafe" not in policy
    assert {rules[name][0] for name in ("default-src", "base-uri", "frame-ancestors")} == {
        "'none'"
    }
    assert rules["connect-src"] == ["'self'"]


def test_the_bare_address_leads_to_the_documentation(web: Web):
    answer = web.client.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == "/docs"


def test_a_process_that_runs_is_live_whatever_the_database_does(web: Web):
    web.break_use_case("products", "list", TransientError("down"))
    answer = web.client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


def test_a_shop_whose_database_answers_is_ready(web: Web):
    assert web.client.get("/health/ready").json() == {"status": "ok"}


@pytest.mark.parametrize("error", [TransientError("db-17 is down"), OSError("no route")])
def test_a_shop_whose_database_does_not_answer_is_not_ready(web: Web, error: Exception):
    web.break_use_case("products", "list", error)
    answer = web.client.get("/health/ready")
    assert_problem(answer, 503, "not_ready")
    assert answer.headers["retry-after"] == "1"
    assert str(error) not in answer.text
