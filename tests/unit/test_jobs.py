"""The work behind the scenes: nothing is lost, nothing is done twice, nothing blocks the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import pytest

from quickshop.adapters.memory.jobs import MemoryJobQueue, MemoryJobSignal, NoBroker
from quickshop.application.jobs import (
    MAX_ATTEMPTS,
    JobOutcome,
    RelayJobs,
    WatchQueue,
)
from quickshop.application.reactions import REACTIONS
from quickshop.domain.errors import AdapterError, TransientError
from quickshop.domain.orders import OrderStatus
from quickshop.ports.jobs import JobId
from tests.builders import NOW, new_id
from tests.scripted import World

LEASE = timedelta(seconds=60)


@pytest.fixture
def world() -> World:
    return World()


def job_ids(world: World) -> list[JobId]:
    return list(world.unit_of_work.store.state.jobs)


def test_every_effect_has_a_handler(world: World) -> None:
    handlers = world.shop.jobs.run.handlers
    assert set(handlers) == {effect for effects in REACTIONS.values() for effect in effects}


def test_a_shop_with_nothing_to_do_does_nothing(world: World) -> None:
    assert world.run() == 0


def test_a_poison_job_dies_after_five_tries_and_the_others_go_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    poison = world.order()
    with world.unit_of_work() as tx:
        # Nothing sound can lead here: promises of a pending order that were given back.
        tx.stock.release(poison.order.id, now=NOW)
    sound = world.order()
    for _ in range(MAX_ATTEMPTS + 2):
        world.run(hours=3)
    assert world.status(sound.order.id) is OrderStatus.PAID
    assert world.status(poison.order.id) is OrderStatus.PENDING
    (dead,) = world.shop.jobs.dead().items
    assert (dead.effect, dead.event, dead.attempts) == ("process_order", "OrderPlaced", 5)
    assert dead.subject == str(poison.order.id)
    assert dead.error.startswith("SourcingPlanError: ")
    assert any("failed permanently" in problem for problem in world.problems())
    (told,) = [record for record in caplog.records if "failed permanently" in record.getMessage()]
    assert vars(told).items() >= {"job_id": dead.id, "effect": dead.effect, "attempt": 5}.items()


def test_a_dead_job_gets_another_five_tries_when_it_is_replayed(world: World) -> None:
    placed = world.order()
    world.notifier.is_down = True
    world.shop.orders.cancel(placed.order.id)
    for _ in range(MAX_ATTEMPTS + 1):
        world.run(hours=3)
    (dead,) = world.shop.jobs.dead().items
    assert dead.effect == "mail_cancellation"
    assert not world.run(days=1)

    world.notifier.is_down = False
    assert world.shop.jobs.replay(dead.id)
    assert not world.shop.jobs.replay(dead.id)
    assert world.run() == 1
    assert world.mails() == ["order_canceled"]
    assert world.problems() == []


def test_a_failed_job_is_tried_again_later_and_later(world: World) -> None:
    world.order()
    world.notifier.is_down = True
    world.shop.orders.cancel(world.shop.orders.list().items[0].id)
    world.run()
    for seconds in (5, 60, 600, 7_200):
        assert world.run(seconds=seconds - 0.001) == 0
        assert world.run(seconds=0.001) == 1
    assert len(world.shop.jobs.dead().items) == 1


def test_an_outage_is_worth_a_warning_from_the_third_try_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="quickshop.jobs")
    placed = world.order()
    world.notifier.is_down = True
    world.shop.orders.cancel(placed.order.id)
    for _ in range(MAX_ATTEMPTS):
        world.run(hours=3)
    logged = [
        (record.levelname, vars(record)["attempt"])
        for record in caplog.records
        if vars(record).get("effect") == "mail_cancellation"
    ]
    tries = [("INFO", 1), ("INFO", 2), ("WARNING", 3), ("WARNING", 4), ("WARNING", 5)]
    assert logged == [*tries, ("ERROR", 5)]


def test_a_job_that_kills_every_worker_is_given_up(world: World) -> None:
    world.order()
    (job_id,) = job_ids(world)
    queue = MemoryJobQueue(world.unit_of_work.store)
    for _ in range(MAX_ATTEMPTS):
        assert queue.start(job_id, world.clock.now(), lease=LEASE)
        world.clock.advance(seconds=LEASE.total_seconds())
    assert world.shop.jobs.run(job_id) is JobOutcome.DEAD
    assert world.gateway.asked == []
    assert world.shop.jobs.dead().items[0].error == "the worker died on every attempt"


def test_a_job_done_already_is_skipped(world: World) -> None:
    world.order()
    (job_id,) = job_ids(world)
    assert world.shop.jobs.run(job_id) is JobOutcome.DONE
    assert world.shop.jobs.run(job_id) is JobOutcome.SKIPPED
    assert world.shop.jobs.run(JobId(new_id())) is JobOutcome.SKIPPED


def test_a_worker_may_do_a_few_jobs_at_a_time(world: World) -> None:
    for _ in range(3):
        world.order()
    assert world.shop.jobs.run_due(limit=2) == 2
    assert world.shop.jobs.run_due() == 4


def test_a_mail_that_was_not_taken_is_sent_once_later(world: World) -> None:
    world.order()
    world.notifier.is_down = True
    world.run()
    assert world.mails() == []
    world.notifier.is_down = False
    for _ in range(3):
        world.run(hours=3)
    assert world.mails() == ["order_confirmation"]


def test_a_mail_keeps_its_key_on_every_try(world: World) -> None:
    world.order()
    world.run()
    jobs = world.unit_of_work.store.state.jobs.values()
    (event_id,) = (job.event_id for job in jobs if job.effect == "mail_confirmation")
    assert world.notifier.sent[0].key == f"{event_id}.order_confirmation"


def test_periodic_work_is_done_once_per_interval(world: World) -> None:
    assert world.shop.jobs.periodic() == [
        "ask_again_about_payments",
        "expire_orders",
        "release_expired_holds",
        "purge_expired",
    ]
    assert world.shop.jobs.periodic() == []
    world.clock.advance(seconds=15)
    assert world.shop.jobs.periodic() == [
        "ask_again_about_payments",
        "expire_orders",
        "release_expired_holds",
    ]
    world.clock.advance(hours=1)
    assert len(world.shop.jobs.periodic()) == 4


def test_jobs_done_long_ago_are_forgotten(world: World) -> None:
    world.order()
    world.run()
    assert len(job_ids(world)) == 2
    world.run(days=6)
    assert len(job_ids(world)) == 2
    world.run(days=2)
    assert job_ids(world) == []


def test_stuck_work_is_told(world: World) -> None:
    world.order()
    world.clock.advance(minutes=4)
    assert world.problems() == []
    world.clock.advance(minutes=2)
    assert world.problems() == ["1 job waiting, 1 overdue"]


@pytest.mark.parametrize(("orders", "told"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs")])
def test_how_much_waits_is_told(world: World, orders: int, told: str) -> None:
    for _ in range(orders):
        world.order()
    assert f"{told} waiting, none overdue" in [found.detail for found in world.shop.check()]


def test_work_that_is_handed_out_and_never_done_is_stuck(world: World) -> None:
    relay = a_relay(world, Broker())
    world.order()
    for _ in range(6):
        assert relay() == 1
        world.clock.advance(seconds=61)
    assert world.problems() == ["1 job waiting, 1 overdue"]


@dataclass
class Broker:
    """Takes jobs while it is up."""

    is_down: bool = False
    backlog: int = 0
    taken: list[JobId] = field(default_factory=list)

    def publish(self, job_ids: Sequence[JobId]) -> None:
        if self.is_down:
            raise TransientError("the broker does not answer")
        self.taken.extend(job_ids)

    def waiting(self) -> int:
        if self.is_down:
            raise TransientError("the broker does not answer")
        return self.backlog


def a_relay(world: World, broker: Broker) -> RelayJobs:
    return RelayJobs(MemoryJobQueue(world.unit_of_work.store), broker, world.clock, LEASE)


def test_the_broker_is_handed_each_job_once_per_lease(world: World) -> None:
    broker = Broker()
    relay = a_relay(world, broker)
    for _ in range(2):
        world.order()
    assert (relay(), relay()) == (2, 0)
    assert broker.taken == job_ids(world)
    world.shop.jobs.run(broker.taken[0])
    world.clock.advance(seconds=61)
    relay()
    assert broker.taken.count(job_ids(world)[1]) == 2
    assert broker.taken.count(job_ids(world)[0]) == 1


def test_a_broker_whose_workers_lag_behind_is_not_handed_their_backlog_again(
    world: World,
) -> None:
    broker = Broker(backlog=1_200)
    relay = a_relay(world, broker)
    world.order()
    assert relay() == 0
    broker.backlog = 1_199
    world.order()
    assert relay() == 1
    broker.backlog = 0
    assert relay() == 1
    assert broker.taken == job_ids(world)


def test_jobs_that_the_broker_did_not_take_stay_in_the_queue(world: World) -> None:
    broker = Broker(is_down=True)
    relay = a_relay(world, broker)
    world.order()
    with pytest.raises(TransientError):
        relay()
    broker.is_down = False
    assert relay() == 1, "at once: nobody has them"


def test_without_a_broker_nothing_is_relayed_and_the_setting_is_named(world: World) -> None:
    world.order()
    with pytest.raises(AdapterError, match="QUICKSHOP_BROKER_URL"):
        world.shop.jobs.relay()
    with pytest.raises(AdapterError):
        NoBroker().publish([])


def a_watch(world: World) -> WatchQueue:
    return WatchQueue(MemoryJobSignal(), world.shop.jobs.periodic, poll_seconds=0)


def test_the_watch_works_until_it_is_told_to_stop(world: World) -> None:
    placed = world.order()
    stop = Event()

    def work() -> int:
        done = world.shop.run_jobs()
        if not done:
            stop.set()
        return done

    a_watch(world)(work, stop=stop)
    assert world.status(placed.order.id) is OrderStatus.PAID


def test_no_outage_ends_the_watch(world: World) -> None:
    stop = Event()
    outages = [TransientError("the database is away"), RuntimeError("what is this?")]

    def work() -> int:
        if outages:
            raise outages.pop()
        stop.set()
        return 0

    a_watch(world)(work, stop=stop)
    assert outages == []


def test_a_worker_that_is_told_to_stop_first_does_nothing(world: World) -> None:
    world.order()
    stop = Event()
    stop.set()
    world.shop.work(stop)
    assert world.gateway.asked == []
