"""Inventory: stock levels by location, and the ledger of every change.

Counters change only by `StockMovement`s, which are never edited: the counters of a level always
equal the sums of its movements.
"""

from quickshop.domain.inventory.ledger import (
    MAX_LEDGER_REASON_LENGTH,
    Allocation,
    AllocationId,
    Hold,
    HoldEnd,
    HoldId,
    HoldOwner,
    MovementKind,
    ShippedUnits,
    StockMovement,
    choose_shipped,
    lock_order,
    require_ledger_reason,
)
from quickshop.domain.inventory.levels import (
    COUNTERS,
    MAX_LOCATION_LENGTH,
    MAX_STRIPES,
    MAX_UNITS,
    UNLIMITED_BACKORDER,
    Location,
    LocationId,
    StockDiscrepancy,
    StockLevel,
    require_location,
)
from quickshop.domain.inventory.notices import (
    BackInStock,
    LevelChange,
    LowStock,
    OutOfStock,
    StockEvent,
)
from quickshop.domain.inventory.sourcing import (
    STRATEGIES,
    Demand,
    Pick,
    SourcingStrategy,
    by_priority,
    fewest_parcels,
    plan_allocation,
)

__all__ = [
    "COUNTERS",
    "MAX_LEDGER_REASON_LENGTH",
    "MAX_LOCATION_LENGTH",
    "MAX_STRIPES",
    "MAX_UNITS",
    "STRATEGIES",
    "UNLIMITED_BACKORDER",
    "Allocation",
    "AllocationId",
    "BackInStock",
    "Demand",
    "Hold",
    "HoldEnd",
    "HoldId",
    "HoldOwner",
    "LevelChange",
    "Location",
    "LocationId",
    "LowStock",
    "MovementKind",
    "OutOfStock",
    "Pick",
    "ShippedUnits",
    "SourcingStrategy",
    "StockDiscrepancy",
    "StockEvent",
    "StockLevel",
    "StockMovement",
    "by_priority",
    "choose_shipped",
    "fewest_parcels",
    "lock_order",
    "plan_allocation",
    "require_ledger_reason",
    "require_location",
]
