"""The contract of job queues and schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

import pytest

from quickshop.application.reactions import REACTIONS
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.events import DomainEvent
from quickshop.domain.orders import (
    Order,
    OrderCanceled,
    OrderId,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentRetried,
    OrderPlaced,
)
from quickshop.domain.payments import PaymentCheckDue, PaymentId
from quickshop.ports.jobs import Job, JobId, JobView, QueueSize
from tests.builders import (
    AWKWARD,
    NOW,
    canceled,
    declined,
    new_id,
    paid,
    paid_too_late,
    retried,
    store_order,
    store_payment,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.orders import placed

LEASE = timedelta(seconds=60)
A_MOMENT = timedelta(microseconds=1)
PATIENCE = timedelta(minutes=5)


def claim(backend: Backend, *, after: timedelta = timedelta(), limit: int = 100) -> list[JobId]:
    return list(backend.job_queue.claim(NOW + after, limit=limit, lease=LEASE))


def start(backend: Backend, job_id: JobId, *, after: timedelta = timedelta()) -> Job:
    job = backend.job_queue.start(job_id, NOW + after, lease=LEASE)
    assert job is not None
    return job


def is_over(backend: Backend, job_id: JobId) -> bool:
    return cannot_be_started(backend, job_id, after=timedelta(days=1))


def cannot_be_started(backend: Backend, job_id: JobId, *, after: timedelta) -> bool:
    return backend.job_queue.start(job_id, NOW + after, lease=LEASE) is None


def a_job(backend: Backend) -> JobId:
    """Place an order; return its job, which is the only job that is due, and is not claimed."""
    store_order(backend.unit_of_work)
    waiting = claim(backend)
    for job_id in waiting:
        backend.job_queue.fail(job_id, "", attempt=0, retry_at=NOW)
    return waiting[-1]


def a_dead_job(backend: Backend) -> JobId:
    job_id = a_job(backend)
    start(backend, job_id)
    backend.job_queue.fail(job_id, f"ValueError: {AWKWARD}", attempt=1, retry_at=None)
    return job_id


class JobQueueContract:
    @pytest.mark.parametrize(
        ("after", "kinds"),
        [
            (placed, [OrderPlaced]),
            (paid, [OrderPlaced, OrderPaid]),
            (declined, [OrderPlaced, OrderPaymentFailed]),
            (retried, [OrderPlaced, OrderPaymentFailed, OrderPaymentRetried]),
            (canceled, [OrderPlaced, OrderCanceled]),
            (paid_too_late, [OrderPlaced, OrderCanceled]),
        ],
    )
    def test_an_event_and_an_effect_make_one_job(
        self,
        backend: Backend,
        after: Callable[[Order], object],
        kinds: list[type[DomainEvent]],
    ) -> None:
        store_order(backend.unit_of_work, after=after)
        jobs = [start(backend, job_id) for job_id in claim(backend)]
        expected = [(kind, effect) for kind in kinds for effect in REACTIONS[kind]]
        assert [(type(job.event), job.effect) for job in jobs] == expected
        assert len({job.event_id for job in jobs}) == len(kinds)
        assert len({(job.event_id, job.effect) for job in jobs}) == len(jobs)

    def test_a_job_carries_its_event(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work, after=retried)
        payment = store_payment(
            backend.unit_of_work, order, after=lambda p: p.ask_again(now=NOW, patience=LEASE)
        )
        events = [start(backend, job_id).event for job_id in claim(backend)]
        check = PaymentCheckDue(
            order_id=OrderId(order.id), payment_id=PaymentId(payment.id), occurred_at=NOW
        )
        assert events == [
            OrderPlaced(order_id=order.id, occurred_at=NOW),
            OrderPaymentFailed(
                order_id=order.id, reason=f"card_declined {AWKWARD}", occurred_at=NOW
            ),
            OrderPaymentRetried(order_id=order.id, attempt=2, occurred_at=NOW),
            check,
            check,
        ]

    def test_events_that_nothing_reacts_to_make_no_job(self, backend: Backend) -> None:
        store_product(backend.unit_of_work)
        assert claim(backend) == []
        assert backend.job_queue.size(NOW, patience=PATIENCE) == QueueSize(0, 0, 0)

    def test_jobs_fall_with_their_transaction(self, backend: Backend) -> None:
        with pytest.raises(ZeroDivisionError):
            store_order_and_fail(backend)
        assert len(claim(backend)) == 1

    def test_a_job_is_due_from_the_moment_of_its_event(self, backend: Backend) -> None:
        store_order(backend.unit_of_work)
        assert claim(backend, after=-A_MOMENT) == []
        assert len(claim(backend)) == 1

    def test_jobs_are_handed_out_oldest_first(self, backend: Backend) -> None:
        orders = [store_order(backend.unit_of_work) for _ in range(5)]
        job_ids = claim(backend, limit=2) + claim(backend, limit=2) + claim(backend, limit=2)
        events = [start(backend, job_id).event for job_id in job_ids]
        assert events == [OrderPlaced(order_id=order.id, occurred_at=NOW) for order in orders]

    def test_a_claimed_job_is_nobody_elses_before_the_lease_has_passed(
        self, backend: Backend
    ) -> None:
        store_order(backend.unit_of_work)
        claimed = claim(backend)
        assert claim(backend) == []
        assert claim(backend, after=LEASE - A_MOMENT) == []
        assert claim(backend, after=LEASE) == claimed

    def test_those_who_claim_at_once_get_different_jobs(self, backend: Backend) -> None:
        for _ in range(12):
            store_order(backend.unit_of_work)
        claimed: list[JobId] = []

        def work() -> None:
            while job_ids := claim(backend, limit=1):
                claimed.extend(job_ids)

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert (len(claimed), len(set(claimed))) == (12, 12)

    def test_a_job_given_back_is_handed_out_again_at_once(self, backend: Backend) -> None:
        store_order(backend.unit_of_work)
        (job_id,) = claim(backend)
        backend.job_queue.unclaim([job_id], NOW)
        assert claim(backend) == [job_id]
        start(backend, job_id)
        backend.job_queue.unclaim([job_id], NOW)
        assert claim(backend) == [], "someone works on it"

    def test_starting_counts_and_renews_the_lease(self, backend: Backend) -> None:
        job_id = a_job(backend)
        assert start(backend, job_id, after=LEASE / 2).attempts == 1
        assert claim(backend, after=LEASE) == []
        assert claim(backend, after=LEASE * 1.5) == [job_id]
        assert start(backend, job_id, after=LEASE * 1.5).attempts == 2

    def test_a_job_that_someone_works_on_cannot_be_started(self, backend: Backend) -> None:
        job_id = a_job(backend)
        start(backend, job_id)
        assert cannot_be_started(backend, job_id, after=LEASE - A_MOMENT)
        assert start(backend, job_id, after=LEASE).attempts == 2

    def test_a_job_that_waits_for_its_next_try_cannot_be_started(self, backend: Backend) -> None:
        job_id = a_job(backend)
        start(backend, job_id)
        backend.job_queue.fail(job_id, "try again", attempt=1, retry_at=NOW + timedelta(seconds=5))
        assert cannot_be_started(backend, job_id, after=timedelta(seconds=5) - A_MOMENT)
        assert start(backend, job_id, after=timedelta(seconds=5)).attempts == 2

    def test_a_done_job_is_never_handed_out_again(self, backend: Backend) -> None:
        job_id = a_job(backend)
        start(backend, job_id)
        backend.job_queue.finish(job_id, NOW)
        assert is_over(backend, job_id)
        assert claim(backend, after=timedelta(days=1)) == []

    def test_a_job_that_one_worker_finished_does_not_fail_with_another(
        self, backend: Backend
    ) -> None:
        job_id = a_job(backend)
        start(backend, job_id)
        backend.job_queue.finish(job_id, NOW)
        backend.job_queue.fail(job_id, "too late", attempt=1, retry_at=NOW)
        backend.job_queue.fail(job_id, "too late", attempt=1, retry_at=None)
        assert is_over(backend, job_id)
        assert claim(backend, after=timedelta(days=1)) == []
        assert not backend.job_queue.dead(limit=9).items

    @pytest.mark.parametrize("retry_at", [None, NOW])
    def test_a_stale_workers_failure_changes_nothing_once_another_has_begun(
        self, backend: Backend, retry_at: datetime | None
    ) -> None:
        job_id = a_job(backend)
        stale = start(backend, job_id)
        fresh = start(backend, job_id, after=LEASE)
        backend.job_queue.fail(job_id, "stale", attempt=stale.attempts, retry_at=retry_at)
        assert not backend.job_queue.dead(limit=9).items
        assert cannot_be_started(backend, job_id, after=LEASE * 2 - A_MOMENT)
        backend.job_queue.fail(job_id, "mine", attempt=fresh.attempts, retry_at=None)
        assert [job.error for job in backend.job_queue.dead(limit=9).items] == ["mine"]

    def test_a_stale_workers_failure_does_not_touch_a_replayed_job(self, backend: Backend) -> None:
        job_id = a_dead_job(backend)
        backend.job_queue.replay(job_id, NOW)
        backend.job_queue.fail(job_id, "stale", attempt=1, retry_at=None)
        assert not backend.job_queue.dead(limit=9).items

    def test_a_failed_job_is_due_again_when_it_was_said_to_be(self, backend: Backend) -> None:
        job_id = a_job(backend)
        start(backend, job_id)
        backend.job_queue.fail(job_id, AWKWARD, attempt=1, retry_at=NOW + timedelta(seconds=5))
        assert claim(backend, after=timedelta(seconds=5) - A_MOMENT) == []
        assert claim(backend, after=timedelta(seconds=5)) == [job_id]
        assert start(backend, job_id, after=timedelta(seconds=5)).attempts == 2

    def test_a_job_given_up_is_listed_and_not_handed_out(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work)
        (job_id,) = claim(backend)
        start(backend, job_id)
        backend.job_queue.fail(job_id, f"ValueError: {AWKWARD}", attempt=1, retry_at=None)
        assert list(backend.job_queue.dead(limit=9).items) == [
            JobView(
                id=job_id,
                effect="process_order",
                event="OrderPlaced",
                subject=str(order.id),
                attempts=1,
                error=f"ValueError: {AWKWARD}",
                occurred_at=NOW,
            )
        ]
        assert is_over(backend, job_id)
        assert claim(backend, after=timedelta(days=1)) == []

    def test_dead_jobs_are_listed_oldest_first(self, backend: Backend) -> None:
        job_ids = [a_dead_job(backend) for _ in range(3)]
        assert [job.id for job in backend.job_queue.dead(limit=2).items] == job_ids[:2]
        assert [job.id for job in backend.job_queue.dead(limit=3).items] == job_ids

    def test_paging_shows_every_dead_job_once(self, backend: Backend) -> None:
        job_ids = [a_dead_job(backend) for _ in range(3)]
        first = backend.job_queue.dead(limit=2)
        rest = backend.job_queue.dead(limit=2, cursor=first.next_cursor)
        assert [job.id for job in (*first.items, *rest.items)] == job_ids
        assert rest.next_cursor is None
        with pytest.raises(InvalidValueError):
            backend.job_queue.dead(limit=2, cursor="nonsense")

    def test_a_replayed_job_is_due_with_its_attempts_forgotten(self, backend: Backend) -> None:
        job_id = a_dead_job(backend)
        now = NOW + timedelta(hours=1)
        assert backend.job_queue.replay(job_id, now)
        assert not backend.job_queue.dead(limit=9).items
        assert claim(backend, after=timedelta(hours=1) - A_MOMENT) == []
        assert claim(backend, after=timedelta(hours=1)) == [job_id]
        assert start(backend, job_id).attempts == 1

    def test_only_dead_jobs_are_replayed(self, backend: Backend) -> None:
        waiting, dead, done = a_job(backend), a_dead_job(backend), a_job(backend)
        start(backend, done)
        backend.job_queue.finish(done, NOW)
        assert not backend.job_queue.replay(waiting, NOW)
        assert not backend.job_queue.replay(done, NOW)
        assert not backend.job_queue.replay(JobId(new_id()), NOW)
        assert backend.job_queue.replay(dead, NOW)
        assert not backend.job_queue.replay(dead, NOW)

    def test_a_job_that_does_not_exist_cannot_be_started(self, backend: Backend) -> None:
        assert is_over(backend, JobId(new_id()))

    def test_the_queue_is_counted(self, backend: Backend) -> None:
        a_dead_job(backend)
        done = a_job(backend)
        backend.job_queue.finish(done, NOW)
        a_job(backend)
        later = a_job(backend)
        backend.job_queue.fail(later, "", attempt=0, retry_at=NOW + timedelta(hours=1))
        size = backend.job_queue.size
        assert size(NOW, patience=PATIENCE) == QueueSize(waiting=2, overdue=0, dead=1)
        assert size(NOW + PATIENCE + A_MOMENT, patience=PATIENCE).overdue == 1
        assert size(NOW + timedelta(hours=2), patience=PATIENCE).overdue == 2

    def test_jobs_done_long_ago_are_forgotten(self, backend: Backend) -> None:
        old, recent, dead = a_job(backend), a_job(backend), a_dead_job(backend)
        backend.job_queue.finish(old, NOW)
        backend.job_queue.finish(recent, NOW + timedelta(days=2))
        a_job(backend)
        assert backend.job_queue.purge_done(NOW + timedelta(days=1)) == 1
        assert backend.job_queue.purge_done(NOW + timedelta(days=1)) == 0
        assert [job.id for job in backend.job_queue.dead(limit=9).items] == [dead]
        assert backend.job_queue.size(NOW, patience=PATIENCE).waiting == 1


def store_order_and_fail(backend: Backend) -> None:
    order = store_order(backend.unit_of_work)
    with backend.unit_of_work() as tx:
        again = tx.orders.get(order.id)
        again.mark_paid(now=NOW)
        tx.orders.save(again)
        raise ZeroDivisionError


class ScheduleContract:
    def test_periodic_work_is_claimed_once_per_interval(self, backend: Backend) -> None:
        interval = timedelta(seconds=15)

        def claimed(after: timedelta) -> bool:
            return backend.schedules.claim("sweep", NOW + after, interval=interval)

        assert claimed(timedelta())
        assert not claimed(timedelta())
        assert not claimed(interval - A_MOMENT)
        assert claimed(interval)
        assert not claimed(interval * 1.5)
        assert claimed(interval * 10)

    def test_each_task_has_its_own_time(self, backend: Backend) -> None:
        assert backend.schedules.claim("sweep", NOW, interval=LEASE)
        assert backend.schedules.claim("clean up", NOW, interval=LEASE)

    @pytest.mark.parametrize("interval_number", [0, 1])
    def test_one_of_those_who_ask_at_once_does_the_work(
        self, backend: Backend, interval_number: int
    ) -> None:
        if interval_number:
            backend.schedules.claim("sweep", NOW, interval=LEASE)
        now = NOW + LEASE * interval_number
        answers: list[bool] = []

        def ask() -> None:
            answers.append(backend.schedules.claim("sweep", now, interval=LEASE))

        threads = [Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(answers) == [False] * 5 + [True]
