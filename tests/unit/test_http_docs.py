"""The documentation and the health of the API."""

import re
from collections.abc import Iterator

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
            assert "500" in operation["responses"], path
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
