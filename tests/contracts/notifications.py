"""The contract of repositories of delivery records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from quickshop.domain.notifications import Channel, MessageKind, Notification
from quickshop.ports.customers import SentMessage
from tests.builders import NOW, new_id, store_order
from tests.contracts.backend import Backend
from tests.contracts.customers import store_customer, store_order_of


def a_notification(backend: Backend) -> Notification:
    return Notification(
        event_id=new_id(),
        channel=Channel.EMAIL,
        recipient="ada@example.com",
        kind=MessageKind.ORDER_CONFIRMATION,
        order_id=store_order(backend.unit_of_work).id,
        created_at=NOW,
    )


def claim(backend: Backend, notification: Notification) -> bool:
    with backend.unit_of_work() as tx:
        return tx.notifications.claim(notification)


def mark_sent(backend: Backend, notification: Notification) -> None:
    with backend.unit_of_work() as tx:
        tx.notifications.mark_sent(notification, now=NOW)


class NotificationRepositoryContract:
    def test_a_message_is_claimed_until_it_was_sent(self, backend: Backend) -> None:
        notification = a_notification(backend)
        assert claim(backend, notification)
        later = replace(notification, created_at=NOW + timedelta(minutes=1))
        assert claim(backend, later)
        mark_sent(backend, later)
        assert not claim(backend, later)
        assert not claim(backend, notification)

    def test_another_event_or_recipient_is_another_message(self, backend: Backend) -> None:
        notification = a_notification(backend)
        claim(backend, notification)
        mark_sent(backend, notification)
        assert claim(backend, replace(notification, event_id=new_id()))
        assert claim(backend, replace(notification, recipient="grace@example.com"))

    def test_a_claim_falls_with_its_transaction(self, backend: Backend) -> None:
        notification = a_notification(backend)
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            tx.notifications.claim(notification)
            tx.notifications.mark_sent(notification, now=NOW)
            raise ZeroDivisionError
        assert claim(backend, notification)

    def test_what_was_sent_to_a_customer_is_told_the_first_first(self, backend: Backend) -> None:
        customer, other = (store_customer(backend)[0] for _ in range(2))
        order = store_order_of(backend, customer.id)
        about_order = replace(a_notification(backend), order_id=order.id)
        about_account = replace(
            about_order,
            event_id=new_id(),
            order_id=None,
            recipient=str(customer.id),
            kind=MessageKind.PASSWORD_CHANGED,
        )
        for sent, later in ((about_account, 2), (about_order, 1), (a_notification(backend), 3)):
            claim(backend, sent)
            with backend.unit_of_work() as tx:
                tx.notifications.mark_sent(sent, now=NOW + timedelta(minutes=later))
        claim(backend, replace(about_order, event_id=new_id()))  # never sent
        assert backend.customer_reader.messages(customer.id) == [
            SentMessage(
                kind=MessageKind.ORDER_CONFIRMATION,
                order_id=order.id,
                sent_at=NOW + timedelta(minutes=1),
            ),
            SentMessage(
                kind=MessageKind.PASSWORD_CHANGED,
                order_id=None,
                sent_at=NOW + timedelta(minutes=2),
            ),
        ]
        assert backend.customer_reader.messages(other.id) == []

    def test_the_recipient_of_a_customers_mails_is_forgotten(self, backend: Backend) -> None:
        customer, _ = store_customer(backend)
        theirs = replace(a_notification(backend), order_id=store_order_of(backend, customer.id).id)
        guests, about_nobody = a_notification(backend), replace(theirs, order_id=None)
        about_nobody = replace(about_nobody, event_id=new_id())
        for notification in (theirs, guests, about_nobody):
            claim(backend, notification)
            mark_sent(backend, notification)
        with backend.unit_of_work() as tx:
            assert tx.notifications.replace_recipient(customer.id, instead="nobody") == 1
        assert not claim(backend, replace(theirs, recipient="nobody"))
        assert not claim(backend, guests)
        assert not claim(backend, about_nobody)
        assert claim(backend, theirs)
