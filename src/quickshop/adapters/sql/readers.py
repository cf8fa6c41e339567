"""All SQL readers of a shop."""

from __future__ import annotations

from sqlalchemy import Engine

from quickshop.adapters.sql.cart import SqlCartReader
from quickshop.adapters.sql.catalog_reader import SqlProductReader
from quickshop.adapters.sql.customers import SqlCustomerReader
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.identity import SqlIdentityReader
from quickshop.adapters.sql.imports import SqlImportReader
from quickshop.adapters.sql.inventory_reader import SqlStockReader
from quickshop.adapters.sql.orders import SqlOrderReader
from quickshop.ports.readers import Readers


def sql_readers(engine: Engine, dialect: SqlDialect) -> Readers:
    """Build every reader on one engine."""
    return Readers(
        products=SqlProductReader(engine, dialect),
        carts=SqlCartReader(engine, dialect),
        orders=SqlOrderReader(engine, dialect),
        stock=SqlStockReader(engine, dialect),
        imports=SqlImportReader(engine, dialect),
        customers=SqlCustomerReader(engine, dialect),
        identity=SqlIdentityReader(engine, dialect),
    )
