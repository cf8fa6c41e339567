"""Two shops on one PostgreSQL database: a story in one stops at a point, and a rival comes in.

A point lies before each statement that a story sends, each COMMIT, and each call of the gateway
or the mail server; as nothing happens between two of them, it also lies after the one before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Final

import psycopg
from dependency_injector import providers
from sqlalchemy import Connection, Engine, event, make_url

from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.container import Container, build_container
from quickshop.domain.errors import QuickShopError
from quickshop.shop import Shop
from tests.builders import MovableClock
from tests.integration.buyers import problems, settings_for, until
from tests.scripted import ScriptedGateway

Story = Callable[[Shop], object]
"""What somebody does in a shop; gives what to call its outcome."""

LONGEST_SECONDS: Final = 30
_SUBJECT: Final = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM|FROM) (\w+)")
_BLOCKED: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE pid = ANY(%s) AND wait_event_type = 'Lock' AND pg_blocking_pids(pid) && %s::int[]
"""
_OTHERS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


class Points:
    """What a story does to the world outside it, in order. It can be stopped before any of it."""

    def __init__(self) -> None:
        self._passed: list[str] | None = None
        self._stop_at = -1
        self._meanwhile: Callable[[], None] = list

    def reach(self, name: str) -> None:
        """Come to a point; the story goes on when this returns."""
        if self._passed is None:
            return
        self._passed.append(name)
        if len(self._passed) == self._stop_at + 1:
            self._meanwhile()

    @contextmanager
    def counted(self, stop_at: int, meanwhile: Callable[[], None]) -> Iterator[list[str]]:
        """Collect the points of a story, and stop before one of them; -1 is none."""
        passed: list[str] = []
        self._passed, self._stop_at, self._meanwhile = passed, stop_at, meanwhile
        try:
            yield passed
        finally:
            self._passed = None

    def follow(self, engine: Engine) -> None:
        """Let every statement and COMMIT of an engine be a point."""
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", lambda _connection: self.reach("COMMIT"))

    def _statement(
        self, connection: Connection, _cursor: object, statement: str, *_more: object
    ) -> None:
        if self._passed is not None:
            _send_what_is_in_the_pipeline(connection)
        found = _SUBJECT.search(statement)
        self.reach(" ".join([statement.split(maxsplit=1)[0], found[1] if found else ""]).strip())


def _send_what_is_in_the_pipeline(connection: Connection) -> None:
    """Have the server do it: it takes statements one by one, and others come between them."""
    driver: Any = connection.connection.driver_connection
    if driver.pgconn.pipeline_status:
        with driver.pipeline():
            pass  # leaving it synchronizes the pipeline around it


class Watched:
    """A port that is only called outside transactions; before and after its effect is a point."""

    def __init__(self, port: object, points: Points, engine: Engine) -> None:
        self._port = port
        self._points = points
        self._engine = engine

    def __getattr__(self, name: str) -> Callable[..., Any]:
        work = getattr(self._port, name)

        def call(*arguments: Any, **more: Any) -> Any:
            assert self._engine.pool.checkedout() == 0, f"{name} was called in a transaction"  # type: ignore[attr-defined]
            self._points.reach(f"{name}, asked")
            try:
                return work(*arguments, **more)
            finally:
                self._points.reach(f"{name}, answered")

        return call


@dataclass(frozen=True, slots=True)
class Meeting:
    """How a story and its rival came out, and the points that the story passed."""

    outcomes: tuple[str, str]
    points: list[str]
    rival_waited: bool
    """Whether it could not end before the story went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoShops:
    """Two shops on one database, with one gateway, one mailbox and one clock."""

    stepped: Shop
    """Stories in this one can be stopped."""
    free: Shop
    points: Points
    gateway: ScriptedGateway
    notifier: MemoryNotifier
    clock: MovableClock
    sessions: tuple[list[int], list[int]]
    """Process ids of their PostgreSQL sessions."""
    url: str
    watch: psycopg.Connection[tuple[int]]
    threads: ThreadPoolExecutor
    serial: Iterator[int] = field(default_factory=count)
    known_problems: set[str] = field(default_factory=set)
    """Left by cases that failed before: they are not the next one's fault."""

    def meet(self, story: Story, rival: Story, *, stop_at: int = -1) -> Meeting:
        """Run a story up to a point, then its rival, then the rest; -1: one after the other.

        A rival that waits for a lock of the story ends after it.
        """
        coming: list[Future[str]] = []
        waited = False

        def let_in() -> None:
            nonlocal waited
            coming.append(self.threads.submit(outcome, rival, self.free))
            mine, theirs = self.sessions
            waited = self._comes_to_wait(coming[0], theirs, behind=mine)

        with self.points.counted(stop_at, let_in) as points:
            first = outcome(story, self.stepped)
        if not coming:
            let_in()
        return Meeting((first, coming[0].result(LONGEST_SECONDS)), points, waited)

    def queue_behind(self, statement: str, *stories: Story) -> list[str]:
        """Run stories while a third locks what a statement names, which lets go once they wait."""
        shops, coming = (self.stepped, self.free), list[Future[str]]()
        with psycopg.connect(self.url) as third:
            third.execute(statement)
            in_front = [third.info.backend_pid]
            for story, shop, pids in zip(stories, shops, self.sessions, strict=True):
                coming.append(self.threads.submit(outcome, story, shop))
                assert self._comes_to_wait(coming[-1], pids, behind=in_front), "it did not wait"
                in_front += pids
        return [story.result(LONGEST_SECONDS) for story in coming]

    def _comes_to_wait(
        self, story: Future[str], sessions: list[int], *, behind: list[int]
    ) -> bool:
        """Wait until a story waits for a lock of the others; False if it ends instead."""
        deadline = monotonic() + LONGEST_SECONDS
        while not wait([story], timeout=0.001).done:
            if _count(self.watch, _BLOCKED, sessions, behind):
                return True
            assert monotonic() < deadline, "the story neither ends nor waits for the other"
        return False

    def settle(self) -> None:
        """Let time pass and everything that is due be done."""
        for _ in range(3):
            self.clock.advance(minutes=2)
            self.free.jobs.periodic()
            self.free.run_jobs()

    def require_no_new_problem(self) -> None:
        """The shop's own check finds nothing that was not there before."""
        new = set(problems(self.free)) - self.known_problems
        self.known_problems.update(new)
        assert not new


def outcome(story: Story, shop: Shop) -> str:
    """What a story came to; the code of its error if it was refused."""
    try:
        return str(story(shop))
    except QuickShopError as error:
        return error.code


@contextmanager
def open_two_shops(url: str, folder: Path, **more: object) -> Iterator[TwoShops]:
    """Open both on a migrated database."""
    points, clock, notifier = Points(), MovableClock(), MemoryNotifier()
    gateway = ScriptedGateway(lambda: False)  # each shop watches its own transactions
    with ExitStack() as stack:
        opened: list[Shop] = []
        sessions: tuple[list[int], list[int]] = ([], [])
        for steps, pids in zip((points, Points()), sessions, strict=True):
            container = build_container(settings_for(url, folder, **more))
            stack.callback(container.shutdown_resources)
            container.clock.override(providers.Object(clock))
            _watch(container, steps, pids, gateway, notifier)
            opened.append(container.shop())
        yield TwoShops(
            stepped=opened[0],
            free=opened[1],
            points=points,
            gateway=gateway,
            notifier=notifier,
            clock=clock,
            sessions=sessions,
            url=_plain(url),
            watch=stack.enter_context(psycopg.connect(_plain(url), autocommit=True)),
            threads=stack.enter_context(ThreadPoolExecutor(2)),
        )


def _watch(
    container: Container,
    points: Points,
    pids: list[int],
    gateway: ScriptedGateway,
    notifier: MemoryNotifier,
) -> None:
    engine = container.engine()
    engine.dispose()  # so that every session is seen to open
    points.follow(engine)
    event.listen(
        engine, "connect", lambda connection, _entry: pids.append(connection.info.backend_pid)
    )
    container.payment_gateway.override(providers.Object(Watched(gateway, points, engine)))
    container.notifier.override(providers.Object(Watched(notifier, points, engine)))


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def deadlocks(url: str) -> int:
    """How many there were in a database that everybody else has left."""
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        until(lambda: _count(connection, _OTHERS) == 0, what="the sessions to tell what they saw")
        return _count(connection, _DEADLOCKS)


def _count(connection: psycopg.Connection[tuple[int]], statement: str, *values: object) -> int:
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return row[0]
