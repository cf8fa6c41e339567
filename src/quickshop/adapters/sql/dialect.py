"""The differences between the databases, implemented in `postgres.py` and `sqlite.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Engine

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.stock_moves import Change, Moved, Place
from quickshop.settings import Settings


class SqlDialect(Protocol):
    """The operations that each kind of database implements in its own way."""

    migrates_itself: bool
    """Whether opening a shop creates a missing schema: true for files, false for servers."""

    def open_engine(self, settings: Settings) -> Engine:
        """Create a pool of connections with all timeouts set."""
        ...

    def autocommit(self, engine: Engine) -> Engine:
        """Return the same pool in autocommit mode, for single statements."""
        ...

    def durability_warnings(self, engine: Engine) -> Sequence[str]:
        """Return why a power failure may lose committed data, each with the setting to use.

        Raises:
            TransientError: the database cannot be reached.
        """
        ...

    def next_order_number(self, connection: BatchingConnection) -> int:
        """Return an unused order number. No number is returned twice."""
        ...

    def reserve_key(self, connection: BatchingConnection, row: dict[str, object]) -> bool:
        """Insert an idempotency key; False if it exists or is being written. Never waits."""
        ...

    def insert_if_absent(
        self, connection: BatchingConnection, table: str, row: dict[str, object]
    ) -> bool:
        """Insert a row into the table of this name; False if its key exists."""
        ...

    def move_levels(
        self,
        connection: BatchingConnection,
        changes: Sequence[Change],
        *,
        striped: Collection[Place] = (),
        low_stock_threshold: int | None,
    ) -> Mapping[Place, Moved | None]:
        """Move the counters of each level with enough units, locking levels in the given order.

        Returns the new counters of each moved level, or None if the level did not cross a
        threshold that causes a notification. `low_stock_threshold` applies to levels without one
        of their own. `striped` lists levels that were striped when read; this may have changed.
        """
        ...

    def stripe_level(
        self,
        connection: BatchingConnection,
        place: Place,
        stripes: int | None,
        *,
        low_stock_threshold: int | None,
    ) -> None:
        """Spread a level over this number of rows, on databases where writers would wait for it.

        After a change of its threshold, call it with None.
        """
        ...

    def index_words(self, connection: BatchingConnection, product_id: UUID, words: str) -> None:
        """Index a product under these words."""
        ...

    def has_words(self, words: Sequence[str]) -> ColumnElement[bool]:
        """Return the condition that each of these words starts a word of the product."""
        ...
