"""The API does what its OpenAPI document says, whatever it is sent.

What comes of things that are there is looked at in `test_attack_documented_answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from quickshop.domain.identity import ADMIN
from quickshop.entrypoints.http.edge.rate_limits import Limits
from tests import landing
from tests.http_client import Web, open_web
from tests.people import signed_in
from tests.schema_truth import refuses_what_does_not_fit

pytestmark = pytest.mark.sampled

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
    max_examples=200 if landing.whole() else 14,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def documented_operations() -> dict[str, dict[str, Any]]:
    """Every operation, as it is documented."""
    with open_web() as web:
        paths = web.client.app.openapi()["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def takes_what_can_be_wrong(operation: dict[str, Any]) -> bool:
    """Whether there is more than texts of any kind, which all fit."""
    schemas = [parameter["schema"] for parameter in operation.get("parameters", ())]
    plain = {"type", "title", "description", "default"}
    return "requestBody" in operation or any(
        schema.get("type") != "string" or schema.keys() - plain for schema in schemas
    )


OPERATIONS = documented_operations()
SHOPPERS = [name for name in OPERATIONS if "/v1/admin/" not in name]
FUSSY = [name for name, operation in OPERATIONS.items() if takes_what_can_be_wrong(operation)]
"""Those that take something that can be wrong."""


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with open_web(limits=Limits(enabled=False)) as web:
        for n in range(3):
            web.stock(f"MUG-{n}", units=1000)
        yield web


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
@hypothesis.seed(landing.seed())
@given(data=st.data())
def test_what_fits_the_document_is_answered_as_documented(
    operation: APIOperation, data: st.DataObject
):
    case = data.draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    case.call_and_validate(checks=DOCUMENTED)


@pytest.mark.parametrize("operation", FUSSY, indirect=True)
@MODEST
@hypothesis.seed(landing.seed())
@given(data=st.data())
def test_what_does_not_fit_the_document_is_refused_as_documented(
    operation: APIOperation, caller: dict[str, str], data: st.DataObject
):
    case = data.draw(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    case.headers.update(caller)
    answer = case.call()
    refused = answer.status_code in REFUSALS
    case.validate_response(
        answer, checks=DOCUMENTED if refused else [*DOCUMENTED, refuses_what_does_not_fit]
    )
