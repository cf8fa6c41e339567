"""The readers of a shop, as one bundle."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.ports.cart import CartReader
from quickshop.ports.catalog import ProductReader
from quickshop.ports.customers import CustomerReader
from quickshop.ports.identity import IdentityReader
from quickshop.ports.imports import ImportReader
from quickshop.ports.inventory import StockReader
from quickshop.ports.orders import OrderReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """All readers that need no transaction."""

    products: ProductReader
    carts: CartReader
    orders: OrderReader
    stock: StockReader
    imports: ImportReader
    customers: CustomerReader
    identity: IdentityReader
