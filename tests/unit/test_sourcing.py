"""Which locations serve an order, and that a plan is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickshop import Address, Money, NewVariant, OutOfStockError, PaymentSource, open_shop
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import SourcingPlanError
from quickshop.domain.inventory import (
    STRATEGIES,
    Demand,
    LocationId,
    Pick,
    SourcingStrategy,
    StockLevel,
    fewest_parcels,
    plan_allocation,
)
from tests.builders import an_address, new_id

VARIANTS = [VariantId(UUID(int=n)) for n in range(1, 4)]
PLACES = [LocationId(UUID(int=n)) for n in range(101, 106)]


def a_level(variant: int, place: int, units: int, *, priority: int = 0) -> StockLevel:
    return StockLevel(
        variant_id=VARIANTS[variant],
        sku=f"SKU-{variant}",
        location_id=PLACES[place],
        on_hand=units,
        location_priority=priority,
    )


def a_demand(quantity: int, variant: int = 0) -> Demand:
    return Demand(new_id(), VARIANTS[variant], f"SKU-{variant}", quantity)


def places(picks: Sequence[Pick]) -> set[int]:
    return {PLACES.index(pick.level.location_id) for pick in picks}


LEVELS = st.lists(
    st.builds(
        a_level,
        st.integers(0, 2),
        st.integers(0, 4),
        st.integers(0, 9),
        priority=st.integers(0, 2),
    ),
    max_size=12,
    unique_by=lambda level: (level.variant_id, level.location_id),
)
DEMANDS = st.lists(st.builds(a_demand, st.integers(1, 9), st.integers(0, 2)), max_size=4)


@given(DEMANDS, LEVELS, st.sampled_from(sorted(STRATEGIES)))
def test_every_strategy_plans_every_order_that_can_be_served(
    demands: list[Demand], levels: list[StockLevel], name: str
) -> None:
    needed, there = Counter[VariantId](), Counter[VariantId]()
    for demand in demands:
        needed[demand.variant_id] += demand.quantity
    for level in levels:
        there[level.variant_id] += level.available
    if needed <= there:
        picks = plan_allocation(demands, levels, sourcing=STRATEGIES[name])
        assert sum(pick.quantity for pick in picks) == sum(needed.values())
    else:
        with pytest.raises(OutOfStockError):
            plan_allocation(demands, levels, sourcing=STRATEGIES[name])


@given(DEMANDS, LEVELS)
def test_no_plan_needs_fewer_parcels_than_that_of_fewest_parcels(
    demands: list[Demand], levels: list[StockLevel]
) -> None:
    try:
        picks = plan_allocation(demands, levels, sourcing=fewest_parcels)
    except OutOfStockError:
        return
    for fewer in combinations(range(len(PLACES)), max(0, len(places(picks)) - 1)):
        some = [level for level in levels if PLACES.index(level.location_id) in fewer]
        if demands:
            with pytest.raises(OutOfStockError):
                plan_allocation(demands, some)


def test_one_parcel_is_sent_although_the_first_place_has_part_of_it() -> None:
    levels = [a_level(0, 0, 1), a_level(0, 1, 5, priority=9), a_level(1, 1, 5, priority=9)]
    demands = [a_demand(2, 0), a_demand(1, 1)]
    assert places(plan_allocation(demands, levels, sourcing=fewest_parcels)) == {1}
    assert places(plan_allocation(demands, levels)) == {0, 1}


def test_among_equals_the_place_of_the_lowest_priority_ships() -> None:
    levels = [a_level(0, 0, 5, priority=7), a_level(0, 1, 5, priority=3)]
    assert places(plan_allocation([a_demand(2)], levels, sourcing=fewest_parcels)) == {1}


def too_little(demands: Sequence[Demand], levels: Sequence[StockLevel], _to: object) -> list[Pick]:
    return [Pick(demand, levels[0], demand.quantity) for demand in demands[1:]]


def too_much(demands: Sequence[Demand], levels: Sequence[StockLevel], _to: object) -> list[Pick]:
    return [Pick(demand, levels[0], demand.quantity + 1) for demand in demands]


def not_there(demands: Sequence[Demand], levels: Sequence[StockLevel], _to: object) -> list[Pick]:
    return [Pick(demand, levels[-1], demand.quantity) for demand in demands]


def of_another(demands: Sequence[Demand], _levels: object, _to: object) -> list[Pick]:
    return [Pick(demand, a_level(1, 0, 9), demand.quantity) for demand in demands]


def none_at_all(
    demands: Sequence[Demand], levels: Sequence[StockLevel], _to: object
) -> list[Pick]:
    whole = [Pick(demand, levels[0], demand.quantity) for demand in demands]
    return [*whole, Pick(demands[0], levels[0], 0)]


@pytest.mark.parametrize("plan", [too_little, too_much, not_there, of_another, none_at_all])
def test_a_plan_that_is_not_whole_is_refused(plan: SourcingStrategy) -> None:
    levels = [a_level(0, 0, 9), a_level(0, 1, 1)]
    with pytest.raises(SourcingPlanError, match="a sourcing strategy"):
        plan_allocation([a_demand(2), a_demand(2)], levels, sourcing=plan)


def nearest(home: str) -> Callable[..., Sequence[Pick]]:
    """Ships abroad from the place of the highest priority, at home from that of the lowest."""

    def plan(
        demands: Sequence[Demand], levels: Sequence[StockLevel], destination: Address | None
    ) -> Sequence[Pick]:
        abroad = destination is not None and destination.country != home
        chosen = sorted(levels, key=lambda level: level.on_hand, reverse=abroad)[0]
        return [Pick(demand, chosen, demand.quantity) for demand in demands]

    return plan


@pytest.mark.parametrize(("country", "where"), [("US", "main"), ("PL", "depot")])
def test_a_shop_can_bring_a_strategy_of_its_own(country: str, where: str) -> None:
    with open_shop("memory://", sourcing=nearest("US")) as shop:
        variant = NewVariant(sku="MUG", price=Money(1250, "USD"))
        shop.products.create(title="Mug", variants=[variant])
        shop.inventory.receive("MUG", 3)
        shop.inventory.receive("MUG", 9, location="depot")
        cart = shop.carts.create()
        shop.carts.add_line(cart.cart.id, cart.token, sku="MUG", quantity=2)
        shop.orders.place(
            cart.cart.id,
            cart.token,
            email="ada@example.com",
            shipping_address=an_address(country=country),
            payment=PaymentSource("tok_ok"),
        )
        taken = {level.location: level.allocated for level in shop.inventory.list().items}
        assert {place for place, units in taken.items() if units} == {where}
