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
    ConfigureStock,
    ListLocations,
    ListStock,
    ReconcileStock,
)

__all__ = [
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
