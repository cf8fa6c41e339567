"""A second opinion on requests that schemathesis takes for violations of the document.

It negates patterns with ranges of its own, which lack characters such as U+1F3FB. A value that it
made in this way may fit the document after all, and is then accepted for good reason.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from schemathesis import Case, Response
from schemathesis.checks import CheckContext
from schemathesis.specs.openapi.checks import negative_data_rejection


def refuses_what_does_not_fit(context: CheckContext, response: Response, case: Case) -> Any:
    """Check that a request was refused, unless its query fits the document after all."""
    return fits(case) or negative_data_rejection(context, response, case)


def fits(case: Case) -> bool | None:
    """True if the query alone makes the request and fits the document; else None."""
    if case.method != "GET" or case.path_parameters:
        return None
    document = case.operation.schema.raw_schema
    described = document["paths"][case.operation.path]["get"].get("parameters", [])
    schemas = {each["name"]: each["schema"] for each in described if each["in"] == "query"}
    components = {"components": document["components"]}
    query = case.query or {}
    sound = query.keys() <= schemas.keys() and all(
        jsonschema_rs.is_valid({**schemas[name], **components}, value)
        for name, value in query.items()
    )
    return True if sound else None
