"""Routes for whoever keeps the process running."""

from __future__ import annotations

import logging
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from quickshop.entrypoints.http.access import PROBE, access
from quickshop.entrypoints.http.dependencies import ShopDependency
from quickshop.entrypoints.http.guard import GuardedRoute
from quickshop.entrypoints.http.problems import problem, problems
from quickshop.ports.catalog import ProductQuery

router = APIRouter(prefix="/health", tags=["operations"], route_class=GuardedRoute)

_log = logging.getLogger(__name__)
_UNCACHED = {"Cache-Control": "no-store"}


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get("/live", operation_id="check_live", response_model=Health, responses=problems())
@access(PROBE)
async def check_live() -> Response:
    """Whether the process answers at all. Restart it when it does not."""
    return _ok()


@router.get("/ready", operation_id="check_ready", response_model=Health, responses=problems(503))
@access(PROBE)
def check_ready(shop: ShopDependency) -> Response:
    """Whether the database answers. Send no traffic here while it does not."""
    try:
        shop.products.list(ProductQuery(limit=1))
    except Exception:  # noqa: BLE001 - whatever it is, it is not ready
        _log.exception("not ready")
        detail = "The database does not answer."
        return problem(503, "not_ready", detail, headers={"Retry-After": "1", **_UNCACHED})
    return _ok()


def _ok() -> Response:
    return Response(Health().model_dump_json(), headers=_UNCACHED, media_type="application/json")
