"""A Celery worker whose task writes down in Redis what it did: `BROKER_URL POOL VISIBILITY`.

`began` and `done` list job ids, `pid:{job}` is who runs it. The first time that it is to run a
job of the set `held`, it holds on until something is pushed to `go:{job}`.
"""

from __future__ import annotations

import os
import sys

from redis import Redis

from quickshop.adapters.celery.jobs import RUN_JOB, make_celery

HOLD_SECONDS = 60


def main(broker_url: str, pool: str, visibility_timeout_seconds: str) -> int:
    app = make_celery(broker_url, visibility_timeout_seconds=int(visibility_timeout_seconds))
    redis = Redis.from_url(broker_url, socket_timeout=None)  # or it would not hold on

    def run_job(job_id: str) -> None:
        redis.set(f"pid:{job_id}", os.getpid())
        redis.rpush("began", job_id)
        if redis.srem("held", job_id):
            redis.blpop([f"go:{job_id}"], HOLD_SECONDS)
        redis.rpush("done", job_id)

    app.task(name=RUN_JOB)(run_job)
    worker = app.Worker(
        pool=pool, concurrency=2, loglevel="INFO", without_gossip=True, without_mingle=True
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
