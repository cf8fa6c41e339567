"""All callers and all inputs are answered as the OpenAPI document says.

Guests with their tokens, customers, and staff, each about things that are there; what has no
business in a request as well as what has.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests import landing
from tests.attacks.stage import Stage, known_operations, open_stage
from tests.attacks.surface import Call, Operation
from tests.schema_truth import refuses_what_does_not_fit

pytestmark = pytest.mark.sampled

DOCUMENTED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
REFUSALS = {409, 412, 413}
"""Besides those that the tool knows: of a state, of a state that is gone, of what is too large."""
REFUSALS_OF_FORM = {400, 413, 415, 422}
UNSAID_CODES = {
    "invalid_token": "whether a mail held it",
    "webhook_rejected": "whether the gateway signed it",
    "file_format": "what is in a CSV file",
    "idempotency_mismatch": "what the key was used for before",
}
"""Why something is refused although it fits the document: what no schema can say."""
UNSAID_PLACES = {
    "query:cursor": "whether it is from the page before",
    "/category_id": "whether there is such a category",
    "/parent_id": "whether there is such a category",
    "/role": "whether there is such a role",
    "/variants": "whether they agree with each other and with the options",
    "/variants/id": "whether they are of this product",
    "/handle": "whether one can be made of the title",
    "/slug": "whether one can be made of the name",
    "/password": "whether a session or a key makes the key; whether it is a common one",
    "/new_password": "whether it is a common one",
    "/expires_at": "what time it is",
    "/to_location": "whether it is another one than they come from",
    "/location": "whether the order ships from there",
    "/amount": "how much was set aside",
    "/lines": "what the order holds",
    "/lines/N/line_id": "what the order holds",
    "/lines/N/quantity": "what is left to ship",
    "/payment/token": "whether it is a card number: they have a check digit",
    "/token": "whether it is a card number",
}
"""The same, by the places that are wrong."""
_NUMBER = re.compile(r"/\d+")
MANY, SOME, FEW = 200, 30, 8
"""Examples of each operation on demand, and at a landing, of a third of them and of the others."""
LEAST = 4
"""Of what takes nothing that could differ from one request to the next."""

OPERATIONS = known_operations()
IN_TURN = {operation.id for operation in landing.share(OPERATIONS, 3)}


def examples_of(operation: Operation) -> int:
    if not operation.takes_something:
        return LEAST
    if landing.whole():
        return MANY
    return SOME if operation.id in IN_TURN else FEW


@pytest.fixture(autouse=True, scope="module")
def silent() -> Iterator[None]:
    """To format what pytest would keep of the log takes longer than the requests."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as stage:
        yield stage


@pytest.fixture(scope="module")
def document(stage: Stage) -> OpenApiSchema:
    """Read once: that takes longer than many requests."""
    return schemathesis.openapi.from_asgi("/openapi.json", stage.web.client.app)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_whoever_is_let_in_is_answered_as_documented(
    stage: Stage, document: OpenApiSchema, operation: Operation
) -> None:
    documented: APIOperation = document[operation.path][operation.method]
    right = documented.as_strategy(GenerationMode.POSITIVE)
    takes_anything = "422" not in documented.definition.raw["responses"]
    wrong = None if takes_anything else documented.as_strategy(GenerationMode.NEGATIVE)
    good: dict[str, Call | None] = {}
    people = st.sampled_from(sorted(operation.audience))

    @settings(
        max_examples=examples_of(operation),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        who = data.draw(people, "who")
        call = good.get(who) or stage.call(operation, who)
        if wrong is None or data.draw(st.booleans(), "fits"):
            status = send_right(data.draw(right), call)
        else:
            status = send_wrong(data.draw(wrong), call)
        # What was done once, or in whose session, may not be there to be done again.
        good[who] = call if status >= 400 or not operation.writes else None

    look()


def send_right(case: Case, call: Call) -> int:
    """What fits the document, about something that is there: nothing is wrong with its form."""
    case.path_parameters = dict(call.path_values)
    case.headers.update(call.headers)
    answer = case.call_and_validate(checks=DOCUMENTED)
    if answer.status_code in REFUSALS_OF_FORM:
        problem = answer.json()
        wrong = {_NUMBER.sub("/N", each["pointer"]) for each in problem.get("errors", ())}
        is_unsaid = bool(wrong) and wrong <= UNSAID_PLACES.keys()
        assert is_unsaid or problem["code"] in UNSAID_CODES, answer.text
    return answer.status_code


def send_wrong(case: Case, call: Call) -> int:
    """Invalid input from a caller who is signed in."""
    if "Authorization" in call.headers:
        case.headers["Authorization"] = call.headers["Authorization"]
    answer = case.call()
    refused = answer.status_code in REFUSALS
    case.validate_response(
        answer, checks=DOCUMENTED if refused else [*DOCUMENTED, refuses_what_does_not_fit]
    )
    return answer.status_code
