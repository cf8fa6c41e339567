"""All memory readers of a shop."""

from __future__ import annotations

from quickshop.adapters.memory.cart import MemoryCartReader
from quickshop.adapters.memory.catalog_reader import MemoryProductReader
from quickshop.adapters.memory.customers import MemoryCustomerReader
from quickshop.adapters.memory.identity_reader import MemoryIdentityReader
from quickshop.adapters.memory.imports import MemoryImportReader
from quickshop.adapters.memory.inventory import MemoryStockReader
from quickshop.adapters.memory.orders import MemoryOrderReader
from quickshop.adapters.memory.state import MemoryStore
from quickshop.ports.readers import Readers


def memory_readers(store: MemoryStore) -> Readers:
    """Build every reader on one store."""
    return Readers(
        products=MemoryProductReader(store),
        carts=MemoryCartReader(store),
        orders=MemoryOrderReader(store),
        stock=MemoryStockReader(store),
        imports=MemoryImportReader(store),
        customers=MemoryCustomerReader(store),
        identity=MemoryIdentityReader(store),
    )
