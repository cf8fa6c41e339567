"""The services that a shop needs are tried one by one, and each is reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quickshop import AdapterError, open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.application.health import Finding
from tests.scripted import ScriptedGateway


class CheckedNotifier(MemoryNotifier):
    """A notifier of an embedder that has its own idea of a check."""

    def __init__(self, check: Callable[[], str]) -> None:
        super().__init__()
        self.check_connection = check  # type: ignore[method-assign]


def found(check: Callable[[], str]) -> Finding:
    with open_shop("memory://", notifier=CheckedNotifier(check)) as shop:
        _gateway, mail = shop.check_services()
    return mail


def test_a_service_without_a_check_works_and_is_reported_as_not_checked() -> None:
    with open_shop("memory://", payment_gateway=ScriptedGateway(lambda: False)) as shop:
        gateway, mail = shop.check_services()
    assert (gateway.check, gateway.ok) == ("payment gateway", True)
    assert gateway.detail == "not checked: ScriptedGateway has no check_connection()"
    assert mail.ok
    assert "not checked" not in mail.detail


def test_a_service_that_cannot_be_used_is_reported_with_its_reason() -> None:
    def refuse() -> str:
        raise AdapterError("the account is closed; open it again")

    assert found(refuse) == Finding(
        "mail", ok=False, detail="the account is closed; open it again"
    )


@pytest.mark.parametrize("error", [ZeroDivisionError("odd"), OSError(5, "odd"), AssertionError()])
def test_a_check_that_breaks_is_reported_and_breaks_nothing(error: Exception) -> None:
    def break_down() -> str:
        raise error

    finding = found(break_down)
    assert not finding.ok
    assert finding.detail.startswith(f"the check failed: {type(error).__name__}")


def test_what_a_server_answers_is_reported_without_secrets() -> None:
    def refuse() -> str:
        raise AdapterError("535 login failed for password=hunter2")

    assert "hunter2" not in found(refuse).detail
