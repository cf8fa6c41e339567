"""Health routes for supervisors and load balancers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from quickshop.entrypoints.http.dependencies import ShopDependency
from quickshop.entrypoints.http.edge.audience import PROBE, open_to
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import problem, problems
from quickshop.ports.catalog import ProductQuery
from quickshop.shop import Shop

router = APIRouter(prefix="/health", tags=["operations"], route_class=GuardedRoute)

_log = logging.getLogger(__name__)
_UNCACHED = {"Cache-Control": "no-store"}
ANSWER_SECONDS: Final = 1
"""How long a result of the readiness check is reused."""


class Readiness:
    """Checks at most once per second whether the database answers.

    The route is public and not rate limited. `monotonic` returns seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = anyio.Lock()
        self._is_ready = False
        self._until = 0.0

    async def __call__(self, shop: Shop) -> bool:
        """Return whether the database answers, as of at most a second ago."""
        async with self._lock:
            if self._monotonic() >= self._until:
                self._is_ready = await anyio.to_thread.run_sync(_answers, shop)
                self._until = self._monotonic() + ANSWER_SECONDS
            return self._is_ready


def _answers(shop: Shop) -> bool:
    try:
        shop.products.list(ProductQuery(limit=1))
    except Exception:  # noqa: BLE001 - any error means not ready
        _log.exception("not ready")
        return False
    return True


class Health(BaseModel):
    """The service is healthy."""

    status: Literal["ok"] = "ok"


@router.get("/live", operation_id="check_live", response_model=Health, responses=problems())
@open_to(PROBE)
async def check_live() -> Response:
    """Return whether the process answers. Restart it if it does not."""
    return _ok()


@router.get("/ready", operation_id="check_ready", response_model=Health, responses=problems(503))
@open_to(PROBE)
async def check_ready(request: Request, shop: ShopDependency) -> Response:
    """Return whether the database answers. Send no traffic here while it does not."""
    readiness: Readiness = request.app.state.readiness
    if await readiness(shop):
        return _ok()
    detail = "The database does not answer."
    return problem(503, "not_ready", detail, headers={"Retry-After": "1", **_UNCACHED})


def _ok() -> Response:
    return Response(Health().model_dump_json(), headers=_UNCACHED, media_type="application/json")
