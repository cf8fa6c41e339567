"""RFC 9457 problem documents, the format of every error response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"


class FieldProblem(BaseModel):
    """One error in the request."""

    pointer: Annotated[
        str,
        Field(
            description="Where: a JSON pointer into the body (`/shipping_address/country`), or "
            "`query:limit`, `header:Idempotency-Key`, `path:cart_id`. `query` alone means an "
            "unknown parameter."
        ),
    ]
    code: Annotated[str, Field(description="Stable, machine-readable name of the error.")]
    detail: Annotated[str, Field(description="The rule to follow, for people.")]


class Problem(BaseModel):
    """The reason why a request failed. It never repeats the request's values."""

    type: str = "about:blank"
    title: str
    status: int
    code: Annotated[str, Field(description="Stable, machine-readable name of the problem.")]
    detail: str
    errors: Annotated[
        list[FieldProblem] | None, Field(description="Only if fields must be corrected.")
    ] = None
    order_status: Annotated[str | None, Field(description="Only with `order_state`.")] = None
    sku: Annotated[str | None, Field(description="Only with `out_of_stock`.")] = None
    available: Annotated[
        int | None, Field(description="Only with `out_of_stock`: units available now.")
    ] = None


class ProblemError(HTTPException):
    """An error of the HTTP layer, for requests that do not reach a use case."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class _Reason:
    code: str
    detail: str


_REASONS: Final[Mapping[int, _Reason]] = {
    400: _Reason("bad_request", "The request cannot be read."),
    401: _Reason("not_signed_in", "Sign in first, or refresh the session."),
    403: _Reason("forbidden", "You do not have permission to do this."),
    404: _Reason("not_found", "No resource has this address."),
    405: _Reason("method_not_allowed", "This address does not support this method."),
    408: _Reason("body_too_slow", "The body did not arrive in time."),
    412: _Reason("precondition_failed", "The resource has changed. Read it again."),
    413: _Reason("body_too_large", "The body is larger than 256 KiB."),
    415: _Reason("unsupported_media_type", "Send the body as application/json, in UTF-8."),
    422: _Reason("invalid_request", "Correct the fields listed in `errors` and try again."),
    429: _Reason("rate_limited", "Too many requests. Wait as long as Retry-After says."),
    500: _Reason("internal_error", "An internal error occurred. Report the X-Request-Id."),
    503: _Reason("unavailable", "The service is temporarily unavailable. Try again."),
}


def default_reason(status: int) -> tuple[str, str]:
    """Return the code and detail of a status that needs no further details."""
    reason = _REASONS.get(status) or _Reason("http_error", HTTPStatus(status).description)
    return reason.code, reason.detail


def problem(
    status: int,
    code: str | None = None,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldProblem] = (),
    **facts: Any,
) -> Response:
    """Return the problem response. Code and detail default to those of the status."""
    own_code, own_detail = default_reason(status)
    document = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code or own_code,
        detail=detail or own_detail,
        errors=list(errors) or None,
        **facts,
    )
    return Response(
        document.model_dump_json(exclude_none=True),
        status_code=status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route that may answer with these problems."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase}
        for status in (*statuses, 500)
    }
