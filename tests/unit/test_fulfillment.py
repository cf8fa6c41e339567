"""Orders leave the shelf: as far as they are paid, and never more than was ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from quickshop.application.checkout import PlacedOrder
from quickshop.domain.catalog import Product
from quickshop.domain.errors import (
    IdempotencyMismatchError,
    InvalidValueError,
    NotFoundError,
    OrderStateError,
)
from quickshop.domain.fulfillment import Tracking
from quickshop.domain.money import Money
from quickshop.domain.orders import MAX_NOTE_LENGTH, OrderId, OrderStatus
from quickshop.ports.fulfillment import ShippedItem
from tests.builders import AWKWARD, a_variant, new_id, stock_up
from tests.scripted import World

URL = "https://snail.example/SN-0042"


@dataclass
class Desk:
    """A paid order of three mugs and three bowls, and who ships it."""

    world: World = field(default_factory=World)
    placed: PlacedOrder = field(init=False)
    product: Product = field(init=False)

    def __post_init__(self) -> None:
        self.product = self.world.sell(
            variants=[a_variant("MUG", options=("mug",)), a_variant("BOWL", options=("bowl",))],
            option_names=("Thing",),
        )
        self.placed = self.world.order(self.product, quantity=3)
        self.world.run()

    @property
    def id(self) -> OrderId:
        return self.placed.order.id

    def ship(self, **lines: int) -> None:
        self.world.shop.orders.fulfill(self.id, lines=dict(lines) or None)

    def status(self) -> OrderStatus:
        return self.world.status(self.id)

    def parcels(self) -> list[dict[str, int]]:
        parcels = self.world.shop.orders.get(self.id).fulfillments
        return [{item.sku: item.quantity for item in parcel.lines} for parcel in parcels]

    def on_hand(self, sku: str) -> tuple[int, int]:
        """Units on all shelves, and those of them that are promised."""
        levels = self.world.shop.inventory.list(sku=sku).items
        return sum(level.on_hand for level in levels), sum(level.allocated for level in levels)


@pytest.fixture
def gate() -> Desk:
    return Desk()


def test_a_paid_order_ships_whole(gate: Desk) -> None:
    fulfilled = gate.world.shop.orders.fulfill(
        gate.id, carrier="Snail & Sons", tracking_number="SN-0042", tracking_url=URL
    )
    assert fulfilled.value.status is gate.status() is OrderStatus.FULFILLED
    parcel = fulfilled.value.fulfillments[-1]
    assert (parcel.number, parcel.carrier, parcel.tracking_number, parcel.tracking_url) == (
        1,
        "Snail & Sons",
        "SN-0042",
        URL,
    )
    assert set(parcel.lines) == {ShippedItem("MUG", 3), ShippedItem("BOWL", 3)}
    assert gate.on_hand("MUG") == gate.on_hand("BOWL") == (7, 0)
    assert gate.world.shop.orders.get(gate.id) == fulfilled.value
    assert gate.world.problems() == []


def test_an_order_ships_in_parcels_until_nothing_is_left(gate: Desk) -> None:
    gate.ship(MUG=2)
    assert gate.status() is OrderStatus.PARTIALLY_FULFILLED
    assert gate.on_hand("MUG") == (8, 1)
    gate.ship(MUG=1, BOWL=1)
    assert gate.world.problems() == []
    gate.ship()
    assert gate.status() is OrderStatus.FULFILLED
    assert gate.parcels() == [{"MUG": 2}, {"BOWL": 1, "MUG": 1}, {"BOWL": 2}]
    assert gate.on_hand("MUG") == gate.on_hand("BOWL") == (7, 0)
    assert gate.world.problems() == []


def test_lines_may_be_named_by_their_id(gate: Desk) -> None:
    line = gate.placed.order.lines[0]
    gate.world.shop.orders.fulfill(gate.id, lines={line.id: 2})
    assert gate.parcels() == [{line.sku: 2}]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ({}, "at least one line"),
        ({"MUG": 4}, "at most 3 of MUG"),
        ({"MUG": 0}, "at least 1"),
        ({"MUG": -1}, "at least 1"),
        ({"MUG": 1.5}, "whole number"),
        ({"MUG": True}, "whole number"),
        ({"CUP": 1}, "SKUs of this order"),
        ({"MUG": 1, "CUP": 1}, "SKUs of this order"),
        ({UUID(int=1): 1}, "SKUs of this order"),
    ],
)
def test_what_was_not_ordered_does_not_ship(
    gate: Desk, lines: dict[UUID | str, int], rule: str
) -> None:
    with pytest.raises(InvalidValueError, match=rule):
        gate.world.shop.orders.fulfill(gate.id, lines=lines)
    assert gate.parcels() == []
    assert gate.status() is OrderStatus.PAID


def test_a_line_named_twice_ships_no_more_than_was_ordered(gate: Desk) -> None:
    line = next(line for line in gate.placed.order.lines if line.sku == "MUG")
    with pytest.raises(InvalidValueError, match="at most 3 of MUG"):
        gate.world.shop.orders.fulfill(gate.id, lines={line.id: 2, "MUG": 2})
    gate.ship(MUG=2)
    with pytest.raises(InvalidValueError, match="at most 1 of MUG"):
        gate.ship(MUG=2)
    assert gate.parcels() == [{"MUG": 2}]


def test_units_leave_the_places_that_they_were_promised_from() -> None:
    world = World()
    product = world.sell(units=2)
    (variant,) = product.variants
    stock_up(world.unit_of_work, variant, 5, location="cellar", priority=1)
    placed = world.order(product, quantity=4)
    world.run()
    fulfill = world.shop.orders.fulfill

    with pytest.raises(InvalidValueError, match="at most 2"):
        fulfill(placed.order.id, lines={variant.sku: 3}, location="cellar")
    assert fulfill(placed.order.id, location="cellar").value.status == "partially_fulfilled"
    with pytest.raises(InvalidValueError, match="still ships from"):
        fulfill(placed.order.id, location="cellar")
    with pytest.raises(NotFoundError, match="location"):
        fulfill(placed.order.id, location="moon")
    assert fulfill(placed.order.id).value.status is OrderStatus.FULFILLED

    levels = world.shop.inventory.list(sku=variant.sku).items
    assert {level.location: (level.on_hand, level.allocated) for level in levels} == {
        "cellar": (3, 0),
        "main": (0, 0),
    }
    assert world.problems() == []


def unpaid(world: World, placed: PlacedOrder) -> None:
    """Nobody worked on it yet."""


def canceled(world: World, placed: PlacedOrder) -> None:
    world.shop.orders.cancel(placed.order.id)


def wholly_shipped(world: World, placed: PlacedOrder) -> None:
    world.run()
    world.shop.orders.fulfill(placed.order.id)


def completed(world: World, placed: PlacedOrder) -> None:
    wholly_shipped(world, placed)
    world.shop.orders.complete(placed.order.id)


def canceled_after_paying(world: World, placed: PlacedOrder) -> None:
    world.run()
    world.shop.orders.cancel(placed.order.id)


def refunded(world: World, placed: PlacedOrder) -> None:
    world.run()
    world.shop.orders.refund(placed.order.id)
    world.run()


def being_refunded(world: World, placed: PlacedOrder) -> None:
    world.run()
    world.shop.orders.refund(placed.order.id)


@pytest.mark.parametrize(
    "before",
    [
        unpaid,
        canceled,
        wholly_shipped,
        completed,
        canceled_after_paying,
        refunded,
        being_refunded,
    ],
)
def test_only_what_is_paid_ships(before: Callable[[World, PlacedOrder], None]) -> None:
    world = World()
    placed = world.order()
    before(world, placed)
    sent = world.shop.orders.get(placed.order.id).fulfillments
    some: dict[UUID | str, int] = {placed.order.lines[0].sku: 1}
    for lines in (None, some):
        with pytest.raises(OrderStateError, match="cannot be shipped"):
            world.shop.orders.fulfill(placed.order.id, lines=lines)
    assert world.shop.orders.get(placed.order.id).fulfillments == sent
    world.run()
    assert world.problems() == []


def test_an_order_of_which_a_part_was_refunded_still_ships(gate: Desk) -> None:
    gate.world.shop.orders.refund(gate.id, amount=Money(100, "EUR"))
    gate.world.run()
    gate.ship()
    assert gate.status() is OrderStatus.FULFILLED


def test_what_has_not_shipped_stays_when_all_the_money_goes_back(gate: Desk) -> None:
    gate.ship(MUG=1)
    gate.world.shop.orders.refund(gate.id)
    gate.world.run()
    assert gate.status() is OrderStatus.REFUNDED
    assert gate.on_hand("MUG") == (9, 0)
    assert gate.on_hand("BOWL") == (10, 0)
    assert gate.parcels() == [{"MUG": 1}]
    assert gate.world.problems() == []


def test_what_has_shipped_is_not_canceled(gate: Desk) -> None:
    gate.ship(MUG=1)
    with pytest.raises(OrderStateError, match="partially_fulfilled"):
        gate.world.shop.orders.cancel(gate.id)
    assert gate.on_hand("MUG") == (9, 2)


def test_an_order_that_is_not_there_does_not_ship(gate: Desk) -> None:
    for attempt in (gate.world.shop.orders.fulfill, gate.world.shop.orders.complete):
        with pytest.raises(NotFoundError):
            attempt(OrderId(new_id()))


def test_shipping_with_a_key_can_be_repeated(gate: Desk) -> None:
    fulfill = gate.world.shop.orders.fulfill
    first = fulfill(gate.id, lines={"MUG": 2}, idempotency_key="one")
    again = fulfill(gate.id, lines={"MUG": 2}, idempotency_key="one")
    assert (again.value, again.replayed, first.replayed) == (first.value, True, False)
    assert again.value.fulfillments[-1] == first.value.fulfillments[-1]
    assert gate.parcels() == [{"MUG": 2}]
    for other in ({"lines": {"MUG": 1}}, {}, {"lines": {"MUG": 2}, "carrier": "Snail"}):
        with pytest.raises(IdempotencyMismatchError):
            fulfill(gate.id, **other, idempotency_key="one")


@pytest.mark.parametrize(
    "tracking",
    [
        {"url": "javascript:alert(1)"},
        {"url": "ftp://snail.example/1"},
        {"url": "snail.example/1"},
        {"url": "https://"},
        {"url": "https:///1"},
        {"url": "http://[::1"},
        {"url": "https://snail.example:port/"},
        {"url": 'https://snail.example/"onload="x'},
        {"url": "https://snail.example/a b"},
        {"url": "https://snail.example/<b>"},
        {"url": "https://snäil.example/"},
        {"url": "https://snail.example/\n"},
        {"url": "https://snail.example/" + "x" * 2_000},
        {"number": "1\r\nBcc: all@example.com"},
        {"number": "x" * 101},
        {"number": " "},
        {"carrier": "\x1b[31m"},
        {"carrier": "x" * 101},
    ],
)
def test_tracking_that_is_none_is_refused(tracking: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError):
        Tracking(**tracking)


@pytest.mark.parametrize(
    "url", ["", "http://snail.example", "https://snail.example:8443/t?id=1&x=%C3%A4#parcel"]
)
def test_tracking_is_a_web_address_or_nothing(url: str) -> None:
    assert Tracking(carrier=AWKWARD, number=AWKWARD, url=url).url == url


def test_the_shopper_is_mailed_once_about_each_parcel(gate: Desk) -> None:
    fulfill = gate.world.shop.orders.fulfill
    fulfill(gate.id, lines={"MUG": 2}, tracking_number="SN-1")
    fulfill(gate.id, tracking_number="SN-2")
    gate.world.run()
    gate.world.run(days=1)
    parcels = [m.parcel for m in gate.world.notifier.sent if m.kind == "order_shipped"]
    assert [parcel.tracking_number for parcel in parcels if parcel] == ["SN-1", "SN-2"]
    assert gate.world.mails() == ["order_confirmation", "order_shipped", "order_shipped"]


def test_a_mail_about_a_parcel_waits_until_it_can_be_sent(gate: Desk) -> None:
    gate.world.notifier.is_down = True
    gate.ship()
    gate.world.run()
    gate.world.notifier.is_down = False
    gate.world.run(minutes=1)
    assert gate.world.mails() == ["order_confirmation", "order_shipped"]


def test_the_shopper_is_mailed_once_about_each_refund(gate: Desk) -> None:
    for amount, reason in ((100, "a chip"), (250, "")):
        gate.world.shop.orders.refund(gate.id, amount=Money(amount, "EUR"), reason=reason)
        gate.world.run()
    gate.world.run(days=1)
    mails = [m for m in gate.world.notifier.sent if m.kind == "order_refunded"]
    assert [(m.amount, m.note) for m in mails] == [
        (Money(100, "EUR"), "a chip"),
        (Money(250, "EUR"), ""),
    ]


def test_an_order_that_expired_is_told_to_be_canceled_and_why() -> None:
    world = World()
    placed = world.order(token="tok_declined")
    world.run()
    world.run(hours=3)
    assert world.status(placed.order.id) is OrderStatus.EXPIRED
    world.run(days=1)
    assert world.mails() == ["payment_failed", "order_canceled"]
    assert world.notifier.sent[-1].note == "it was not paid in time"


def test_an_order_that_shipped_wholly_can_be_completed_once(gate: Desk) -> None:
    complete = gate.world.shop.orders.complete
    gate.ship(MUG=1)
    with pytest.raises(OrderStateError):
        complete(gate.id)
    gate.ship()
    done = complete(gate.id)
    assert done == gate.world.shop.orders.get(gate.id)
    assert (done.status, len(done.fulfillments)) == (OrderStatus.COMPLETED, 2)
    with pytest.raises(OrderStateError):
        complete(gate.id)


def test_the_timeline_tells_of_parcels_refunds_and_notes(gate: Desk) -> None:
    orders = gate.world.shop.orders
    orders.add_note(gate.id, AWKWARD)
    fulfilled = orders.fulfill(gate.id, carrier="Snail", tracking_number="SN-1")
    orders.refund(gate.id, amount=Money(100, "EUR"), reason="a chip")
    gate.world.run()
    orders.complete(gate.id)
    told = [(entry.kind, entry.facts) for entry in orders.timeline(gate.id)][2:]
    assert told == [
        ("OrderNoted", {"note": AWKWARD}),
        (
            "OrderShipped",
            {
                "fulfillment_id": str(fulfilled.value.fulfillments[-1].id),
                "tracking_number": "SN-1",
                "carrier": "Snail",
            },
        ),
        ("OrderRefunded", {"amount_minor": "100", "currency": "EUR", "reason": "a chip"}),
        ("OrderCompleted", {}),
    ]


def test_a_note_is_taken_in_any_status(gate: Desk) -> None:
    add_note = gate.world.shop.orders.add_note
    pending = gate.world.order()
    gate.world.shop.orders.cancel(pending.order.id)
    for order_id in (gate.id, pending.order.id):
        add_note(order_id, "called\nand waits")
        assert gate.world.timeline(order_id)[-1] == "OrderNoted"
    with pytest.raises(NotFoundError):
        add_note(OrderId(new_id()), "x")


@pytest.mark.parametrize("note", ["", " \n", "x" * (MAX_NOTE_LENGTH + 1), "\x1b[31m"])
def test_a_note_that_cannot_be_read_is_refused(gate: Desk, note: str) -> None:
    with pytest.raises(InvalidValueError):
        gate.world.shop.orders.add_note(gate.id, note)
