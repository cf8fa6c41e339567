"""Notifications of new jobs from PostgreSQL. Importing this needs the `postgres` extra."""

from __future__ import annotations

import selectors
import socket
from contextlib import closing
from threading import Condition, Lock, Thread, local
from time import monotonic
from typing import Final

from typing_extensions import override

from quickshop.domain.errors import MissingExtraError
from quickshop.ports.jobs import JobSignal

try:
    import psycopg
except ImportError as error:
    raise MissingExtraError("postgres", "a PostgreSQL database") from error

CHANNEL: Final = "quickshop_jobs"
"""The channel on which the database sends a notification for new jobs."""
RECONNECT_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 5
KEEPALIVE_SECONDS: Final = 10
"""The keepalive interval. A lost connection is noticed after about three intervals."""


class PostgresJobSignal(JobSignal):
    """A `JobSignal` that wakes when another process writes jobs.

    From the first `wait` on, it uses one connection and one thread of its own; any number of
    threads may wait. While the database is not available, `wait` returns after its timeout, and
    the listener reconnects by itself. Close it after use.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._changed = Condition(Lock())
        self._count = 0
        self._seen = local()
        self._closed = False
        self._thread: Thread | None = None
        self._alarm, self._bell = socket.socketpair()

    @override
    def wait(self, timeout_seconds: float) -> None:
        """Wait for new jobs. This raises no errors."""
        deadline = monotonic() + timeout_seconds
        with self._changed:
            self._listen()
            seen = getattr(self._seen, "count", 0)
            while self._count == seen and not self._closed:
                if not self._changed.wait(deadline - monotonic()):
                    break
            self._seen.count = self._count

    @override
    def wake(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Close the connection and end all waits."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        self._bell.close()
        if thread is not None:
            thread.join(CONNECT_SECONDS + RECONNECT_SECONDS)
        else:
            self._alarm.close()

    def _listen(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = Thread(target=self._run, name="quickshop-listener", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        with self._alarm, selectors.DefaultSelector() as selector:
            selector.register(self._alarm, selectors.EVENT_READ)
            while not self._closed:
                try:
                    self._follow(selector)
                except (psycopg.Error, OSError):
                    # The error is ignored: waits still end by their timeout.
                    selector.select(RECONNECT_SECONDS)

    def _follow(self, selector: selectors.BaseSelector) -> None:
        with closing(self._connect()) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self.wake()  # for jobs written while the listener was not connected
            handle = connection.fileno()  # a broken connection has no file number
            selector.register(handle, selectors.EVENT_READ)
            try:
                while not self._closed:
                    selector.select()
                    for _notice in connection.notifies(timeout=0):
                        self.wake()
            finally:
                selector.unregister(handle)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            keepalives_idle=KEEPALIVE_SECONDS,
            keepalives_interval=KEEPALIVE_SECONDS,
            keepalives_count=2,
            fallback_application_name="quickshop-listener",
        )
