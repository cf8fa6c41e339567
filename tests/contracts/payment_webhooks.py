"""The contract of repositories of webhook messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from quickshop.application.shopper import digest
from quickshop.ports.payment_webhooks import REJECTED, Verdict, WebhookRecord
from tests.builders import AWKWARD, NOW
from tests.contracts.backend import Backend


def a_record(event_id: str = "evt_1", **more: Any) -> WebhookRecord:
    given: dict[str, Any] = {
        "provider": "stripe",
        "event_id": event_id,
        "digest": digest(event_id),
        "kind": "captured",
        "gateway_key": f"{AWKWARD}:1",
        "verdict": Verdict.IGNORED,
        "received_at": NOW,
    }
    return WebhookRecord(**(given | more))


def keep(backend: Backend, *records: WebhookRecord) -> list[bool]:
    with backend.unit_of_work() as tx:
        return [tx.payment_webhooks.record(record) for record in records]


def kept(backend: Backend, limit: int = 99) -> list[WebhookRecord]:
    with backend.unit_of_work() as tx:
        return list(tx.payment_webhooks.list(limit=limit))


class PaymentWebhookRepositoryContract:
    @pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.DUPLICATE])
    def test_a_message_comes_back_as_it_was_kept(self, backend: Backend, verdict: Verdict) -> None:
        record = a_record(AWKWARD, verdict=verdict, gateway_key=None)
        assert keep(backend, record) == [True]
        assert kept(backend) == [record]

    def test_a_message_is_new_once_and_its_deliveries_are_counted(self, backend: Backend) -> None:
        first = a_record(verdict=Verdict.APPLIED)
        assert keep(backend, first, a_record(), a_record()) == [True, False, False]
        assert keep(backend, a_record(received_at=NOW + timedelta(days=1))) == [False]
        assert kept(backend) == [replace(first, deliveries=4)]

    def test_another_provider_may_use_the_same_id(self, backend: Backend) -> None:
        assert keep(backend, a_record(), a_record(provider="other")) == [True, True]

    def test_what_came_of_it_is_said_in_the_same_transaction(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx:
            tx.payment_webhooks.record(a_record())
            tx.payment_webhooks.judge("stripe", "evt_1", Verdict.MISMATCH)
        assert [record.verdict for record in kept(backend)] == [Verdict.MISMATCH]

    def test_a_message_falls_with_its_transaction(self, backend: Backend) -> None:
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            tx.payment_webhooks.record(a_record())
            raise ZeroDivisionError
        assert keep(backend, a_record()) == [True]

    def test_of_the_same_messages_at_once_one_is_new(self, backend: Backend) -> None:
        with ThreadPoolExecutor(6) as pool:
            new = list(pool.map(lambda _: keep(backend, a_record())[0], range(6)))
        assert new.count(True) == 1
        assert [record.deliveries for record in kept(backend)] == [6]

    def test_what_is_not_believed_is_counted_up_to_a_limit(self, backend: Backend) -> None:
        keep(backend, *(a_record(verdict, verdict=verdict) for verdict in REJECTED), a_record())
        with backend.unit_of_work() as tx:
            counts = [tx.payment_webhooks.count_rejected(limit=limit) for limit in (1, 3, 99)]
        assert counts == [1, 3, 3]

    def test_the_newest_come_first(self, backend: Backend) -> None:
        later: datetime = NOW + timedelta(seconds=1)
        keep(backend, a_record("b"), a_record("a"), a_record("c", received_at=later))
        assert [record.event_id for record in kept(backend)] == ["c", "b", "a"]
        assert [record.event_id for record in kept(backend, limit=1)] == ["c"]

    def test_old_messages_are_forgotten(self, backend: Backend) -> None:
        keep(backend, a_record("old"), a_record("new", received_at=NOW + timedelta(seconds=1)))
        with backend.unit_of_work() as tx:
            assert tx.payment_webhooks.purge_before(NOW + timedelta(seconds=1)) == 1
        assert [record.event_id for record in kept(backend)] == ["new"]
