"""The faults of a run: their kinds, their rates, and the actors that they spare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final
from uuid import UUID

from quickshop.domain.errors import ContentionError, TransientError
from tests.simulation.scheduler import Actor, Crashed, Scheduler

RATES: Final = {
    "crash": 0.004,
    "stall": 0.002,
    "commit_refused": 0.02,
    "commit_answer_lost": 0.02,
    "contention": 0.04,
    "gateway_unreachable": 0.1,
    "gateway_answer_lost": 0.12,
    "gateway_called_twice": 0.1,
    "gateway_slow": 0.1,
    "gateway_late": 0.1,
    "gateway_repeats_itself": 0.3,
    "declined": 0.15,
    "authorization_lapsed": 0.1,
    "refund_refused": 0.03,
    "webhook_lost": 0.2,
    "webhook_repeated": 0.2,
    "webhook_wrong": 0.15,
    "webhook_forged": 0.05,
    "broker_down": 0.05,
    "broker_loses": 0.15,
    "broker_repeats": 0.15,
    "broker_reorders": 0.3,
    "mail_refused": 0.1,
    "mail_answer_lost": 0.1,
    "mail_slow": 0.05,
}
"""The probability of each fault at each place where it can happen."""

WITHOUT_FAULTS: Final = 0.05
"""The share of runs without faults, to check promises that hold only then."""


class Faults:
    """Injects faults as the seed decides. Each run has some kinds of faults, at varying rates."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.live = False
        self.counts: Counter[str] = Counter()
        self.mailed_but_untold: set[UUID] = set()
        """Events whose mail went out in a try that was hit afterwards: it may go out again."""
        self._scheduler = scheduler
        self._draw = scheduler.random.random
        self._rates = {
            kind: rate * scheduler.random.choice((0.0, 0.0, 0.5, 1.0, 2.0))
            for kind, rate in RATES.items()
        }
        self._crash = self._rates["crash"]
        self._disturbed = self._crash + self._rates["stall"]

    def begin(self) -> None:
        """Start the faults, in most runs."""
        self.live = self._draw() >= WITHOUT_FAULTS

    def heal(self) -> None:
        """End all faults."""
        self.live = False

    def strikes(self, kind: str) -> bool:
        """Return whether this fault happens now."""
        rate = self._rates[kind]
        if not (rate and self.live) or self._draw() >= rate or self._scheduler.current.shielded:
            return False
        self.record(kind)
        return True

    def record(self, kind: str) -> None:
        """Count a fault and write it in the trace."""
        self.counts[kind] += 1
        self._scheduler.note(f"!! {kind}")
        me = self._scheduler.current
        if me.mailed:
            self.mailed_but_untold.add(me.job.event_id)

    def delay(self, kind: str, *, least: float = 20, most: float = 200) -> None:
        """Perhaps take long, so that a job's lease of a minute may expire."""
        if self.strikes(kind):
            self._scheduler.sleep(self._scheduler.random.uniform(least, most))

    def at_step(self, actor: Actor, in_transaction: Callable[[], bool]) -> None:
        """Perhaps kill the process that an actor runs in, or stop it for a while."""
        if not (self.live and actor.mortal) or actor.shielded:
            return
        draw = self._draw()
        if draw >= self._disturbed:
            return
        if draw < self._crash:
            self.record("crash")
            raise Crashed
        if not in_transaction():
            self.record("stall")
            self._scheduler.sleep(self._scheduler.random.uniform(20, 200))

    def before_commit(self) -> None:
        """Perhaps let the database refuse a commit."""
        if self.strikes("commit_refused"):
            raise TransientError("the connection broke before the commit")
        if self.strikes("contention"):
            raise ContentionError("the database chose this one to lose")

    def after_commit(self) -> None:
        """Perhaps lose the answer of a commit."""
        if self.strikes("commit_answer_lost"):
            raise TransientError("the connection broke after the commit")
