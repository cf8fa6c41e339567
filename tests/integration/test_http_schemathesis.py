"""The API does what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from quickshop.domain.identity import ADMIN
from quickshop.entrypoints.http.limits import Limits
from tests.http_client import Web, open_web
from tests.people import registered, signed_in

DOCUMENTED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
REFUSALS = {412, 413}
"""Besides those that the tool knows: of a state that is gone, of what is too large."""
MODEST = settings(
    max_examples=14,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def documented_operations() -> dict[str, set[str]]:
    """Every operation, and the statuses that it may answer with."""
    with open_web() as web:
        paths = web.client.app.openapi()["paths"]
    return {
        f"{method.upper()} {path}": set(operation["responses"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


OPERATIONS = documented_operations()
SHOPPERS = [name for name in OPERATIONS if "/v1/admin/" not in name]
FUSSY = [name for name, statuses in OPERATIONS.items() if "422" in statuses]
"""Those that take something that can be wrong."""


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with open_web(limits=Limits(enabled=False)) as web:
        for n in range(3):
            web.stock(f"MUG-{n}", units=1000)
        yield web


@pytest.fixture(scope="module")
def staffs(web: Web) -> dict[str, str]:
    """What staff may name."""
    product = web.shop.products.get("mug-0")
    category = web.shop.products.create_category("Mugs")
    content = BytesIO(b"Handle,Title,Variant Price\ncup,Cup,free\n")
    imported = web.shop.imports.start(content).imported
    web.shop.run_jobs()
    names = {"product_id": product.id, "category_id": category.id, "import_id": imported.id}
    unknown = ("job_id", "api_key_id", "address_id", "session_id")
    return {name: str(made) for name, made in names.items()} | dict.fromkeys(unknown, str(uuid4()))


@pytest.fixture
def people(web: Web) -> dict[str, str]:
    """A customer, and somebody of the staff, of whom nobody has made anything yet."""
    return {"customer_id": str(registered(web)), "user_id": str(registered(web))}


@pytest.fixture
def caller(web: Web, operation: APIOperation) -> dict[str, str]:
    """Headers of somebody who may do what staff may do, where it is for staff."""
    return signed_in(web, roles=(ADMIN,)).headers if "/v1/admin/" in operation.path else {}


@pytest.fixture(params=OPERATIONS)
def operation(web: Web, request: pytest.FixtureRequest) -> APIOperation:
    schema = schemathesis.openapi.from_asgi("/openapi.json", web.client.app)
    method, path = request.param.split()
    return schema[path][method]


@pytest.mark.parametrize("operation", SHOPPERS, indirect=True)
@MODEST
@given(data=st.data())
def test_what_fits_the_document_is_answered_as_documented(
    operation: APIOperation, data: st.DataObject
):
    case = data.draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    case.call_and_validate(checks=DOCUMENTED)


@pytest.mark.parametrize("operation", FUSSY, indirect=True)
@MODEST
@given(data=st.data())
def test_what_does_not_fit_the_document_is_refused_as_documented(
    operation: APIOperation, caller: dict[str, str], data: st.DataObject
):
    case = data.draw(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    case.headers.update(caller)
    answer = case.call()
    refused = answer.status_code in REFUSALS
    case.validate_response(
        answer, checks=DOCUMENTED if refused else [*DOCUMENTED, negative_data_rejection]
    )


@MODEST
@given(data=st.data())
def test_who_names_what_is_there_is_answered_as_documented(
    web: Web,
    staffs: dict[str, str],
    people: dict[str, str],
    operation: APIOperation,
    caller: dict[str, str],
    data: st.DataObject,
):
    case: Case = data.draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    names = {"key": "mug-1", "provider": "stripe", "role": "support"} | staffs | people
    wanted = {*(case.path_parameters or {})}
    if wanted & {"cart_id", "line_id"}:
        basket = web.cart(("MUG-1", 1))
        [line] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
        names |= {"cart_id": basket.id, "line_id": line["id"]}
        case.headers.update(basket.headers)
    if "order_id" in wanted:
        receipt = web.order(("MUG-2", 1), pay_with="tok_declined")
        web.shop.run_jobs()
        names |= {"order_id": receipt.id}
        case.headers.update(receipt.headers)
    case.path_parameters = {name: names[name] for name in wanted}
    case.headers.update(caller)
    case.call_and_validate(checks=DOCUMENTED)
