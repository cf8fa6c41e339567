"""Use cases for stock."""

from quickshop.application.inventory.levels import (
    AdjustStock,
    CountStock,
    ReceiveStock,
    StockChange,
    get_or_create_location,
)
from quickshop.application.inventory.transfers import (
    StockTransfer,
    TransferStock,
)
from quickshop.application.inventory.upkeep import (
    MAX_STRIPES,
    ConfigureStock,
    ListLocations,
    ListStock,
    ReconcileStock,
)

__all__ = [
    "MAX_STRIPES",
    "AdjustStock",
    "ConfigureStock",
    "CountStock",
    "ListLocations",
    "ListStock",
    "ReceiveStock",
    "ReconcileStock",
    "StockChange",
    "StockTransfer",
    "TransferStock",
    "get_or_create_location",
]
