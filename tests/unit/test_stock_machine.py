"""Stock and a plain model agree, whatever shoppers and staff do, in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.scripted import World
from tests.stock_machine import Grounds, StockMachine


class StockInMemory(StockMachine):
    def open(self) -> Grounds:
        world = World()
        return Grounds(world.shop, world.clock, world.gateway)


StockInMemory.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
# A failure takes its time to be made small.
TestStockInMemory = pytest.mark.timeout(400)(StockInMemory.TestCase)
