"""The choice of the next actor at each port call: a seed decides, on a manual clock.

Every actor is a greenlet. One runs at a time, until its next port call; then the seed picks who
goes on. So a run is a list of numbered steps, and the same seed gives the same list.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final

import greenlet

from tests.simulation.violations import Kind, Violation

START: Final = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
MAX_STEPS: Final = 20_000
"""The step limit of a run: more steps mean an endless loop."""


class Crashed(BaseException):
    """The process of an actor was killed, so no code runs that could record what happened."""


class Actor:
    """An actor that calls the shop or works for it."""

    __slots__ = ("alarm", "greenlet", "job", "mailed", "mortal", "name", "shielded")

    def __init__(self, name: str) -> None:
        self.name = name
        self.greenlet: Any = None
        self.alarm = 0
        """Number of the timer that wakes it; others that name it are out of date."""
        self.mortal = False
        """Whether a crash may hit it now."""
        self.shielded = False
        """Whether faults are over for it, so that tries that are counted come to an end."""
        self.job: Any = None
        """The job that it is running."""
        self.mailed = False
        """Whether a mail went out that it has yet to write down."""


class Scheduler:
    """Actors that take turns."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = START
        self.trace: list[tuple[str, str]] = []
        """The trace: the steps of all actors, in order."""
        self.taking_turns = True
        """If false, the running actor continues, and time passes while it sleeps."""
        self.disturb: Callable[[Actor], None] = lambda _actor: None
        """Called at every step with the one whose step it is."""
        self.stickiness = self.random.choice((0.0, 0.3, 0.6, 0.9))
        """The probability that the same actor continues."""
        self.haste = self.random.choice((0.0, 0.002, 0.02))
        """The probability that time passes although an actor could continue, to make it slow."""
        self.current = Actor("main")
        self._draw = self.random.random
        self._ready: list[Actor] = []
        self._idle: list[Actor] = []
        self._queuing: list[Actor] = []
        self._timers: list[tuple[datetime, int, Actor]] = []
        self._alarms = count(1)
        self._alive: list[Actor] = []
        self._hub = greenlet.getcurrent()

    def spawn(self, name: str, work: Callable[[], object]) -> Actor:
        """Start an actor, which takes part until `work` ends."""
        actor = Actor(name)

        def run() -> None:
            try:
                work()
            finally:
                self._ready.remove(actor)
                self._alive.remove(actor)

        actor.greenlet = greenlet.greenlet(run, self._hub)
        self._alive.append(actor)
        self._ready.append(actor)
        return actor

    def run(self) -> None:
        """Let them take turns until all have ended."""
        try:
            while self._alive:
                self.current = self._pick()
                self.current.greenlet.switch()
        finally:
            self.taking_turns = False
            while self._alive:
                actor = self._alive[-1]
                if actor not in self._ready:
                    self._ready.append(actor)
                actor.greenlet.throw(greenlet.GreenletExit)
                if actor in self._alive:  # it had not begun
                    self._alive.remove(actor)
            self.current = Actor("main")

    def step(self, what: str) -> None:
        """Say what is about to happen, and let the seed decide who goes on before it does."""
        if self.taking_turns:
            draw = self._draw
            if draw() >= self.stickiness:
                if draw() < self.haste:
                    self._pass_time()
                self._hand_over(self._ready[int(draw() * len(self._ready))])
            me = self.current
            self.trace.append((me.name, what))
            if len(self.trace) > MAX_STEPS:
                raise Violation(Kind.SCHEDULE, f"{MAX_STEPS} steps, and no end")
            self.disturb(me)
        else:
            self.trace.append((self.current.name, what))

    def note(self, what: str) -> None:
        """Add an event of the running actor to the trace."""
        self.trace.append((self.current.name, what))

    def sleep(self, seconds: float) -> None:
        """Continue after this time."""
        if self.taking_turns:
            self._set_alarm(self.now + timedelta(seconds=seconds))
            self._leave()
        else:
            self.now += timedelta(seconds=seconds)

    def idle(self, until: datetime | None) -> None:
        """Continue at `until`, or when another actor calls `wake_idle`."""
        if until is not None:
            self._set_alarm(until)
        self._idle.append(self.current)
        self._leave()

    def wake_idle(self) -> None:
        """Wake the idle actors."""
        idle, self._idle = self._idle, []
        for actor in idle:
            if actor not in self._ready:
                actor.alarm = 0
                self._ready.append(actor)

    def queue_up(self) -> None:
        """Continue after another actor calls `next_in_queue`."""
        self._queuing.append(self.current)
        self._leave()

    def next_in_queue(self) -> None:
        """Let the next actors in the queue try."""
        if self._queuing:
            self._ready += self._queuing
            self._queuing.clear()

    def _set_alarm(self, when: datetime) -> None:
        me = self.current
        me.alarm = next(self._alarms)
        heappush(self._timers, (when, me.alarm, me))

    def _leave(self) -> None:
        self._ready.remove(self.current)
        self._hand_over(self._pick())

    def _hand_over(self, actor: Actor) -> None:
        me = self.current
        if actor is not me:
            self.current = actor
            actor.greenlet.switch()

    def _pick(self) -> Actor:
        while not self._ready:
            if not self._pass_time():
                raise Violation(Kind.SCHEDULE, "all actors wait for each other")
        return self._ready[int(self._draw() * len(self._ready))]

    def _pass_time(self) -> bool:
        while self._timers:
            when, alarm, actor = heappop(self._timers)
            if actor.alarm == alarm:
                self.now = max(self.now, when)
                actor.alarm = 0
                if actor in self._idle:
                    self._idle.remove(actor)
                self._ready.append(actor)
                return True
        return False
