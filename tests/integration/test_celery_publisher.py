"""Jobs on their way through a real broker to real Celery workers, and what crashes do to them."""

from __future__ import annotations

import os
import signal
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from json import loads
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from quickshop.adapters.celery.jobs import QUEUE, CeleryJobs, make_celery
from quickshop.domain.errors import TransientError
from quickshop.ports.jobs import JobId
from tests import servers
from tests.fault_proxy import FaultProxy
from tests.landing import share
from tests.processes import PATIENCE_SECONDS, eventually, kill, running

POOLS = ["prefork", "threads"]
SHORT = "12"
"""Seconds after which what a dead worker held is handed out again; a slow start is no death."""

StartWorker = Callable[..., AbstractContextManager[subprocess.Popen[bytes]]]


@pytest.fixture
def redis(own_valkey: servers.Server) -> Iterator[Redis]:
    """As everywhere, but for its answers, which are texts."""
    with Redis.from_url(own_valkey.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def start_worker(redis: Redis, own_valkey: servers.Server, tmp_path: Path) -> StartWorker:
    assert redis.ping()

    def start(
        pool: str, visibility_seconds: str = "130"
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        program = ("-m", "tests.integration.recording_worker")
        return running(*program, own_valkey.url, pool, visibility_seconds, log=tmp_path / "log")

    return start


@pytest.fixture
def jobs(own_valkey: servers.Server) -> Iterator[CeleryJobs]:
    with make_celery(own_valkey.url) as app:
        jobs = CeleryJobs(app)
        yield jobs
        jobs.close()


def new_jobs(count: int) -> list[JobId]:
    return [JobId(uuid4()) for _ in range(count)]


def ids(jobs: list[JobId]) -> list[str]:
    return sorted(str(job) for job in jobs)


def held(redis: Redis) -> JobId:
    """A job that holds on when it is first run."""
    (job,) = new_jobs(1)
    redis.sadd("held", str(job))
    return job


def times(redis: Redis, what: str, job: JobId) -> int:
    return redis.lrange(what, 0, -1).count(str(job))


def has_ended_once(redis: Redis, job: JobId) -> bool:
    return times(redis, "done", job) == 1


def has_begun(redis: Redis, job: JobId) -> bool:
    return times(redis, "began", job) > 0


def nothing_is_left(redis: Redis) -> bool:
    return not redis.llen(QUEUE) and not redis.hlen(f"{QUEUE}.unacked")


def test_the_publisher_knows_what_no_worker_has_taken(jobs: CeleryJobs, redis: Redis) -> None:
    assert jobs.waiting() == 0
    jobs.publish(new_jobs(30))
    assert jobs.waiting() == 30
    redis.flushall()
    assert jobs.waiting() == 0


@pytest.mark.parametrize("pool", POOLS)
def test_every_job_of_a_batch_is_run(
    jobs: CeleryJobs, redis: Redis, start_worker: StartWorker, pool: str
) -> None:
    early, late = new_jobs(30), new_jobs(30)
    jobs.publish(early)
    with start_worker(pool):
        jobs.publish(late)

        assert eventually(lambda: redis.llen("done") >= 60)
        assert eventually(partial(nothing_is_left, redis))

    assert sorted(redis.lrange("done", 0, -1)) == ids(early + late)


def test_a_message_says_which_job_to_run_and_nothing_else(jobs: CeleryJobs, redis: Redis) -> None:
    batch = new_jobs(3)
    jobs.publish(batch)

    messages = [loads(message) for message in redis.lrange(QUEUE, 0, -1)]
    arguments = [loads(b64decode(message["body"]))[:2] for message in messages]
    assert sorted(given[0] for given, _named in arguments) == ids(batch)
    assert all(named == {} for _given, named in arguments)
    assert {message["content-type"] for message in messages} == {"application/json"}
    assert len({message["properties"]["delivery_tag"] for message in messages}) == 3


def test_a_batch_may_be_empty_or_large(jobs: CeleryJobs, redis: Redis) -> None:
    jobs.publish([])
    jobs.publish(new_jobs(2500))

    assert redis.llen(QUEUE) == 2500


def test_a_job_whose_process_is_killed_is_run_again(
    jobs: CeleryJobs, redis: Redis, start_worker: StartWorker
) -> None:
    job = held(redis)
    with start_worker("prefork"):
        jobs.publish([job])
        assert eventually(partial(has_begun, redis, job))
        os.kill(int(redis.get(f"pid:{job}") or 0), signal.SIGKILL)

        assert eventually(partial(has_ended_once, redis, job))
        assert eventually(partial(nothing_is_left, redis))


@pytest.mark.sampled
@pytest.mark.parametrize("pool", share(POOLS, 2))
def test_a_job_whose_whole_worker_is_killed_is_run_by_another(
    jobs: CeleryJobs, redis: Redis, start_worker: StartWorker, pool: str
) -> None:
    job = held(redis)
    with start_worker(pool, SHORT) as worker:
        jobs.publish([job])
        assert eventually(partial(has_begun, redis, job))
        kill(worker)
    assert not times(redis, "done", job)

    with start_worker(pool, SHORT):
        assert eventually(partial(has_ended_once, redis, job))
        assert eventually(partial(nothing_is_left, redis))


@pytest.mark.sampled
@pytest.mark.parametrize("pool", share(POOLS, 2))
def test_a_worker_that_is_told_to_stop_ends_its_job_first(
    jobs: CeleryJobs, redis: Redis, start_worker: StartWorker, pool: str
) -> None:
    job, later = held(redis), new_jobs(5)
    with start_worker(pool) as worker:
        jobs.publish([job])
        assert eventually(partial(has_begun, redis, job))
        worker.send_signal(signal.SIGTERM)
        redis.rpush(f"go:{job}", "go")

        assert worker.wait(PATIENCE_SECONDS) == 0
    jobs.publish(later)

    assert has_ended_once(redis, job)
    assert redis.llen(QUEUE) == len(later)


@pytest.mark.sampled
@pytest.mark.parametrize("pool", share(POOLS, 2))
def test_a_worker_outlives_its_broker(
    own_valkey: servers.Server,
    jobs: CeleryJobs,
    redis: Redis,
    start_worker: StartWorker,
    pool: str,
) -> None:
    before, after = new_jobs(2), new_jobs(2)
    with start_worker(pool):
        jobs.publish(before)
        assert eventually(lambda: redis.llen("done") == 2)
        own_valkey.kill()
        with pytest.raises(TransientError):
            jobs.publish(after)
        own_valkey.start()
        jobs.publish(after)

        assert eventually(lambda: redis.llen("done") >= 2)
    assert sorted(redis.lrange("done", 0, -1)) == ids(after)  # what came before died with it


@pytest.mark.sampled
@pytest.mark.parametrize("pool", share(POOLS, 2))
def test_a_worker_outlives_its_broker_in_the_middle_of_a_job(
    own_valkey: servers.Server,
    jobs: CeleryJobs,
    redis: Redis,
    start_worker: StartWorker,
    tmp_path: Path,
    pool: str,
) -> None:
    job, after = held(redis), new_jobs(2)
    with start_worker(pool) as worker:
        jobs.publish([job])
        assert eventually(partial(has_begun, redis, job))
        # Its connection for jobs must not be the first that it sees broken: see PatientConsumer.
        worker.send_signal(signal.SIGSTOP)
        redis.client_kill_filter(_type="pubsub")
        own_valkey.kill()
        worker.send_signal(signal.SIGCONT)
        assert eventually(lambda: "Cannot connect" in (tmp_path / "log").read_text())
        own_valkey.start()
        jobs.publish(after)

        assert eventually(lambda: set(ids(after)) <= set(redis.lrange("done", 0, -1)))


@pytest.mark.parametrize("fail", [FaultProxy.refuse, FaultProxy.black_hole])
@pytest.mark.parametrize("connected", [True, False])
def test_a_broker_that_is_away_is_said_to_be_and_used_when_it_is_back(
    own_valkey: servers.Server,
    redis: Redis,
    fail: Callable[[FaultProxy], None],
    *,
    connected: bool,
) -> None:
    with FaultProxy(own_valkey.port) as proxy, make_celery(proxy.through(own_valkey.url)) as app:
        jobs = CeleryJobs(app)
        if connected:
            jobs.publish(new_jobs(1))
        fail(proxy)
        with pytest.raises(TransientError, match="the broker did not take the jobs"):
            jobs.publish(new_jobs(3))
        proxy.forward()
        jobs.publish(new_jobs(2))
        jobs.close()

    assert redis.llen(QUEUE) == (3 if connected else 2)


def test_a_connection_that_was_cut_is_made_again(own_valkey: servers.Server, redis: Redis) -> None:
    with FaultProxy(own_valkey.port) as proxy, make_celery(proxy.through(own_valkey.url)) as app:
        jobs = CeleryJobs(app)
        jobs.publish(new_jobs(1))
        proxy.cut()
        batch = new_jobs(2)
        try:
            jobs.publish(batch)
        except TransientError:
            jobs.publish(batch)
        jobs.close()

    assert redis.llen(QUEUE) == 3


def test_a_flushed_broker_takes_the_next_batch(jobs: CeleryJobs, redis: Redis) -> None:
    jobs.publish(new_jobs(2))
    redis.flushall()
    jobs.publish(new_jobs(3))

    assert redis.llen(QUEUE) == 3


def test_a_broker_that_is_full_did_not_take_the_jobs(jobs: CeleryJobs, redis: Redis) -> None:
    redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(TransientError):
            jobs.publish(new_jobs(1))
    finally:
        redis.config_set("maxmemory", "0")
