"""What all routes of staff have in common, and those about jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from quickshop.entrypoints.http.admin import ROUTERS
from quickshop.entrypoints.http.edge.audience import audience_of
from tests.http_client import api_document, assert_problem
from tests.unit.staff_client import BackOffice, open_back_office
from tests.unit.test_http_admin_inventory import MOVES
from tests.unit.test_http_admin_orders import ASKS

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
READS = {"GET"}


@pytest.fixture
def office() -> Iterator[BackOffice]:
    with open_back_office() as office:
        yield office


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_every_route_of_staff_asks_for_the_permission_of_its_use_case(route: APIRoute) -> None:
    access = audience_of(route.endpoint)
    assert access.kind == "staff"
    assert access.permission is not None
    reads = access.permission.endswith(":read")
    assert reads is (route.methods <= READS), f"{access.permission} for {route.methods}"
    assert route.path.startswith("/v1/admin/")
    assert {401, 403, 429, 500, 503} <= route.responses.keys()


def test_every_route_that_takes_a_key_is_tried() -> None:
    paths = api_document()["paths"]
    with_key = {
        path.removeprefix("/v1/admin")
        for path, operations in paths.items()
        for parameter in operations.get("post", {}).get("parameters", [])
        if path.startswith("/v1/admin/") and parameter["name"].lower() == "idempotency-key"
    }
    assert with_key == {
        "/imports",
        *(f"/inventory/{move}" for move in MOVES),
        *(f"/orders/{{order_id}}/{ask}" for ask in ASKS),
    }


def a_dead_job(office: BackOffice) -> str:
    """Work that was given up on."""
    office.mug()
    office.web.order(("MUG", 1))
    queue, now = office.shop.jobs.replay.queue, office.shop.jobs.replay.clock.now()
    [job_id] = queue.claim(now, limit=1, lease=timedelta(seconds=60))
    job = queue.start(job_id, now, lease=timedelta(seconds=60))
    assert job is not None
    queue.fail(job_id, "no route", attempt=job.attempts, retry_at=None)
    return str(job_id)


def test_dead_letters_are_listed_and_replayed(office: BackOffice) -> None:
    job_id = a_dead_job(office)
    assert office.get("/jobs")["dead"] == 1
    [dead] = office.get("/jobs/dead")["items"]
    assert (dead["id"], dead["effect"], dead["error"]) == (job_id, "process_order", "no route")
    assert office.ask("POST", f"/jobs/dead/{job_id}/replay").status_code == 204
    assert office.get("/jobs") == {"waiting": 1, "overdue": 0, "dead": 0}
    again = office.ask("POST", f"/jobs/dead/{job_id}/replay")
    assert_problem(again, 404, "not_found")


def test_a_job_that_is_not_dead_is_not_replayed(office: BackOffice) -> None:
    assert_problem(office.ask("POST", f"/jobs/dead/{uuid4()}/replay"), 404, "not_found")
    odd = office.ask("GET", "/jobs/dead", params={"cursor": "nonsense"})
    assert_problem(odd, 422, "invalid_value")
