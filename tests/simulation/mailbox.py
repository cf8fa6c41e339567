"""The mailbox of the shoppers."""

from __future__ import annotations

from collections import Counter

from quickshop.domain.errors import TransientError
from quickshop.ports.notifications import OrderMessage
from tests.simulation.faults import Faults
from tests.simulation.ports import SteppedStore
from tests.simulation.scheduler import Scheduler
from tests.simulation.violations import Kind, Violation


class Mailbox:
    """Accepts emails, refuses them, or accepts them without an answer."""

    def __init__(self, scheduler: Scheduler, faults: Faults, store: SteppedStore) -> None:
        self.counts: Counter[str] = Counter()
        """How often each message arrived, by its key."""
        self._scheduler = scheduler
        self._faults = faults
        self._store = store

    def send(self, message: OrderMessage) -> None:
        """As `Notifier.send`.

        Raises:
            TransientError: it was not taken, or its fate is unknown.
        """
        if self._store.is_open:
            raise Violation(Kind.CALLED_IN_TRANSACTION, f"mail.send {message.key}")
        self._scheduler.step(f"mail.send {message.kind} {message.key}")
        if self._faults.strikes("mail_refused"):
            raise TransientError("the mail server refuses")
        self._faults.delay("mail_slow")
        self.counts[message.key] += 1
        self._scheduler.current.mailed = True
        if self._faults.strikes("mail_answer_lost"):
            raise TransientError("the mail server gave no answer")
        self._scheduler.step("mail taken")
