"""A request has one effect, however often it is made and wherever the connection breaks."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from quickshop.application.cart import NewCart
from quickshop.application.checkout import PlacedOrder
from quickshop.domain.errors import IdempotencyInProgressError, TransientError
from tests.fault_proxy import FaultProxy
from tests.integration.buyers import Buyers, open_buyers, problems, stock, until


def test_fifty_requests_with_one_key_place_one_order(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 100)
        cart = buyers.fill("MUG")
        outcomes = buyers.all_at_once([cart] * 50, clients=16, key="one")
        assert outcomes["placed"] == 1
        assert set(outcomes) <= {"placed", "replayed", "idempotency_in_progress"}
        assert len(buyers.shop.orders.list().items) == 1
        assert buyers.shop.inventory.list(sku="MUG").items[0].allocated == 1


def test_a_cart_becomes_one_order_without_any_key(any_database_url: str, tmp_path: Path) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 100)
        cart = buyers.fill("MUG")
        outcomes = buyers.all_at_once([cart] * 30, clients=16)
        assert outcomes == {"placed": 1, "cart_completed": 29}
        assert problems(buyers.shop) == []


def check_out_when_the_first_has_ended(buyers: Buyers, cart: NewCart) -> PlacedOrder:
    """Repeat the request as a client does: PostgreSQL notices a cut connection a little later."""
    placed: list[PlacedOrder] = []

    def try_again() -> bool:
        with suppress(IdempotencyInProgressError):
            placed.append(buyers.check_out(cart, key="one"))
        return bool(placed)

    until(try_again, what="the first request to end")
    return placed[0]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_that_gets_no_answer_is_told_by_its_key(
    database_url: str, tmp_path: Path, moment: str
) -> None:
    with open_buyers(database_url, tmp_path) as direct:
        stock(direct.shop, "MUG", 10)
    with FaultProxy(make_url(database_url).port or 0) as proxy:
        with open_buyers(proxy.through(database_url), tmp_path) as buyers:
            cart = buyers.fill("MUG", quantity=2)
            proxy.cut_before_commit() if moment == "before" else proxy.cut_after_commit()
            with pytest.raises(TransientError):
                buyers.check_out(cart, key="one")
            assert proxy.commits_cut == 1
            placed = check_out_when_the_first_has_ended(buyers, cart)
            assert placed.replayed is (moment == "after")
            assert [order.id for order in buyers.shop.orders.list().items] == [placed.order.id]
            assert buyers.shop.inventory.list(sku="MUG").items[0].allocated == 2
            assert buyers.shop.run_jobs() == 2
            assert buyers.shop.orders.get(placed.order.id).status == "paid"
            assert problems(buyers.shop) == []


def test_a_database_that_was_away_needs_no_restart_of_the_shop(
    database_url: str, tmp_path: Path
) -> None:
    with FaultProxy(make_url(database_url).port or 0) as proxy:
        with open_buyers(proxy.through(database_url), tmp_path) as buyers:
            stock(buyers.shop, "MUG", 10)
            proxy.refuse()
            proxy.cut()
            with pytest.raises(TransientError):
                buyers.fill("MUG")
            proxy.forward()
            assert buyers.check_out(buyers.fill("MUG")).order.status == "pending"


def test_a_database_that_does_not_answer_is_given_up_on(database_url: str, tmp_path: Path) -> None:
    with FaultProxy(make_url(database_url).port or 0) as proxy:
        url = proxy.through(database_url)
        with open_buyers(url, tmp_path, database_timeout_seconds=1) as buyers:
            stock(buyers.shop, "MUG", 10)
            proxy.black_hole()
            proxy.cut()
            with pytest.raises(TransientError):
                buyers.fill("MUG")
