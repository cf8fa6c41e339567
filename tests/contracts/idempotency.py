"""The contract of repositories of idempotency keys."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from threading import Thread

import pytest

from quickshop.application.checkout import PlacedOrder
from quickshop.application.shopper import digest
from quickshop.domain.errors import IdempotencyMismatchError, TransientError
from quickshop.ports.orders import OrderView
from quickshop.ports.unit_of_work import Transaction
from tests.builders import AWKWARD, NOW, a_cart_with, a_rich_product, an_order
from tests.contracts.backend import Backend

A_DAY = timedelta(hours=24)
REQUEST, OTHER_REQUEST = digest("a request"), digest("another request")


def an_answer() -> PlacedOrder:
    return PlacedOrder(OrderView.of(an_order(a_cart_with(a_rich_product()))), AWKWARD)


def ask(
    tx: Transaction,
    key: str = AWKWARD,
    *,
    scope: str = f"place_order:{AWKWARD}",
    fingerprint: str = REQUEST,
    now: datetime = NOW,
) -> PlacedOrder | None:
    return tx.idempotency.claim(
        scope, key, fingerprint=fingerprint, answer_type=PlacedOrder, now=now
    )


def answered(backend: Backend, *, now: datetime = NOW, key: str = AWKWARD) -> PlacedOrder:
    """An answer given under the usual scope and fingerprint."""
    answer = an_answer()
    with backend.unit_of_work() as tx:
        assert ask(tx, key, now=now) is None
        tx.idempotency.store(f"place_order:{AWKWARD}", key, answer)
    return answer


class IdempotencyRepositoryContract:
    def test_a_repeated_request_gets_the_first_answer(self, backend: Backend) -> None:
        answer = answered(backend)
        for _ in range(2):
            with backend.unit_of_work() as tx:
                assert ask(tx, now=NOW + timedelta(hours=23)) == answer

    def test_a_key_is_for_one_request(self, backend: Backend) -> None:
        answered(backend)
        with pytest.raises(IdempotencyMismatchError), backend.unit_of_work() as tx:
            ask(tx, fingerprint=OTHER_REQUEST)

    def test_the_same_key_in_another_scope_is_another_key(self, backend: Backend) -> None:
        answered(backend)
        with backend.unit_of_work() as tx:
            assert ask(tx, scope="pay_order:x", fingerprint=OTHER_REQUEST) is None
            tx.idempotency.store("pay_order:x", AWKWARD, an_answer())

    def test_a_reservation_falls_with_its_transaction(self, backend: Backend) -> None:
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            assert ask(tx) is None
            tx.idempotency.store(f"place_order:{AWKWARD}", AWKWARD, an_answer())
            raise ZeroDivisionError
        with backend.unit_of_work() as tx:
            assert ask(tx, fingerprint=OTHER_REQUEST) is None

    def test_of_the_same_requests_at_once_one_has_an_effect(self, backend: Backend) -> None:
        answer = an_answer()
        outcomes: list[PlacedOrder | None] = []

        def request() -> None:
            with suppress(TransientError), backend.unit_of_work() as tx:
                found = ask(tx)
                if found is None:
                    tx.idempotency.store(f"place_order:{AWKWARD}", AWKWARD, answer)
                outcomes.append(found)

        threads = [Thread(target=request) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert outcomes.count(None) == 1
        assert all(found is None or found == answer for found in outcomes)

    def test_a_key_is_free_again_after_a_day(self, backend: Backend) -> None:
        answered(backend)
        later = NOW + A_DAY + timedelta(seconds=1)
        with backend.unit_of_work() as tx:
            assert ask(tx, fingerprint=OTHER_REQUEST, now=later) is None
            tx.idempotency.store(f"place_order:{AWKWARD}", AWKWARD, an_answer())
        with pytest.raises(IdempotencyMismatchError), backend.unit_of_work() as tx:
            ask(tx, now=later)

    def test_keys_are_forgotten_after_a_day(self, backend: Backend) -> None:
        answered(backend, key="old")
        kept = answered(backend, key="new", now=NOW + timedelta(hours=2))
        with backend.unit_of_work() as tx:
            assert tx.idempotency.purge_expired(NOW + A_DAY + timedelta(hours=1)) == 1
        with backend.unit_of_work() as tx:
            assert tx.idempotency.purge_expired(NOW + A_DAY + timedelta(hours=1)) == 0
            assert ask(tx, "new", now=NOW + timedelta(hours=2)) == kept
            assert ask(tx, "old", fingerprint=OTHER_REQUEST) is None

    def test_the_keys_of_one_asker_are_forgotten(self, backend: Backend) -> None:
        scopes = ["place_order:account:1_", "hold_cart:account:1_", "place_order:account:12"]
        scopes += ["place_order:account:21_", "account:1_:place_order"]
        with backend.unit_of_work() as tx:
            for scope in scopes:
                ask(tx, scope=scope)
                tx.idempotency.store(scope, AWKWARD, an_answer())
        with backend.unit_of_work() as tx:
            assert tx.idempotency.delete_of("account:1_") == 2
        with backend.unit_of_work() as tx:
            known = [ask(tx, scope=scope) is not None for scope in scopes]
        assert known == [False, False, True, True, True]
