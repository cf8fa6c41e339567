"""One run: a load, what happens meanwhile, and what is left when all is well again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import Final

from tests.chaos import checker
from tests.chaos.checker import Violation
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.journal import Journal
from tests.chaos.nemesis import Incident, Nemesis
from tests.chaos.records import Records, load
from tests.chaos.shoppers import PATIENCE_SECONDS, Shopper
from tests.chaos.staff import StaffMember
from tests.chaos.stage import Stage, StageError, set_up

SHOPPERS: Final = 16
DRAIN_SECONDS: Final = 60
"""How long a shop may take to work off what was left, besides the time that it was hindered."""
LOG_TAIL: Final = 1_500
"""Characters of each log that are shown when something is wrong."""
FIRST_ORDER_SECONDS: Final = 60

_PAID: Final = "SELECT 1 FROM orders WHERE status = 'paid'"
# The gateway is asked about a canceled payment for hours: the run does not wait for that.
_OPEN: Final = """
SELECT (SELECT count(*) FROM jobs WHERE status = 'waiting')
     + (SELECT count(*) FROM orders WHERE status = 'pending')
     + (SELECT count(*) FROM payments WHERE check_at IS NOT NULL AND status <> 'canceled')
"""
_LATE: Final = """
SELECT json_agg(json_build_object('effect', effect, 'attempts', attempts, 'error', error,
       'in', extract(epoch FROM available_at - now())))
FROM jobs WHERE status = 'waiting'
"""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    seed: int
    seconds: float
    records: Records
    violations: list[Violation]
    incidents: list[Incident]
    drained: float
    """Seconds until the last work was done; infinity when it never was."""
    logs: dict[str, str] = field(default_factory=dict)
    """How what each process said ended."""

    @property
    def kinds(self) -> int:
        """Kinds of fault that were felt."""
        return len({incident.fault.name for incident in self.incidents if incident.felt})

    @property
    def times(self) -> int:
        """Faults that were felt."""
        return sum(1 for incident in self.incidents if incident.felt)

    def __str__(self) -> str:
        """The run in a line."""
        rules = Counter(violation.rule for violation in self.violations)
        named = {
            "lost": rules["lost"],
            "double charges": rules["double charge"],
            "oversold": rules["oversold"],
            "stuck": rules["stuck"],
        }
        ledger = "ledger exact" if not rules["ledger"] + rules["allocations"] else "LEDGER WRONG"
        others = sum(rules.values()) - sum(named.values()) - rules["ledger"] - rules["allocations"]
        drained = f"drained in {self.drained:.0f} s" if self.drained < inf else "NEVER DRAINED"
        twice = checker.duplicate_mails(self.records)
        promises = ", ".join(f"{number} {name}" for name, number in named.items())
        return (
            f"chaos seed {self.seed}: {self.seconds:g} s, {len(self.records.orders)} orders, "
            f"{self.kinds} kinds of fault ({self.times} times), {drained}, "
            f"{promises}, {ledger}, {twice} mails sent twice"
            + (f", {others} other violations" if others else "")
        )


def run(
    seed: int,
    seconds: float,
    folder: Path,
    *,
    faults: Sequence[Fault] = FAULTS,
    plant: str | None = None,
) -> Outcome:
    """Have a shop, perhaps one with a bug planted, live through it; look at what is left.

    Raises:
        ServerError: a server cannot be started; says what would help.
        StageError: the shop does not come up.
    """
    journal = Journal(folder / "journal.jsonl")
    with set_up(folder, seed, plant=plant) as stage:
        nemesis = Nemesis(stage, seed, faults)
        shoppers, stop = _shoppers(stage, seed, journal)
        try:
            _until_first_order(stage)
            begin = time.monotonic()
            nemesis.run(seconds)
            took = time.monotonic() - begin
        finally:
            stop.set()
        drained = _drain(stage, nemesis, shoppers, journal, patience=took + DRAIN_SECONDS)
        journal.close()
        records = _load(stage)
        logs = {m.name: stage.crew.log(m.name)[-LOG_TAIL:] for m in stage.crew.everyone()}
    return Outcome(
        seed=seed,
        seconds=round(took),
        records=records,
        violations=checker.check(records),
        incidents=nemesis.log,
        drained=drained,
        logs=logs,
    )


def _shoppers(stage: Stage, seed: int, journal: Journal) -> tuple[list[Thread], Event]:
    stop = Event()
    shoppers = [
        Shopper(number, seed, stage.api_ports, stage.shelf, stage.gateway.wallet, journal, stop)
        for number in range(SHOPPERS)
    ]
    staff = StaffMember(stage.shop_settings, seed, stage.shelf, journal, stop)
    work = [*(shopper.run for shopper in shoppers), staff.run]
    threads = [Thread(target=each, daemon=True) for each in work]
    for thread in threads:
        thread.start()
    return threads, stop


def _until_first_order(stage: Stage) -> None:
    if not stage.wait_until(lambda: bool(stage.ask_database(_PAID)), seconds=FIRST_ORDER_SECONDS):
        raise StageError(f"no order is ever paid:\n{stage.crew.log('worker-0')[-3000:]}")


def _drain(
    stage: Stage, nemesis: Nemesis, shoppers: list[Thread], journal: Journal, *, patience: float
) -> float:
    nemesis.heal()
    stage.make_whole()
    begin = time.monotonic()
    stage.wait_until(
        lambda: not any(thread.is_alive() for thread in shoppers), seconds=PATIENCE_SECONDS + 10
    )
    journal.write("shoppers left", after=time.monotonic() - begin)
    late = stage.ask_database(_LATE)
    done = stage.wait_until(lambda: stage.ask_database(_OPEN) == (0,), seconds=patience)
    journal.write("drained", after=time.monotonic() - begin, late=str(late))
    return time.monotonic() - begin if done else inf


def _load(stage: Stage) -> Records:
    return load(
        stage.postgres.url, stage.gateway.book, stage.journal, stage.mails, stage.shelf.units
    )
