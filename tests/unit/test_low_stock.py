"""Staff hear once that stock runs low."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop import Money, NewVariant, Settings, Shop, open_shop
from quickshop.adapters.memory.jobs import MemoryJobQueue
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import TransientError
from quickshop.domain.inventory import (
    BackInStock,
    LevelChange,
    LocationId,
    LowStock,
    OutOfStock,
    StockLevel,
    StockMovement,
)
from quickshop.ports.notifications import Message, StockMessage
from tests.builders import NOW, new_id, stock_up, store_product


class Mailbox(MemoryNotifier):
    is_down = False

    def send(self, message: Message) -> None:
        if self.is_down:
            raise TransientError("the mail server does not answer")
        super().send(message)

    def said(self) -> list[tuple[str, str, int]]:
        return [
            (message.sku, message.location, message.free)
            for message in self.sent
            if isinstance(message, StockMessage)
        ]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def shop(mailbox: Mailbox) -> Iterator[Shop]:
    settings = Settings.load(database_url="memory://", staff_email="staff@example.com")
    with open_shop(settings=settings, notifier=mailbox) as shop:
        variant = NewVariant(sku="MUG", price=Money(1250, "USD"))
        shop.products.create(title="Mug", variants=[variant])
        shop.inventory.receive("MUG", 9)
        yield shop


def take(shop: Shop, units: int) -> None:
    shop.inventory.adjust("MUG", -units, reason="broken")
    shop.run_jobs()


def test_staff_are_told_once_on_the_way_down(shop: Shop, mailbox: Mailbox) -> None:
    for _ in range(6):
        take(shop, 1)
    assert mailbox.said() == [("MUG", "main", 5)]
    (message,) = mailbox.sent
    assert isinstance(message, StockMessage)
    assert (message.recipient, message.title) == ("staff@example.com", "Mug")


def test_staff_are_told_again_after_it_was_restocked(shop: Shop, mailbox: Mailbox) -> None:
    take(shop, 5)
    shop.inventory.receive("MUG", 10)
    take(shop, 12)
    assert mailbox.said() == [("MUG", "main", 4), ("MUG", "main", 2)]


def test_a_level_may_have_a_threshold_of_its_own(shop: Shop, mailbox: Mailbox) -> None:
    shop.inventory.configure("MUG", low_stock_threshold=1)
    take(shop, 7)
    assert mailbox.said() == []
    take(shop, 1)
    assert mailbox.said() == [("MUG", "main", 1)]


def test_a_mail_that_was_not_taken_is_sent_later_and_once(shop: Shop, mailbox: Mailbox) -> None:
    mailbox.is_down = True
    take(shop, 5)
    assert mailbox.said() == []
    mailbox.is_down = False
    (job_id,) = shop.inventory.adjust.unit_of_work.store.state.jobs  # type: ignore[attr-defined]
    later = NOW + timedelta(days=40_000)
    queue = shop.jobs.run.queue
    job = queue.start(job_id, later, lease=timedelta(minutes=1))
    assert job is not None
    for _ in range(2):
        shop.jobs.run.handlers["mail_low_stock"](job)
    assert mailbox.said() == [("MUG", "main", 4)]


def test_without_an_address_nobody_is_told() -> None:
    mailbox = Mailbox()
    with open_shop("memory://", notifier=mailbox) as shop:
        variant = NewVariant(sku="MUG", price=Money(1250, "USD"))
        shop.products.create(title="Mug", variants=[variant])
        shop.inventory.receive("MUG", 9)
        take(shop, 9)
        assert all(finding.ok for finding in shop.check())
    assert mailbox.sent == []


def test_limits_that_make_a_level_available_bring_it_back() -> None:
    work = MemoryUnitOfWork({BackInStock: ("tell",), OutOfStock: ("tell",)})
    level = stock_up(work, store_product(work).variants[0], 2)
    MemoryJobQueue(work.store).claim(NOW, limit=9, lease=timedelta(0))
    work.store.state.jobs.clear()
    with work() as tx:
        tx.stock.record([StockMovement.adjustment(level, -2, reason="x", now=NOW)])
    with work() as tx:
        tx.stock.configure(level, now=NOW, backorder_limit=3)
    told = [type(job.event).__name__ for job in work.store.state.jobs.values()]
    assert told == ["OutOfStock", "BackInStock"]


LEVEL = StockLevel(
    variant_id=VariantId(new_id()),
    sku="MUG",
    location_id=LocationId(new_id()),
    backorder_limit=4,
    low_stock_threshold=3,
)
UNITS = st.lists(st.integers(-4, 12), min_size=1, max_size=30)


@given(UNITS)
def test_each_line_is_crossed_as_often_as_it_is_told(units: list[int]) -> None:
    told = Counter[type]()
    before = LEVEL
    for on_hand in units:
        after = StockLevel(
            variant_id=LEVEL.variant_id,
            sku="MUG",
            location_id=LEVEL.location_id,
            on_hand=on_hand,
            backorder_limit=4,
            low_stock_threshold=3,
        )
        change = LevelChange(before, after)
        events = change.events("main", default_threshold=None, now=NOW)
        assert change.crosses(None) is bool(events)
        told.update(type(event) for event in events)
        before = after
    steps = list(zip([0, *units], units, strict=False))
    assert told[LowStock] == sum(was > 3 >= now for was, now in steps)
    assert told[OutOfStock] == sum(was > -4 >= now for was, now in steps)
    assert told[BackInStock] == sum(was <= -4 < now for was, now in steps)
