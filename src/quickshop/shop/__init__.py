"""The public API of the library: every use case as a typed call, grouped by context.

Each context has one module: the group of its use cases, and how they connect to the ports.
"""

from quickshop.ports.readers import Readers
from quickshop.shop.accounts import Accounts, Staff
from quickshop.shop.building import build_shop
from quickshop.shop.cart import Carts
from quickshop.shop.catalog import Products
from quickshop.shop.customers import Customers
from quickshop.shop.front import Shop
from quickshop.shop.imports import Imports
from quickshop.shop.inventory import Inventory
from quickshop.shop.jobs import Jobs
from quickshop.shop.orders import Orders
from quickshop.shop.payments import Payments
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Caches, Core, Outside, Queueing, Security

__all__ = [
    "Accounts",
    "Caches",
    "Carts",
    "Core",
    "Customers",
    "Imports",
    "Inventory",
    "Jobs",
    "Orders",
    "Outside",
    "Payments",
    "Policy",
    "Products",
    "Queueing",
    "Readers",
    "Security",
    "Shop",
    "Staff",
    "build_shop",
]
