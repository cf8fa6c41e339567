"""The interactive documentation, without anything fetched from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from quickshop.entrypoints.http.problems import MEDIA_TYPE

router = APIRouter(include_in_schema=False)

_ASSETS: Final = "docs/assets"
_SUCCESS: Final = ("2", "3")


@router.get("/")
async def go_to_docs() -> Response:
    """Lead people who open the bare address to something they can read."""
    return RedirectResponse("docs")


@router.get("/docs")
async def show_docs() -> Response:
    """Show the API as a page on which it can be tried."""
    # Relative addresses, so that the page also works behind a path prefix.
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="QuickShop API",
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
    )


def install(app: FastAPI) -> None:
    """Serve the documentation, and have its schema tell the truth about problems."""
    app.mount(f"/{_ASSETS}", StaticFiles(directory=str(files("fastapi_offline") / "static")))

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    for path in schema["paths"].values():
        for operation in path.values():
            _correct(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
    return schema


def _correct(responses: dict[str, Any]) -> None:
    """FastAPI describes every answer as JSON, and says that it validates its own way."""
    for status, answer in list(responses.items()):
        if status.startswith(_SUCCESS):
            continue
        content = answer["content"].pop("application/json")
        if content["schema"].get("$ref", "").endswith("/HTTPValidationError"):
            del responses[status]
        answer["content"][MEDIA_TYPE] = content
