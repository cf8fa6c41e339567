"""Stock in a database and a plain model agree, whatever shoppers and staff do."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from dependency_injector import providers
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.container import build_container
from tests.builders import MovableClock
from tests.integration.backends import copy_file
from tests.integration.buyers import settings_for
from tests.scripted import ScriptedGateway
from tests.stock_machine import Grounds, StockMachine

FEW = settings(max_examples=8, stateful_step_count=20, deadline=None)


class StockInFile(StockMachine):
    def __init__(self, template: Path) -> None:
        self.template = template
        super().__init__()

    def open(self) -> Grounds:
        """A shop on a SQLite file of its own."""
        folder = TemporaryDirectory(prefix="quickshop-stock-")
        url = copy_file(self.template, Path(folder.name))
        clock, gateway = MovableClock(), ScriptedGateway(lambda: False)
        container = build_container(settings_for(url, Path(folder.name)))
        container.clock.override(providers.Object(clock))
        container.payment_gateway.override(providers.Object(gateway))
        container.notifier.override(providers.Object(MemoryNotifier()))

        def close() -> None:
            container.shutdown_resources()
            folder.cleanup()

        return Grounds(container.shop(), clock, gateway, close)


def test_stock_in_a_file_is_what_a_plain_model_says(sqlite_template: Path) -> None:
    run_state_machine_as_test(lambda: StockInFile(sqlite_template), settings=FEW)
