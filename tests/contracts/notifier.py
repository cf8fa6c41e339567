"""The contract of notifiers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quickshop.ports.notifications import Notifier
from quickshop.ports.services import CheckedService
from tests.mails import a_message


@dataclass(frozen=True, slots=True)
class Outbox:
    """A notifier, and how many messages went out through it."""

    notifier: Notifier
    sent: Callable[[], int]


class NotifierContract:
    def test_a_message_goes_out(self, outbox: Outbox) -> None:
        outbox.notifier.send(a_message())
        assert outbox.sent() == 1

    def test_its_connection_is_checked_without_a_message(self, outbox: Outbox) -> None:
        assert isinstance(outbox.notifier, CheckedService)
        assert outbox.notifier.check_connection().isprintable()
        assert outbox.sent() == 0
        outbox.notifier.send(a_message())
        assert outbox.notifier.check_connection()
        assert outbox.sent() == 1
