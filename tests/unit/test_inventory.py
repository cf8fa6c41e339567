"""Which stock serves an order, and what a level may hold."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, OutOfStockError
from quickshop.domain.inventory import (
    MAX_UNITS,
    Allocation,
    AllocationId,
    Demand,
    LocationId,
    MovementKind,
    StockDiscrepancy,
    StockLevel,
    StockMovement,
    lock_order,
    plan_allocation,
)
from tests.builders import NOW, new_id

VARIANTS = [VariantId(UUID(int=n)) for n in range(1, 4)]
PLACES = [LocationId(UUID(int=n)) for n in range(101, 104)]


def a_level(variant: int = 0, place: int = 0, **counters: int) -> StockLevel:
    return StockLevel(
        variant_id=VARIANTS[variant],
        sku=f"SKU-{variant}",
        location_id=PLACES[place],
        **counters,
    )


def a_demand(quantity: int, variant: int = 0) -> Demand:
    return Demand(new_id(), VARIANTS[variant], f"SKU-{variant}", quantity)


def a_movement(**more: Any) -> StockMovement:
    given: dict[str, Any] = {
        "kind": MovementKind.ADJUSTED,
        "variant_id": VARIANTS[0],
        "sku": "SKU-0",
        "location_id": PLACES[0],
        "occurred_at": NOW,
    }
    return StockMovement(**(given | more))


LEVELS = st.lists(
    st.builds(
        lambda variant, place, on_hand, limit, priority: a_level(
            variant, place, on_hand=on_hand, backorder_limit=limit, location_priority=priority
        ),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 20),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    max_size=9,
    unique_by=lambda level: (level.variant_id, level.location_id),
)
DEMANDS = st.lists(st.builds(a_demand, st.integers(1, 12), st.integers(0, 2)), max_size=6)


@given(DEMANDS, LEVELS)
def test_a_plan_meets_every_demand_from_what_there_is_or_is_refused(
    demands: list[Demand], levels: list[StockLevel]
) -> None:
    wanted: defaultdict[VariantId, int] = defaultdict(int)
    there: defaultdict[VariantId, int] = defaultdict(int)
    for demand in demands:
        wanted[demand.variant_id] += demand.quantity
    for level in levels:
        there[level.variant_id] += level.available
    if any(wanted[variant] > there[variant] for variant in VARIANTS):
        with pytest.raises(OutOfStockError) as caught:
            plan_allocation(demands, levels)
        error = caught.value
        variant = VARIANTS[int(error.sku[-1])]
        assert (error.requested, error.available) == (wanted[variant], there[variant])
        assert error.requested > error.available
        return
    picks = plan_allocation(demands, levels)
    for demand in demands:
        assert sum(p.quantity for p in picks if p.demand is demand) == demand.quantity
    for level in levels:
        taken = sum(pick.quantity for pick in picks if pick.level is level)
        assert taken <= level.available
    assert all(pick.quantity > 0 for pick in picks)
    assert all(pick.level.variant_id == pick.demand.variant_id for pick in picks)
    locks = [lock_order(pick.level) for pick in picks]
    assert locks == sorted(locks)


def test_the_place_of_the_lowest_priority_ships_first() -> None:
    near = a_level(place=0, on_hand=3, location_priority=5)
    far = a_level(place=1, on_hand=3, location_priority=1)
    picks = plan_allocation([a_demand(4)], [near, far])
    assert {pick.level.location_id: pick.quantity for pick in picks} == {
        far.location_id: 3,
        near.location_id: 1,
    }


def test_naming_a_sku_twice_buys_no_more_than_there_is() -> None:
    with pytest.raises(OutOfStockError) as caught:
        plan_allocation([a_demand(3), a_demand(3)], [a_level(on_hand=5)])
    error = caught.value
    assert (error.sku, error.requested, error.available) == ("SKU-0", 6, 5)


def test_what_nobody_stocks_is_out_of_stock() -> None:
    with pytest.raises(OutOfStockError):
        plan_allocation([a_demand(1)], [])


def test_no_demand_needs_no_plan() -> None:
    assert plan_allocation([], [a_level(on_hand=5)]) == []


def test_what_can_be_bought_is_what_is_there_and_not_promised() -> None:
    level = a_level(on_hand=10, allocated=3, held=2, backorder_limit=4)
    assert level.available == 9


@pytest.mark.parametrize(
    "counters",
    [
        {"on_hand": -1},
        {"on_hand": 1, "allocated": 2},
        {"on_hand": 1, "held": 2},
        {"allocated": -1},
        {"held": -1},
        {"backorder_limit": -1},
        {"on_hand": MAX_UNITS + 2, "allocated": MAX_UNITS + 1},
    ],
)
def test_a_level_that_promises_more_than_it_may_is_refused(counters: dict[str, int]) -> None:
    with pytest.raises(InvalidValueError):
        a_level(**counters)


def test_a_level_may_go_below_zero_by_its_back_order_limit() -> None:
    assert a_level(on_hand=-2, allocated=1, backorder_limit=3).available == 0


@pytest.mark.parametrize("counter", ["on_hand", "allocated", "held"])
def test_a_movement_too_large_to_be_true_is_refused(counter: str) -> None:
    with pytest.raises(InvalidValueError):
        a_movement(**{counter: -MAX_UNITS - 1})


def test_an_allocation_is_taken_and_given_back_in_full() -> None:
    allocation = Allocation(
        id=AllocationId(new_id()),
        order_id=new_id(),
        order_line_id=new_id(),
        variant_id=VARIANTS[0],
        sku="SKU-0",
        location_id=PLACES[0],
        quantity=3,
    )
    taken, released = allocation.taken(NOW), allocation.released(NOW)
    assert (taken.kind, taken.allocated) == (MovementKind.ALLOCATED, 3)
    assert (released.kind, released.allocated) == (MovementKind.RELEASED, -3)
    assert taken.order_id == released.order_id == allocation.order_id


def test_an_adjustment_moves_the_shelf_alone() -> None:
    movement = StockMovement.adjustment(a_level(on_hand=5), -2, reason="broken", now=NOW)
    assert (movement.on_hand, movement.allocated, movement.held) == (-2, 0, 0)
    assert (movement.kind, movement.reason) == (MovementKind.ADJUSTED, "broken")


def test_a_discrepancy_reads_as_a_sentence() -> None:
    wrong = StockDiscrepancy(
        variant_id=VariantId(new_id()),
        location_id=LocationId(new_id()),
        sku="MUG",
        location="main",
        counter="on_hand",
        recorded=7,
        expected=5,
    )
    assert str(wrong) == "MUG at main: on_hand is 7, expected 5"
