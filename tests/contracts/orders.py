"""The contract of repositories of orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from quickshop.application.shopper import digest
from quickshop.domain.customers import Address
from quickshop.domain.errors import CartStateError, ConflictError, InvalidValueError, NotFoundError
from quickshop.domain.orders import HOLDS_STOCK, Order, OrderId, OrderStatus
from quickshop.ports.orders import OrderQuery, OrderView, TimelineEntry
from tests.builders import (
    AWKWARD,
    LATER,
    NOW,
    ORDER_TOKEN,
    an_order,
    canceled,
    declined,
    facts,
    new_id,
    paid,
    paid_too_late,
    retried,
    store_cart,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.customers import store_customer, store_order_of


def placed(_order: Order) -> None:
    """As it was placed."""


def expired(order: Order) -> None:
    order.expire(now=LATER)


def authorized(order: Order) -> None:
    order.note_authorized(now=NOW)


def shipped(order: Order) -> None:
    paid(order)
    for whole in (False, True):
        order.ship(new_id(), whole=whole, carrier=AWKWARD, tracking_number="1", now=NOW)
    order.complete(now=NOW)
    order.add_note(AWKWARD, now=NOW)


def refunded(order: Order) -> None:
    paid(order)
    order.note_failed_refund(order.total, AWKWARD, now=NOW)
    order.note_refund(order.total, AWKWARD, now=NOW, whole=True)


EVERY_STATE = [
    placed,
    paid,
    declined,
    retried,
    canceled,
    paid_too_late,
    expired,
    authorized,
    shipped,
    refunded,
]


def walk(backend: Backend, query: OrderQuery) -> list[str]:
    """The numbers of every order of every page."""
    numbers: list[str] = []
    while True:
        page = backend.order_reader.list(query)
        numbers += [view.number for view in page.items]
        if page.next_cursor is None:
            return numbers
        assert len(page.items) == query.limit
        query = replace(query, cursor=page.next_cursor)


class OrderRepositoryContract:
    @pytest.mark.parametrize("after", EVERY_STATE)
    def test_an_order_comes_back_as_it_was_stored(
        self, backend: Backend, after: Callable[[Order], object]
    ) -> None:
        order = store_order(backend.unit_of_work, quantity=3, after=after)
        assert order.version == 1
        with backend.unit_of_work() as tx:
            assert facts(tx.orders.get(order.id)) == facts(order)
            own = tx.orders.get_own(order.id, token_digest=order.token_digest)
        assert facts(own) == facts(order)

    @pytest.mark.parametrize("change", [paid, declined, canceled])
    def test_a_changed_order_comes_back_as_it_was_saved(
        self, backend: Backend, change: Callable[[Order], object]
    ) -> None:
        stored = store_order(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            order = tx.orders.get(stored.id)
            change(order)
            tx.orders.save(order)
        assert order.version == 2
        with backend.unit_of_work() as tx:
            assert facts(tx.orders.get(stored.id)) == facts(order)

    def test_an_unknown_order_is_not_found(self, backend: Backend) -> None:
        store_order(backend.unit_of_work)
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.orders.get(OrderId(new_id()))

    def test_an_order_opens_only_with_its_secret(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work)
        for order_id, secret in ((order.id, "another"), (OrderId(new_id()), ORDER_TOKEN)):
            with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
                tx.orders.get_own(order_id, token_digest=digest(secret))
            with pytest.raises(NotFoundError):
                backend.order_reader.get_own(order_id, token_digest=digest(secret))

    def test_a_customers_order_opens_to_them_alone(self, backend: Backend) -> None:
        me, other = (store_customer(backend)[0].id for _ in range(2))
        order = store_order_of(backend, me)
        for opener in (None, other):
            key: dict[str, Any] = {"token_digest": order.token_digest, "customer_id": opener}
            with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
                tx.orders.get_own(order.id, **key)
            with pytest.raises(NotFoundError):
                backend.order_reader.get_own(order.id, **key)
            listed = backend.order_reader.list(OrderQuery(token_digest=order.token_digest))
            assert listed.items == []
        with backend.unit_of_work() as tx:
            own = tx.orders.get_own(order.id, token_digest="", customer_id=me)
        assert facts(own) == facts(order)
        view = backend.order_reader.get_own(order.id, token_digest="", customer_id=me)
        assert view == OrderView.of(order)
        assert backend.order_reader.list(OrderQuery(customer_id=me)).items == [view]
        assert backend.order_reader.list(OrderQuery(customer_id=other)).items == []

    def test_orders_are_under_way_until_nothing_is_to_be_done(self, backend: Backend) -> None:
        me, other = (store_customer(backend)[0].id for _ in range(2))
        orders = [store_order_of(backend, me, after=after) for after in EVERY_STATE]
        store_order_of(backend, other)
        store_order(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            under_way = tx.orders.under_way(me)
        assert under_way == [each.number for each in orders if each.status in HOLDS_STOCK]

    def test_an_order_tells_nothing_of_who_placed_it_once_they_are_forgotten(
        self, backend: Backend
    ) -> None:
        me, other = (store_customer(backend)[0].id for _ in range(2))
        mine, others = store_order_of(backend, me, after=shipped), store_order_of(backend, other)
        with backend.unit_of_work() as tx:
            assert tx.orders.anonymize(me, email="nobody@erased.invalid") == 1
        with backend.unit_of_work() as tx:
            found = tx.orders.get(mine.id)
        nowhere = Address.nowhere(mine.shipping_address.country)
        assert facts(found) == facts(mine) | {
            "email": "nobody@erased.invalid",
            "shipping_address": nowhere,
            "billing_address": nowhere,
            "version": mine.version + 1,
        }
        assert backend.order_reader.get(others.id) == OrderView.of(others)

    def test_a_cart_becomes_one_order(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        cart = store_cart(backend.unit_of_work, product)
        with backend.unit_of_work() as tx:
            tx.orders.add(an_order(cart, number=tx.orders.next_number()))
        with pytest.raises(CartStateError), backend.unit_of_work() as tx:
            tx.orders.add(an_order(cart, number=tx.orders.next_number()))
        assert len(backend.order_reader.list(OrderQuery()).items) == 1

    def test_later_numbers_are_higher(self, backend: Backend) -> None:
        numbers = [int(store_order(backend.unit_of_work).number) for _ in range(3)]
        with backend.unit_of_work() as tx:
            numbers += [int(tx.orders.next_number())]
        assert all(one < two for one, two in pairwise(numbers))

    def test_a_number_is_given_to_one_of_those_who_ask_at_once(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        carts = [store_cart(backend.unit_of_work, product) for _ in range(8)]
        numbers: list[str] = []

        def order_two(mine: int) -> None:
            for cart in carts[mine : mine + 2]:
                with backend.unit_of_work() as tx:
                    order = an_order(cart, number=tx.orders.next_number())
                    tx.orders.add(order)
                numbers.append(order.number)

        threads = [Thread(target=order_two, args=(n,)) for n in (0, 2, 4, 6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(set(numbers)) == 8

    def test_orders_that_nobody_paid_in_time_are_found(self, backend: Backend) -> None:
        late = store_order(backend.unit_of_work)
        failed = store_order(backend.unit_of_work, after=declined)
        for after in (paid, canceled, authorized, expired):
            store_order(backend.unit_of_work, after=after)
        longer = store_order(
            backend.unit_of_work,
            after=lambda order: order.wait_until(LATER + timedelta(hours=1), now=NOW),
        )
        with backend.unit_of_work() as tx:
            assert not tx.orders.unpaid_since(LATER - timedelta(microseconds=1), limit=9)
            found = tx.orders.unpaid_since(LATER, limit=9)
            assert {order.id for order in found} == {late.id, failed.id}
            assert facts(next(o for o in found if o.id == late.id)) == facts(late)
            assert len(tx.orders.unpaid_since(LATER, limit=1)) == 1
            last = tx.orders.unpaid_since(LATER + timedelta(hours=1), limit=9)
            assert last[-1].id == longer.id

    def test_the_second_of_two_editors_conflicts(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            stale = tx.orders.get(order.id)
        with backend.unit_of_work() as tx:
            fresh = tx.orders.get(order.id)
            fresh.mark_paid(now=NOW)
            tx.orders.save(fresh)
        stale.cancel("", now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.orders.save(stale)
        assert backend.order_reader.get(order.id).status is OrderStatus.PAID
        assert [entry.kind for entry in backend.order_reader.timeline(order.id, newest=9)] == [
            "OrderPlaced",
            "OrderPaid",
        ]

    def test_forgetting_to_save_a_change_is_an_error(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            tx.orders.get(order.id).mark_paid(now=NOW)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            own = tx.orders.get_own(order.id, token_digest=order.token_digest)
            own.mark_paid(now=NOW)
        assert backend.order_reader.get(order.id).status is OrderStatus.PENDING


class OrderReaderContract:
    def test_everybody_sees_the_order_as_it_stands(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work, quantity=2)
        view = OrderView.of(order)
        own = {"token_digest": order.token_digest}
        assert backend.order_reader.get(order.id) == view
        assert backend.order_reader.get_own(order.id, **own) == view
        assert backend.order_reader.find_by_number(order.number) == view
        assert list(backend.order_reader.list(OrderQuery()).items) == [view]

    def test_an_unknown_order_is_not_found(self, backend: Backend) -> None:
        with pytest.raises(NotFoundError):
            backend.order_reader.get(OrderId(new_id()))

    @pytest.mark.parametrize("number", ["", "0", "none", "%", "\x00", "-1", "1e3", "9" * 40, "²"])
    def test_an_unknown_number_is_nobodys(self, backend: Backend, number: str) -> None:
        store_order(backend.unit_of_work)
        assert backend.order_reader.find_by_number(number) is None

    def test_the_timeline_tells_what_happened(self, backend: Backend) -> None:
        order = store_order(backend.unit_of_work, after=retried)
        with backend.unit_of_work() as tx:
            again = tx.orders.get(order.id)
            again.cancel(AWKWARD, now=NOW)
            tx.orders.save(again)
        assert list(backend.order_reader.timeline(order.id, newest=9)) == [
            TimelineEntry("OrderPlaced", NOW, {}),
            TimelineEntry("OrderPaymentFailed", NOW, {"reason": f"card_declined {AWKWARD}"}),
            TimelineEntry("OrderPaymentRetried", NOW, {"attempt": "2"}),
            TimelineEntry("OrderCanceled", NOW, {"reason": AWKWARD}),
        ]
        last = [entry.kind for entry in backend.order_reader.timeline(order.id, newest=2)]
        assert last == ["OrderPaymentRetried", "OrderCanceled"]

    def test_an_order_that_does_not_exist_has_no_timeline(self, backend: Backend) -> None:
        store_order(backend.unit_of_work)
        assert list(backend.order_reader.timeline(OrderId(new_id()), newest=9)) == []

    def test_orders_are_listed_by_status_and_secret(self, backend: Backend) -> None:
        work = backend.unit_of_work
        mine = store_order(work, token="mine").number
        mine_paid = store_order(work, token="mine", after=paid).number
        theirs_paid = store_order(work, token="theirs", after=paid).number
        own = digest("mine")
        assert walk(backend, OrderQuery()) == [theirs_paid, mine_paid, mine]
        assert walk(backend, OrderQuery(status=OrderStatus.PAID)) == [theirs_paid, mine_paid]
        assert walk(backend, OrderQuery(token_digest=own)) == [mine_paid, mine]
        both = OrderQuery(token_digest=own, status=OrderStatus.PENDING)
        assert walk(backend, both) == [mine]
        assert walk(backend, OrderQuery(token_digest=digest("nobody's"))) == []

    def test_orders_are_found_by_number_address_and_time(self, backend: Backend) -> None:
        work = backend.unit_of_work
        first = store_order(work, email="eve@example.com")
        second = store_order(work, now=LATER)
        third = store_order(work, now=LATER, after=paid)
        for query, found in (
            (OrderQuery(number=second.number), [second]),
            (OrderQuery(number=f"0{second.number}"), []),
            (OrderQuery(number="nobody's"), []),
            (OrderQuery(email="eve@example.com"), [first]),
            (OrderQuery(email="eve@example"), []),
            (OrderQuery(placed_from=LATER), [third, second]),
            (OrderQuery(placed_before=LATER), [first]),
            (OrderQuery(placed_from=NOW, placed_before=LATER), [first]),
            (OrderQuery(placed_from=LATER, status=OrderStatus.PAID), [third]),
            (OrderQuery(placed_from=LATER, number=first.number), []),
        ):
            assert walk(backend, query) == [order.number for order in found], query

    @pytest.mark.parametrize("limit", [1, 2, 5, 6])
    def test_paging_shows_every_order_exactly_once(self, backend: Backend, limit: int) -> None:
        numbers = [store_order(backend.unit_of_work).number for _ in range(5)]
        assert walk(backend, OrderQuery(limit=limit)) == numbers[::-1]

    @pytest.mark.parametrize("limit", [0, 101])
    def test_a_page_holds_1_to_100_orders(self, backend: Backend, limit: int) -> None:
        with pytest.raises(InvalidValueError):
            backend.order_reader.list(OrderQuery(limit=limit))

    def test_a_cursor_that_nobody_gave_out_is_refused(self, backend: Backend) -> None:
        with pytest.raises(InvalidValueError):
            backend.order_reader.list(OrderQuery(cursor="nonsense"))
