"""What may happen to a stock level is stated once, by the level itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, OutOfStockError
from quickshop.domain.inventory import MAX_UNITS, LocationId, StockLevel
from tests.builders import new_id


def a_level(**counters: int | None) -> StockLevel:
    return StockLevel(
        variant_id=VariantId(new_id()),
        sku="MUG",
        location_id=LocationId(new_id()),
        **counters,  # type: ignore[arg-type]
    )


def test_units_come_in_are_promised_and_leave() -> None:
    level = a_level(on_hand=2).moved(on_hand=3).moved(held=4).moved(held=-4, allocated=4)
    assert (level.on_hand, level.allocated, level.held, level.free) == (5, 4, 0, 1)
    gone = level.moved(on_hand=-4, allocated=-4)
    assert (gone.on_hand, gone.allocated, gone.available) == (1, 0, 1)


@pytest.mark.parametrize("change", [{"allocated": 6}, {"held": 6}, {"on_hand": -6}])
def test_never_more_is_taken_than_there_is(change: dict[str, int]) -> None:
    with pytest.raises(OutOfStockError) as caught:
        a_level(on_hand=4, backorder_limit=1).moved(**change)
    assert (caught.value.sku, caught.value.requested, caught.value.available) == ("MUG", 6, 5)


def test_the_last_unit_can_be_taken() -> None:
    level = a_level(on_hand=4, backorder_limit=1)
    assert level.moved(allocated=5).available == 0


def test_what_is_given_back_is_always_taken() -> None:
    level = a_level(allocated=3, backorder_limit=3)
    assert level.moved(allocated=-1).available == 1


def test_a_shelf_holds_so_many_units_at_most() -> None:
    full = a_level(on_hand=MAX_UNITS)
    with pytest.raises(InvalidValueError, match="must leave at most"):
        full.moved(on_hand=1)


def test_units_that_were_never_promised_cannot_be_given_back() -> None:
    with pytest.raises(InvalidValueError, match="allocated"):
        a_level(on_hand=3, allocated=1).moved(allocated=-2)


units = st.integers(-20, 20)


@given(st.integers(0, 20), st.integers(0, 20), units, units, units)
def test_no_movement_leaves_a_level_oversold(
    on_hand: int, limit: int, more: int, allocated: int, held: int
) -> None:
    level = a_level(on_hand=on_hand, backorder_limit=limit)
    try:
        after = level.moved(on_hand=more, allocated=allocated, held=held)
    except (OutOfStockError, InvalidValueError):
        return
    assert after.available == level.available + more - allocated - held >= 0


def test_a_level_gets_another_limit_and_threshold_and_keeps_what_is_not_named() -> None:
    level = a_level(on_hand=5).configured(backorder_limit=2)
    assert (level.backorder_limit, level.low_stock_threshold) == (2, None)
    level = level.configured(low_stock_threshold=3)
    assert (level.backorder_limit, level.low_stock_threshold) == (2, 3)
    assert level.configured() == level


def test_a_limit_covers_what_was_sold_beyond_what_is_there() -> None:
    level = a_level(allocated=3, backorder_limit=5)
    assert level.configured(backorder_limit=3).available == 0
    with pytest.raises(InvalidValueError, match="backorder_limit: must cover"):
        level.configured(backorder_limit=2)


@pytest.mark.parametrize("name", ["backorder_limit", "low_stock_threshold"])
@pytest.mark.parametrize("wrong", [-1, MAX_UNITS + 1, 1.5, True])
def test_a_limit_and_a_threshold_are_whole_numbers_within_bounds(name: str, wrong: int) -> None:
    with pytest.raises(InvalidValueError, match=name):
        a_level(on_hand=5).configured(**{name: wrong})
