"""`quickshop jobs`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

import typer

from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.failures import FAILED
from quickshop.entrypoints.cli.options import AsJson, Limit, collect
from quickshop.entrypoints.cli.output import (
    complain,
    moment,
    print_json,
    say,
)
from quickshop.ports.jobs import JobId
from quickshop.shop import Shop

app = typer.Typer(help="List and replay failed jobs.", no_args_is_help=True)


@app.command("list")
def list_dead(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the dead letters: jobs that failed five times."""
    with opened_shop() as shop:
        dead, _more = collect(lambda n, cursor: shop.jobs.dead(limit=n, cursor=cursor), limit)
    if as_json:
        print_json({"items": dead})
        return
    if not dead:
        say("There are no dead letters.")
        return
    for job in dead:
        say(f"{job.id}  {job.effect}, after {job.event} at {moment(job.occurred_at)} UTC")
        say(f"    about {job.subject}, {job.attempts} attempts, last error: {job.error}")
    say("", "`quickshop jobs replay ID` or `--all` gives them another five attempts.")


@app.command("replay")
def replay(
    job_ids: Annotated[
        list[UUID] | None, typer.Argument(metavar="ID", help="Job id, as in `jobs list`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Replay every dead letter.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give dead letters another five attempts."""
    if every == bool(job_ids):
        raise typer.BadParameter("give one or more ids, or --all")
    with opened_shop() as shop:
        wanted = [JobId(job_id) for job_id in job_ids or []]
        replayed = _replay_all(shop) if every else _replay(shop, wanted)
    missing = [job_id for job_id in wanted if job_id not in replayed]
    for job_id in missing:
        complain(f"there is no dead job {job_id}")
    if as_json:
        print_json({"replayed": replayed})
    elif replayed or every:
        say(
            "1 job is due again." if len(replayed) == 1 else f"{len(replayed)} jobs are due again."
        )
    if missing:
        raise typer.Exit(FAILED)


def _replay(shop: Shop, job_ids: Iterable[JobId]) -> list[JobId]:
    return [job_id for job_id in job_ids if shop.jobs.replay(job_id)]


def _replay_all(shop: Shop) -> list[JobId]:
    replayed: list[JobId] = []
    while again := _replay(shop, [job.id for job in shop.jobs.dead().items]):
        replayed.extend(again)
    return replayed


@app.command("run")
def run(as_json: AsJson = False) -> None:
    """Run the jobs that are due now: payments, emails, refunds. For shops without a worker."""
    with opened_shop() as shop:
        ran = shop.run_jobs()
    if as_json:
        print_json({"ran": ran})
    else:
        say("1 job ran." if ran == 1 else f"{ran} jobs ran.")
