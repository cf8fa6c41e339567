"""All that a database holds, table by table."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import MetaData, create_engine, select

Tables = Mapping[str, list[tuple[object, ...]]]


def dump(database_url: str) -> Tables:
    """Every row of every table."""
    engine, metadata = create_engine(database_url), MetaData()
    try:
        metadata.reflect(engine)
        with engine.connect() as connection:
            return {
                name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()
