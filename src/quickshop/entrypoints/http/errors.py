"""The mapping of errors to HTTP status codes and problems."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from secrets import randbelow
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from quickshop.domain import errors
from quickshop.entrypoints.http.edge.problems import (
    FieldProblem,
    ProblemError,
    default_reason,
    problem,
)
from quickshop.entrypoints.http.sentences import sentence_of, unknown_field
from quickshop.settings import SettingsError

_log = logging.getLogger(__name__)

STATUS_BY_ERROR: Final[Mapping[type[errors.QuickShopError], int]] = {
    errors.QuickShopError: 500,
    errors.DomainError: 409,
    errors.InvalidValueError: 422,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.AlreadyExistsError: 409,
    errors.CategoryInUseError: 409,
    errors.CurrencyMismatchError: 409,
    errors.NotForSaleError: 409,
    errors.OutOfStockError: 409,
    errors.CartStateError: 409,
    errors.EmptyCartError: 409,
    errors.PriceChangedError: 409,
    errors.OrderStateError: 409,
    errors.PaymentStateError: 409,
    errors.RefundTooLargeError: 409,
    errors.PaymentDeclinedError: 402,
    errors.WebhookRejectedError: 400,
    errors.IdempotencyMismatchError: 422,
    errors.TooManyImportsError: 409,
    errors.FileFormatError: 422,
    errors.NotSignedInError: 401,
    errors.InvalidCredentialsError: 401,
    errors.InvalidTokenError: 400,
    errors.PermissionDeniedError: 403,
    errors.PrivilegeEscalationError: 403,
    errors.LastAdminError: 409,
    errors.RoleInUseError: 409,
    errors.AccountHasRolesError: 409,
    errors.OrdersInProgressError: 409,
    errors.OverloadedError: 429,
    errors.AdapterError: 503,
    errors.TransientError: 503,
    errors.ContentionError: 503,
    errors.IdempotencyInProgressError: 409,
    errors.PaymentUnknownError: 503,
    errors.SourcingPlanError: 500,
    errors.GatewayAnswerError: 500,
    errors.SchemaError: 503,
    errors.MissingExtraError: 500,
    SettingsError: 500,
}
"""Every error has a row; a test checks that."""

_RETRY: Final = {"Retry-After": "1"}
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_SERVER_ERROR: Final = 500
_JITTER_SECONDS: Final = 8
"""The random extra wait after an overload, in seconds, to spread the retries."""

_FACTS: Final[Mapping[type[errors.QuickShopError], Callable[[Any], Mapping[str, Any]]]] = {
    errors.OutOfStockError: lambda error: {"sku": error.sku, "available": error.available},
    errors.OrderStateError: lambda error: {"order_status": error.status},
}


def install(app: FastAPI) -> None:
    """Answer every error that reaches the application with a problem."""
    app.add_exception_handler(errors.QuickShopError, answer_shop_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


def status_of(error: errors.QuickShopError) -> int:
    """Return the status of an error: the row of its most specific class."""
    return next(STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)


# Handlers are async because FastAPI would run others in a thread.
async def answer_shop_error(request: Request, error: Exception) -> Response:
    """Return the problem for an error of the shop."""
    assert isinstance(error, errors.QuickShopError)
    status = status_of(error)
    headers = _headers_of(error)
    if status >= _SERVER_ERROR:
        # Its text may name hosts and files, so it is logged and not sent.
        _log.error("%s: %s", error.code, error, exc_info=error)
        return problem(status, error.code, default_reason(status)[1], headers=headers)
    if isinstance(error, errors.InvalidValueError):
        return problem(status, error.code, errors=[_invalid_value(request, error)])
    if isinstance(error, errors.FileFormatError):
        return problem(status, error.code, f"The file {error.rule}.")
    facts = _FACTS[type(error)](error) if type(error) in _FACTS else {}
    return problem(status, error.code, str(error), headers=headers, **facts)


def _headers_of(error: errors.QuickShopError) -> Mapping[str, str] | None:
    if isinstance(error, errors.OverloadedError):
        # A random wait, so that the clients do not all return at once.
        return {"Retry-After": str(2 + randbelow(_JITTER_SECONDS))}
    if isinstance(error, errors.TransientError):
        return _RETRY
    return _CHALLENGE if isinstance(error, errors.NotSignedInError) else None


def _invalid_value(request: Request, error: errors.InvalidValueError) -> FieldProblem:
    where = f"query:{error.field}" if request.method == "GET" else _pointer(error.field.split("."))
    return FieldProblem(pointer=where, code=error.code, detail=error.rule)


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, ProblemError):
        return problem(
            error.status_code,
            error.code,
            str(error.detail),
            errors=error.errors,
            headers=error.headers,
        )
    headers = dict(error.headers or {})
    if error.status_code == 405 and (allowed := _allowed_methods(request)):  # noqa: PLR2004
        headers["Allow"] = ", ".join(allowed)
    return problem(error.status_code, headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    # The router lists only the methods of the first route with this path.
    allowed = {
        method
        for route in request.app.routes
        if route.matches(request.scope)[0].value and hasattr(route, "methods")
        for method in route.methods or ()
    }
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body = getattr(request.scope.get("route"), "body_field", None)
    kind = body.field_info.annotation if body else None
    found = [_field_problem(entry, kind) for entry in error.errors()]
    if any(p.pointer == "header:Idempotency-Key" and p.code == "missing" for p in found):
        detail = (
            "Send an Idempotency-Key: a new one for each operation, the same one for its retries."
        )
        return problem(400, "idempotency_key_missing", detail)
    # One problem is enough for several unknown fields of one object.
    return problem(422, errors=[*{(each.pointer, each.code): each for each in found}.values()])


def _field_problem(entry: Mapping[str, Any], body: object) -> FieldProblem:
    code, (source, *path) = entry["type"], entry["loc"]
    if code == "extra_forbidden":
        # The name of an unknown field is client input; the pointer names its object instead.
        *path, _name = path
        detail = unknown_field(body, path)
    else:
        detail = sentence_of(code, entry.get("ctx") or {})
    where = _pointer(path) if source == "body" else f"{source}:{'.'.join(map(str, path))}"
    return FieldProblem(pointer=where, code=code, detail=detail)


def _pointer(path: list[Any]) -> str:
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps)
