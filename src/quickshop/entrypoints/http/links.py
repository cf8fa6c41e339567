"""OpenAPI links between operations.

The table lists, for each operation that returns ids, where its response has them. The targets
follow from the document: a link leads to every operation whose path the response can fill. It
also carries other known parameters, such as the token of a guest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Operation = Mapping[str, Any]
Values = Mapping[str, str]
"""Runtime expressions by parameter name."""

_CART: Final = {"cart_id": "$response.body#/id", "line_id": "$response.body#/lines/0/id"}
_SAME_CART: Final = _CART | {"X-Cart-Token": "$request.header.X-Cart-Token"}
_SAME_ORDER: Final = {
    "order_id": "$response.body#/id",
    "X-Order-Token": "$request.header.X-Order-Token",
}
_ORDER: Final = {"order_id": "$response.body#/id", "customer_id": "$response.body#/customer_id"}
_ADDRESS: Final = {"address_id": "$response.body#/addresses/0/id"}
_PRODUCT: Final = {
    "product_id": "$response.body#/id",
    "key": "$response.body#/handle",
    "category": "$response.body#/category",
    "If-Match": "$response.header.ETag",
}
_CATEGORY: Final = {"category_id": "$response.body#/id", "category": "$response.body#/slug"}
_STOCK: Final = {"sku": "$response.body#/sku"}
_IMPORT: Final = {"import_id": "$response.body#/id"}
_CUSTOMER: Final = {"customer_id": "$response.body#/id", "email": "$response.body#/email"}


def _first(values: Values) -> Values:
    """Return the same values of the first item of a page."""
    return {name: where.replace("#/", "#/items/0/") for name, where in values.items()}


SOURCES: Final[Mapping[str, Values]] = {
    "list_products": _first(
        {
            "key": "$response.body#/handle",
            "product_id": "$response.body#/id",
            "category": "$response.body#/category",
            "sku": "$response.body#/variants/0/sku",
        }
    ),
    "get_product": {
        "product_id": "$response.body#/id",
        "category": "$response.body#/category",
        "sku": "$response.body#/variants/0/sku",
    },
    "list_categories": _first(_CATEGORY),
    "create_cart": {"cart_id": "$response.body#/id", "X-Cart-Token": "$response.body#/token"},
    "list_own_carts": _first(_CART),
    "claim_cart": _CART,
    "get_cart": _SAME_CART,
    "add_cart_line": _SAME_CART,
    "change_cart_line": _SAME_CART,
    "hold_cart": {
        "cart_id": "$response.body#/cart_id",
        "X-Cart-Token": "$request.header.X-Cart-Token",
    },
    "place_order": {"order_id": "$response.body#/id", "X-Order-Token": "$response.body#/token"},
    "pay_order_again": _SAME_ORDER,
    "list_own_orders": _first(_SAME_ORDER),
    "get_own_order": _SAME_ORDER,
    "log_in": {"cart_id": "$response.body#/cart_id"},
    "get_profile": _ADDRESS,
    "update_profile": _ADDRESS,
    "save_address": {"address_id": "$response.body#/id"},
    "replace_address": {"address_id": "$response.body#/id"},
    "list_sessions": _first({"session_id": "$response.body#/id"}),
    "list_all_products": _first(
        {
            "product_id": "$response.body#/id",
            "key": "$response.body#/handle",
            "category": "$response.body#/category",
        }
    ),
    "create_product": _PRODUCT,
    "inspect_product": _PRODUCT,
    "update_product": _PRODUCT,
    "publish_product": _PRODUCT,
    "unpublish_product": _PRODUCT,
    "set_product_images": _PRODUCT,
    "change_price": _PRODUCT,
    "create_category": _CATEGORY,
    "rename_category": _CATEGORY,
    "move_category": _CATEGORY,
    "receive_stock": _STOCK,
    "adjust_stock": _STOCK,
    "count_stock": _STOCK,
    "transfer_stock": _STOCK,
    "list_locations": _first({"location": "$response.body#/name"}),
    "list_orders": _first(_ORDER),
    "get_order": _ORDER,
    "fulfill_order": _ORDER,
    "cancel_order": _ORDER,
    "capture_payment": {"order_id": "$request.path.order_id"},
    "refund_order": {"order_id": "$request.path.order_id"},
    "start_import": _IMPORT,
    "list_imports": _first(_IMPORT),
    "get_import": _IMPORT,
    "list_dead_jobs": _first({"job_id": "$response.body#/id"}),
    "list_customers": _first(_CUSTOMER),
    "get_customer": _CUSTOMER,
    "list_active_carts": _first({"customer_id": "$response.body#/customer_id"}),
    "list_users": _first({"user_id": "$response.body#/id", "role": "$response.body#/roles/0"}),
    "list_roles": _first({"role": "$response.body#/name"}),
    "set_role": {"role": "$request.path.role"},
    "list_api_keys": _first({"api_key_id": "$response.body#/id"}),
    "make_api_key": {"api_key_id": "$response.body#/id"},
}
"""The values that each operation's response has for parameters of others."""

_CURSOR: Final = "query.cursor"
_NEXT_PAGE: Final = "$response.body#/next_cursor"
_SUCCESS: Final = "2"


def add_links(document: dict[str, Any]) -> None:
    """Add to every response the links to the operations that it can fill."""
    operations: dict[str, Operation] = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    for name, operation in operations.items():
        if links := dict(_links_from(name, operations)):
            _answer_of(operation)["links"] = links


def _links_from(name: str, operations: Mapping[str, Operation]) -> Iterator[tuple[str, Any]]:
    values = SOURCES.get(name, {})
    for target, operation in operations.items():
        if target != name and (given := _given(operation, values)):
            yield target, {"operationId": target, "parameters": given}
    asked = [f"{each['in']}.{each['name']}" for each in _parameters(operations[name])]
    if _CURSOR in asked:
        same = {place: f"$request.{place}" for place in asked}
        yield "next_page", {"operationId": name, "parameters": {**same, _CURSOR: _NEXT_PAGE}}


def _given(target: Operation, values: Values) -> dict[str, str]:
    """Return the known parameters of `target`; none if a path parameter is unknown."""
    parameters = _parameters(target)
    if any(each["in"] == "path" and each["name"] not in values for each in parameters):
        return {}
    return {
        f"{each['in']}.{each['name']}": values[each["name"]]
        for each in parameters
        if each["name"] in values
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = operation.get("parameters", [])
    return found


def _answer_of(operation: Operation) -> dict[str, Any]:
    """Return the response of success."""
    answers: dict[str, dict[str, Any]] = operation["responses"]
    return next(answer for status, answer in answers.items() if status.startswith(_SUCCESS))
