"""Admin routes for background jobs."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime

from quickshop.application.jobs import GetQueueSize, ListDeadJobs, ReplayJob
from quickshop.domain.errors import NotFoundError
from quickshop.entrypoints.http.admin.shared import staff_problems
from quickshop.entrypoints.http.dependencies import Cursor, Limit, ShopDependency
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.models import Output, nothing, private
from quickshop.ports.jobs import JobId
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/admin/jobs", tags=["admin: jobs"], route_class=GuardedRoute)


class QueueSizeOut(Output):
    """The size of the job queue."""

    waiting: int
    """Jobs not done, due now or later."""
    overdue: int
    """Waiting jobs that should have run long ago, which indicates a fault."""
    dead: int
    """Jobs that failed five times."""


class DeadJobOut(Output):
    """A job that failed five times."""

    id: UUID
    effect: str
    event: str
    subject: str
    """Id of the event's subject."""
    attempts: int
    error: str
    occurred_at: AwareDatetime


class DeadJobPage(Output):
    """A page of dead letters, oldest first, and the cursor of the next page."""

    items: tuple[DeadJobOut, ...]
    next_cursor: str | None


@router.get(
    "", operation_id="get_queue_size", response_model=QueueSizeOut, responses=staff_problems()
)
@open_to(staff(GetQueueSize))
def get_queue_size(shop: ShopDependency) -> Response:
    """Return the size of the job queue."""
    return private(QueueSizeOut.of(shop.jobs.size()))


@router.get(
    "/dead",
    operation_id="list_dead_jobs",
    response_model=DeadJobPage,
    responses=staff_problems(422),
)
@open_to(staff(ListDeadJobs))
def list_dead_jobs(
    shop: ShopDependency, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the dead letters: jobs that failed five times."""
    return private(DeadJobPage.of(shop.jobs.dead(limit=limit, cursor=cursor)))


@router.post(
    "/dead/{job_id}/replay",
    operation_id="replay_job",
    status_code=204,
    responses=staff_problems(404, 413, 422),
)
@open_to(staff(ReplayJob))
def replay_job(shop: ShopDependency, job_id: UUID) -> Response:
    """Give a dead job five more attempts."""
    if not shop.jobs.replay(JobId(job_id)):
        raise NotFoundError("dead job")
    return nothing()
