"""The contract of repositories of customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quickshop.domain.customers import (
    ConsentPurpose,
    Customer,
    CustomerId,
    SavedAddress,
    SavedAddressId,
)
from quickshop.domain.errors import ConflictError, InvalidValueError, NotFoundError
from quickshop.domain.identity import ADMIN, AccountId, AccountStatus
from quickshop.domain.orders import Order
from quickshop.ports.customers import CustomerQuery, CustomerView
from tests.builders import AWKWARD, LATER, NOW, an_address, facts, new_id, store_order
from tests.contracts.backend import Backend
from tests.contracts.identity import nothing, store_account

Change = Callable[[Any], object]


def an_entry(**more: Any) -> SavedAddress:
    return SavedAddress(id=SavedAddressId(new_id()), address=an_address(**more))


def described(customer: Customer) -> None:
    customer.update_profile(name=AWKWARD, phone="+44 20 7946 0000", now=NOW)


def with_addresses(customer: Customer) -> None:
    customer.save_address(an_entry(), now=NOW)
    customer.save_address(an_entry(line2=None, region=None, phone=None), now=NOW)


def consenting(customer: Customer) -> None:
    customer.record_consent(ConsentPurpose.MARKETING, granted=True, now=NOW)
    customer.record_consent(ConsentPurpose.MARKETING, granted=False, now=LATER)


def erased(customer: Customer) -> None:
    for change in (described, with_addresses, consenting):
        change(customer)
    customer.erase(now=LATER)


def store_customer(
    backend: Backend, *, after: Change = nothing, **account: Any
) -> tuple[Customer, CustomerView]:
    """A stored customer on whom `after` was called before storing, and how they are shown."""
    owner = store_account(backend, **account)
    customer = Customer.register(id=CustomerId(owner.id), name="Ada", now=NOW)
    after(customer)
    with backend.unit_of_work() as tx:
        tx.customers.add(customer)
    return customer, CustomerView.of(owner, customer)


def store_order_of(backend: Backend, customer_id: CustomerId, *, after: Change = nothing) -> Order:
    """A stored order of a stored customer, on which `after` was called before storing."""

    def belongs(order: Order) -> None:
        order.customer_id = customer_id
        after(order)

    return store_order(backend.unit_of_work, after=belongs)


EVERY_STATE = [nothing, described, with_addresses, consenting, erased]


class CustomerRepositoryContract:
    @pytest.mark.parametrize("after", EVERY_STATE)
    def test_a_customer_comes_back_as_they_were_stored(
        self, backend: Backend, after: Change
    ) -> None:
        customer, view = store_customer(backend, after=after)
        with backend.unit_of_work() as tx:
            assert facts(tx.customers.get(customer.id)) == facts(customer)
        assert backend.customer_reader.get(customer.id) == view

    @pytest.mark.parametrize("change", EVERY_STATE[1:])
    def test_a_customer_comes_back_as_they_were_saved(
        self, backend: Backend, change: Change
    ) -> None:
        stored, _ = store_customer(backend)
        with backend.unit_of_work() as tx:
            customer = tx.customers.get(stored.id)
            change(customer)
            tx.customers.save(customer)
        with backend.unit_of_work() as tx:
            assert facts(tx.customers.get(stored.id)) == facts(customer)

    def test_the_second_of_two_who_save_a_customer_conflicts(self, backend: Backend) -> None:
        stored, _ = store_customer(backend)
        with backend.unit_of_work() as tx:
            stale = tx.customers.get(stored.id)
        with backend.unit_of_work() as tx:
            customer = tx.customers.get(stored.id)
            customer.record_consent(ConsentPurpose.MARKETING, granted=True, now=NOW)
            tx.customers.save(customer)
        described(stale)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.customers.save(stale)
        with backend.unit_of_work() as tx:
            assert tx.customers.get(stored.id).allows(ConsentPurpose.MARKETING)

    def test_who_is_not_there_is_not_found(self, backend: Backend) -> None:
        store_account(backend)
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.customers.get(CustomerId(new_id()))


class CustomerReaderContract:
    def test_a_customer_is_shown_with_their_account(self, backend: Backend) -> None:
        customer, view = store_customer(
            backend, email="ada@example.com", roles=["support", ADMIN], after=with_addresses
        )
        locked, _ = store_customer(backend)
        with backend.unit_of_work() as tx:
            account = tx.accounts.get(AccountId(locked.id))
            account.disable(now=NOW)
            tx.accounts.save(account)
        assert backend.customer_reader.get(customer.id) == view
        assert view.roles == [ADMIN, "support"]
        assert backend.customer_reader.get(locked.id).status is AccountStatus.DISABLED

    def test_who_is_not_there_is_not_shown(self, backend: Backend) -> None:
        store_account(backend)
        with pytest.raises(NotFoundError):
            backend.customer_reader.get(CustomerId(new_id()))

    def test_customers_are_listed_the_newest_first_page_by_page(self, backend: Backend) -> None:
        views = [store_customer(backend, roles=["support"] * (n % 2))[1] for n in range(5)]
        found: list[CustomerView] = []
        cursor = None
        while True:
            page = backend.customer_reader.list(CustomerQuery(limit=2, cursor=cursor))
            assert len(page.items) <= 2
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == sorted(views, key=lambda view: view.id, reverse=True)

    def test_customers_are_found_by_address_and_by_whether_they_work_here(
        self, backend: Backend
    ) -> None:
        _, ada = store_customer(backend, email="ada@example.com", roles=["support", ADMIN])
        _, grace = store_customer(backend, email="grace@example.com", after=described)
        store_customer(backend)

        def found(**criteria: Any) -> list[str]:
            page = backend.customer_reader.list(CustomerQuery(**criteria))
            return sorted(view.email for view in page.items)

        assert found(email="ada@example.com") == [ada.email]
        assert found(email="nobody@example.com") == []
        assert found(staff=True) == [ada.email]
        assert found(staff=True, email=grace.email) == []

    def test_a_page_or_cursor_that_is_none_is_refused(self, backend: Backend) -> None:
        for criteria in ({"limit": 0}, {"limit": 101}, {"cursor": "guess"}):
            with pytest.raises(InvalidValueError):
                backend.customer_reader.list(CustomerQuery(**criteria))  # type: ignore[arg-type]
