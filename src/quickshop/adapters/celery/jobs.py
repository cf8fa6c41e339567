"""Job messages through Celery, to wake workers. Importing this needs the `celery` extra.

The broker only carries hints: the queue of record is in the database, and a message that the
broker loses is sent again from there. So this module never waits long, retries or reads results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from json import dumps
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

from typing_extensions import override

from quickshop.domain.errors import MissingExtraError, TransientError
from quickshop.ports.jobs import JobId, JobPublisher

try:
    from celery import Celery
    from kombu import Connection, Producer
    from kombu.exceptions import KombuError
except ImportError as error:
    raise MissingExtraError("celery", "handing jobs to a broker") from error

RUN_JOB: Final = "quickshop.run_job"
"""The only task. Its only argument is the id of a job."""
QUEUE: Final = "quickshop"

PUBLISH_SECONDS: Final = 2
"""Time limit of the wait for the broker while publishing."""
WORKER_SECONDS: Final = 10
"""Time limit of the wait for the broker in a worker; without one it could not shut down."""
MAX_BATCH: Final = 1000

_ANY_ID: Final = "00000000-0000-0000-0000-000000000000"

_REDIS_SCHEMES: Final = frozenset({"redis", "rediss"})
# kombu keeps unacknowledged messages under these keys. They have their own names, so that no
# other application in the same Redis database restores our messages by its visibility timeout.
_REDIS_KEYS: Final = {
    f"unacked{suffix}": f"{QUEUE}.unacked{suffix}" for suffix in ("_key", "_index_key")
} | {"unacked_mutex_key": f"{QUEUE}.unacked_mutex"}


def make_celery(broker_url: str, *, visibility_timeout_seconds: int = 130) -> Celery:
    """Create the Celery app, set up so that a crash delays a task no longer than necessary.

    A task is acknowledged after it ran, and returned to the queue when its worker dies. The
    prefork pool kills a task before half of `visibility_timeout_seconds` has passed (threads
    cannot be killed), so no task is delivered again while it runs. Unacknowledged messages are
    restored within a second of that timeout.
    """
    app = Celery("quickshop", broker=broker_url)
    app.conf.update(
        task_default_queue=QUEUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_consumer="quickshop.adapters.celery.consumer:PatientConsumer",
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        task_time_limit=max(1, (visibility_timeout_seconds - 1) // 2),
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_backend=None,
        enable_utc=True,
        timezone="UTC",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(broker_url, visibility_timeout_seconds),
    )
    return app


def _transport_options(broker_url: str, visibility_timeout_seconds: int) -> dict[str, object]:
    if urlsplit(broker_url).scheme not in _REDIS_SCHEMES:
        return {"confirm_publish": True, "connect_timeout": PUBLISH_SECONDS}
    return {
        **_REDIS_KEYS,
        "visibility_timeout": visibility_timeout_seconds,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": PUBLISH_SECONDS,
        "socket_timeout": WORKER_SECONDS,
        "socket_keepalive": True,
    }


@dataclass(frozen=True, slots=True)
class _Message:
    """A task in Celery's protocol 2; the body is JSON."""

    headers: Mapping[str, object]
    body: str


def _message_for(app: Celery, job_id: str) -> _Message:
    """Build the message for a job. Job and task have the same id, so logs show one id."""
    task = app.amqp.as_task_v2(
        job_id, RUN_JOB, args=(job_id,), argsrepr=job_id, kwargsrepr="{}", ignore_result=True
    )
    return _Message(task.headers, dumps(task.body))


class CeleryJobs(JobPublisher):
    """A `JobPublisher` over one connection, which is opened on first use.

    Safe to share between threads, not across a fork.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._message = _message_for(app, _ANY_ID)
        self._lock = Lock()
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    @override
    def publish(self, job_ids: Sequence[JobId]) -> None:
        """Send one message per id. On Redis, 1,000 ids take one round trip.

        Raises:
            TransientError: the broker did not accept every message.
        """
        with self._lock, self._translated_errors():
            producer = self._open_producer()
            with producer.batch(max_size=MAX_BATCH):  # type: ignore[attr-defined]
                for job_id in job_ids:
                    self._send(producer, str(job_id))

    @override
    def waiting(self) -> int:
        """Return the number of waiting messages, in one round trip.

        Raises:
            TransientError: the broker cannot be reached.
        """
        with self._lock, self._translated_errors():
            channel: Any = self._open_producer().channel
            # Declaring an existing queue returns its length on every broker.
            declared: Any = self._app.amqp.queues[QUEUE].bind(channel).queue_declare()
            return int(declared.message_count)

    def close(self) -> None:
        """Close the connection; the next `publish` opens another."""
        with self._lock:
            self._drop()

    def _send(self, producer: Producer, job_id: str) -> None:
        # The common part of all messages is built once: it is most of the cost of a message.
        message = self._message
        producer.publish(
            message.body.replace(_ANY_ID, job_id),
            routing_key=QUEUE,
            content_type="application/json",
            content_encoding="utf-8",
            headers={**message.headers, "id": job_id, "root_id": job_id, "argsrepr": job_id},
            correlation_id=job_id,
            reply_to="",
        )

    def _open_producer(self) -> Producer:
        if self._producer is None:
            self._connection = self._app.connection_for_write(
                transport_options={"socket_timeout": PUBLISH_SECONDS}
            )
            self._connection.ensure_connection(
                max_retries=1, interval_start=0, interval_max=0, timeout=PUBLISH_SECONDS
            )
            channel = self._connection.channel()
            # The queue may not exist yet on a broker that no worker has used.
            self._app.amqp.queues[QUEUE].bind(channel).declare()
            self._producer = Producer(channel, serializer="json", auto_declare=False)
        return self._producer

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except self._broker_errors() as error:
            self._drop()
            raise TransientError(f"the broker did not take the jobs: {error}") from error

    def _broker_errors(self) -> tuple[type[BaseException], ...]:
        connection = self._connection
        if connection is None:
            return (KombuError, OSError)
        return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)

    def _drop(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with suppress(Exception):
                connection.release()
