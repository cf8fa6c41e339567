"""The interactive documentation, with all assets included."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from quickshop.entrypoints.http.edge.audience import (
    PUBLIC,
    Audience,
    AudienceKind,
    audience_of,
    open_to,
)
from quickshop.entrypoints.http.edge.credentials import ACCESS_COOKIE
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import MEDIA_TYPE
from quickshop.entrypoints.http.links import add_links
from quickshop.entrypoints.http.money import MoneyIn, PositiveMoneyIn, UnitPriceIn

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

_ASSETS: Final = "docs/assets"
_SUCCESS: Final = ("2", "3")
_FROM_THE_EDGE: Final = ("400", "403")
"""Problems of any operation: wrong host, HTTPS required."""
_SLOW, _LARGE = "408", "413"
_NOT_SIGNED_IN, _TOO_OFTEN, _UNAVAILABLE = "401", "429", "503"
_UNKNOWN_PARAMETER: Final = "422"
_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The `access_token` from signing in, or an API key (`qsk_…`).",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": ACCESS_COOKIE,
        "description": "Set by signing in with `cookies: true`. Writes need an `Origin` header: "
        "the shop itself, or one of `QUICKSHOP_CORS_ORIGINS`.",
    },
}
_AMOUNTS: Final = tuple(model.__name__ for model in (MoneyIn, UnitPriceIn, PositiveMoneyIn))
_INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)

# Relative URLs, so that the page also works behind a path prefix.
_PAGE: Final = bytes(
    get_swagger_ui_html(
        openapi_url="openapi.json",
        title="QuickShop API",
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
        # Swagger UI's default sends the document's URL to an online validator.
        swagger_ui_parameters={"validatorUrl": None},
    ).body
)
_INLINE_HASHES: Final = " ".join(
    f"'sha256-{b64encode(sha256(script).digest()).decode()}'"
    for script in _INLINE_SCRIPT.findall(_PAGE)
)
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' {_INLINE_HASHES}",
        "style-src 'self'",
        "img-src 'self' data:",  # the style sheet contains its icons
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The page may load its own assets and call this API, nothing else."""


@router.get("/")
@open_to(PUBLIC)
async def go_to_docs() -> Response:
    """Redirect the root to the documentation."""
    return RedirectResponse("docs")


@router.get("/docs")
@open_to(PUBLIC)
async def show_docs() -> Response:
    """Return the interactive documentation."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/openapi.json")
@open_to(PUBLIC)
async def show_schema(request: Request) -> Response:
    """Return the OpenAPI document."""
    document: _Document = request.app.state.document
    return Response(await document.body(), media_type="application/json")


class _Document:
    """The OpenAPI document, rendered once in a thread, because that takes a second."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._lock = anyio.Lock()
        self._body: bytes | None = None

    async def body(self) -> bytes:
        """Return the document as JSON bytes."""
        async with self._lock:
            if self._body is None:
                self._body = await anyio.to_thread.run_sync(self._render)
        return self._body

    def _render(self) -> bytes:
        return bytes(JSONResponse(self._app.openapi()).body)


class _Assets(StaticFiles):
    """Static files that change with a release only, so browsers may cache them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, or 304."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer


def install(app: FastAPI) -> None:
    """Serve the documentation, and correct the problems in its schema."""
    app.mount(f"/{_ASSETS}", _Assets(directory=str(files("fastapi_offline") / "static")))

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    app.state.document = _Document(app)


def _describe(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    declared = _declared(app)
    for path in schema["paths"].values():
        for operation in path.values():
            _correct(operation["responses"])
            _add_refusals(operation, declared[operation["operationId"]])
            _forbid_null(operation.get("parameters", ()))
    _state_currency(schema["components"]["schemas"], app.state.shop.policy.currency)
    add_links(schema)
    schema["components"]["securitySchemes"] = _SCHEMES
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
    return schema


def _forbid_null(parameters: Iterable[dict[str, Any]]) -> None:
    """FastAPI says that an optional parameter may be null: it is absent, for there is no null."""
    for parameter in parameters:
        schema = parameter["schema"]
        kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
        if len(kinds) == 1:
            del schema["anyOf"]
            parameter["schema"] = {**kinds[0], **schema}


def _state_currency(schemas: dict[str, Any], currency: str) -> None:
    """All prices of a shop are in one currency, which only the shop knows."""
    for name in _AMOUNTS:
        schemas[name]["properties"]["currency"] |= {"enum": [currency], "examples": [currency]}


def _declared(app: FastAPI) -> dict[str, Audience]:
    routes = (route for route in app.routes if isinstance(route, GuardedRoute))
    return {route.operation_id or route.name: audience_of(route.endpoint) for route in routes}


def _add_refusals(operation: dict[str, Any], declared: Audience) -> None:
    """Add the problems of the edge, which routes do not declare."""
    responses = operation["responses"]
    failed = responses["500"]
    slow = (_SLOW,) if _LARGE in responses else ()
    asked_who = (_NOT_SIGNED_IN, _UNAVAILABLE) if declared.asks_who else ()
    probed = declared.kind is AudienceKind.PROBE
    looked_at = () if probed else (_TOO_OFTEN, _UNKNOWN_PARAMETER)
    for status in (*_FROM_THE_EDGE, *slow, *asked_who, *looked_at):
        description = HTTPStatus(int(status)).phrase
        responses.setdefault(status, {**failed, "description": description})
    if declared.permission is not None:
        needs = f"Needs the permission `{declared.permission}`."
        operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
    if declared.asks_who:
        anonymous: list[dict[str, list[str]]] = (
            [{}] if declared.kind is AudienceKind.SHOPPER else []
        )
        operation["security"] = [*anonymous, *({name: []} for name in _SCHEMES)]


def _correct(responses: dict[str, Any]) -> None:
    """Replace the media type and validation schema that FastAPI assumes for problems."""
    for status, answer in list(responses.items()):
        if status.startswith(_SUCCESS):
            continue
        content = answer["content"].pop("application/json")
        if content["schema"].get("$ref", "").endswith("/HTTPValidationError"):
            del responses[status]
        answer["content"][MEDIA_TYPE] = content
