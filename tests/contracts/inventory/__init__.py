"""The contract of repositories of stock."""

from tests.contracts.inventory.levels import LevelContract
from tests.contracts.inventory.promises import PromiseContract
from tests.contracts.inventory.steps import a_level, again, allocate, an_order_for, ship

__all__ = ["StockRepositoryContract", "a_level", "again", "allocate", "an_order_for", "ship"]


class StockRepositoryContract(LevelContract, PromiseContract):
    """Levels move with the ledger, and orders are promised what lies there."""
