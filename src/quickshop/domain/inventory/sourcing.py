"""Sourcing: strategies that choose the stock levels for the lines of an order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Final, Protocol
from uuid import UUID

from quickshop.domain.catalog import VariantId
from quickshop.domain.customers import Address
from quickshop.domain.errors import OutOfStockError, SourcingPlanError
from quickshop.domain.inventory.ledger import lock_order
from quickshop.domain.inventory.levels import LocationId, StockLevel


@dataclass(frozen=True, slots=True)
class Demand:
    """Units that one order line needs."""

    order_line_id: UUID
    variant_id: VariantId
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Pick:
    """Units of a demand, taken from one level."""

    demand: Demand
    level: StockLevel
    quantity: int


class SourcingStrategy(Protocol):
    """Chooses the locations that ship an order. It can be a plain function."""

    def __call__(
        self,
        demands: Sequence[Demand],
        levels: Sequence[StockLevel],
        destination: Address | None,
    ) -> Sequence[Pick]:
        """Return picks for every unit of every demand, from levels with enough units.

        A demand may be split over levels, and a level may serve several demands. When this is
        called, `levels` have enough units of every SKU in sum. A level whose `available` is 0 or
        less has none.

        Raises:
            OutOfStockError: the available units cannot be shipped to this destination.
        """
        ...


def plan_allocation(
    demands: Sequence[Demand],
    levels: Iterable[StockLevel],
    *,
    destination: Address | None = None,
    sourcing: SourcingStrategy | None = None,
) -> list[Pick]:
    """Return the picks that meet all demands, in lock order: SKU, then location.

    Demands for one SKU are added up before they are compared with the stock, so two lines with the
    same SKU cannot take more than is available.

    Raises:
        OutOfStockError: a demand cannot be met; the error names the first such SKU.
        SourcingPlanError: the strategy returned an invalid plan.
    """
    known = list(levels)
    for demand in sorted(demands, key=lambda demand: demand.sku):
        _require_enough(demand, demands, known)
    picks = (sourcing or by_priority)(demands, known, destination)
    _require_whole_plan(demands, known, picks)
    return sorted(picks, key=lambda pick: lock_order(pick.level))


def _require_enough(
    demand: Demand, demands: Sequence[Demand], levels: Sequence[StockLevel]
) -> None:
    own = (level for level in levels if level.variant_id == demand.variant_id)
    requested = sum(d.quantity for d in demands if d.variant_id == demand.variant_id)
    available = sum(max(0, level.available) for level in own)
    if requested > available:
        raise OutOfStockError(demand.sku, requested=requested, available=available)


def _require_whole_plan(
    demands: Sequence[Demand], levels: Sequence[StockLevel], picks: Sequence[Pick]
) -> None:
    """Check a plan. An invalid one is a bug of the strategy, not a lack of stock.

    Raises:
        SourcingPlanError: the plan breaks a rule, which the error names.
    """
    needed, planned = Counter[Demand](), Counter[Demand]()
    for demand in demands:
        needed[demand] += demand.quantity
    taken = Counter[tuple[VariantId, LocationId]]()
    for pick in picks:
        _require_sound_pick(pick)
        planned[pick.demand] += pick.quantity
        taken[_place(pick.level)] += pick.quantity
    if planned != needed:
        raise SourcingPlanError("must plan every unit of every demand, and no more")
    free = {_place(level): max(0, level.available) for level in levels}
    if any(units > free.get(place, 0) for place, units in taken.items()):
        raise SourcingPlanError("must take at most the available units of a level")


def _require_sound_pick(pick: Pick) -> None:
    if not issubclass(type(pick), Pick):
        raise SourcingPlanError("must return picks")
    if type(pick.quantity) is not int or pick.quantity < 1:
        raise SourcingPlanError("must pick at least 1 unit at a time")
    if pick.demand.variant_id != pick.level.variant_id:
        raise SourcingPlanError("must serve a demand from levels of its own variant")


def by_priority(
    demands: Sequence[Demand],
    levels: Sequence[StockLevel],
    destination: Address | None = None,  # noqa: ARG001 - priorities are the same for every destination
) -> Sequence[Pick]:
    """Take units from the locations in order of `priority`, splitting demands if necessary."""
    by_variant: defaultdict[VariantId, list[StockLevel]] = defaultdict(list)
    for level in sorted(levels, key=lambda level: (level.location_priority, level.location_id)):
        by_variant[level.variant_id].append(level)
    left = {_place(level): max(0, level.available) for level in levels}
    picks: list[Pick] = []
    for demand in sorted(demands, key=lambda demand: demand.sku):
        missing = demand.quantity
        for level in by_variant[demand.variant_id]:
            if quantity := min(missing, left[_place(level)]):
                picks.append(Pick(demand, level, quantity))
                left[_place(level)] -= quantity
                missing -= quantity
    return picks


def fewest_parcels(
    demands: Sequence[Demand],
    levels: Sequence[StockLevel],
    destination: Address | None = None,
) -> Sequence[Pick]:
    """Ship from as few locations as possible; of equally few, from those of lowest `priority`.

    Falls back to `by_priority` when none of the first `MAX_TRIED` sets of locations suffices.
    """
    needed = Counter[VariantId]()
    for demand in demands:
        needed[demand.variant_id] += demand.quantity
    priority = {level.location_id: level.location_priority for level in levels}
    places = sorted(priority, key=lambda place: (priority[place], place))
    sets = (chosen for size in range(1, len(places)) for chosen in combinations(places, size))
    for chosen in islice(sets, MAX_TRIED):
        few = [level for level in levels if level.location_id in chosen]
        if _suffice(few, needed):
            return by_priority(demands, few, destination)
    return by_priority(demands, levels, destination)


MAX_TRIED: Final = 2_000
"""Most sets of locations that `fewest_parcels` tries."""

STRATEGIES: Final[Mapping[str, SourcingStrategy]] = {
    "by_priority": by_priority,
    "fewest_parcels": fewest_parcels,
}
"""The strategies that a setting can name."""


def _suffice(levels: Collection[StockLevel], needed: Counter[VariantId]) -> bool:
    there = Counter[VariantId]()
    for level in levels:
        there[level.variant_id] += max(0, level.available)
    return needed <= there


def _place(level: StockLevel) -> tuple[VariantId, LocationId]:
    return (level.variant_id, level.location_id)
