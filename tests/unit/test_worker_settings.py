"""What keeps a task from being lost, or run by two, is set in every Celery worker."""

from __future__ import annotations

import pytest

from quickshop.adapters.celery.jobs import RUN_JOB
from quickshop.entrypoints.worker.app import build_worker_app
from quickshop.settings import Settings

BROKER = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("task_acks_late", True),  # a worker that is killed has acknowledged nothing
        ("task_reject_on_worker_lost", True),  # nor has one whose child is killed
        ("worker_prefetch_multiplier", 1),  # nobody hoards what others could do
        ("task_serializer", "json"),
        ("accept_content", ["json"]),  # nothing that runs code when it is read
        ("result_backend", None),  # the queue of record knows what became of a job
        ("task_ignore_result", True),
    ],
)
def test_a_worker_is_set_up_to_lose_nothing(setting: str, value: object) -> None:
    with build_worker_app(Settings.load(broker_url=BROKER)) as app:
        assert app.conf[setting] == value
        task = app.tasks[RUN_JOB]
        assert (task.acks_late, task.reject_on_worker_lost) == (True, True)


@pytest.mark.parametrize("setting", ["unacked_restore_interval", "unacked_restore_throttle"])
def test_what_a_dead_worker_held_is_looked_for_every_second(setting: str) -> None:
    with build_worker_app(Settings.load(broker_url=BROKER)) as app:
        assert app.conf.broker_transport_options[setting] == 1


@pytest.mark.parametrize("lease_seconds", [1, 3, 7.5, 60, 600])
def test_a_task_is_killed_before_half_of_its_visibility_timeout(lease_seconds: float) -> None:
    settings = Settings.load(broker_url=BROKER, job_lease_seconds=lease_seconds)
    with build_worker_app(settings) as app:
        visibility = app.conf.broker_transport_options["visibility_timeout"]
        assert lease_seconds <= app.conf.task_time_limit < visibility / 2
