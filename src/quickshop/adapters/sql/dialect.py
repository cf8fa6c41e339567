"""What differs between the databases. `postgres.py` and `sqlite.py` each fill one of these in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Engine

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.stock_moves import Change, Moved, Place
from quickshop.settings import Settings


class SqlDialect(Protocol):
    """How one kind of database does what the others do otherwise."""

    migrates_itself: bool
    """Whether opening a shop creates a schema that is not there: for files, not servers."""

    def open_engine(self, settings: Settings) -> Engine:
        """A pool of connections with every timeout set."""
        ...

    def autocommit(self, engine: Engine) -> Engine:
        """The same pool, for single statements that need no transaction."""
        ...

    def durability_warnings(self, engine: Engine) -> Sequence[str]:
        """Why what was committed may be gone after a power failure, and what would be right.

        Raises:
            TransientError: the database cannot be reached.
        """
        ...

    def next_order_number(self, connection: BatchingConnection) -> int:
        """A number that no order has, and that nobody else is given."""
        ...

    def reserve_key(self, connection: BatchingConnection, row: dict[str, object]) -> bool:
        """Insert an idempotency key; False when it is there or being written, without waiting."""
        ...

    def insert_if_absent(
        self, connection: BatchingConnection, table: str, row: dict[str, object]
    ) -> bool:
        """Insert a row into the table of this name; False when its key is taken."""
        ...

    def move_levels(
        self,
        connection: BatchingConnection,
        changes: Sequence[Change],
        *,
        striped: Collection[Place] = (),
        low_stock_threshold: int | None,
    ) -> Mapping[Place, Moved | None]:
        """Move the counters of each level that has enough, locking them in the order given.

        Tells how those that were moved stand now; None for one that crossed no line that people
        are told of. `low_stock_threshold` is for levels without one of their own. Those that were
        seen to be `striped` need not be found out to be; it may have changed since.
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
        """Spread a level over so many rows, where writers would otherwise queue for it.

        Call it with None after its threshold was changed.
        """
        ...

    def index_words(self, connection: BatchingConnection, product_id: UUID, words: str) -> None:
        """Make a product findable by these words."""
        ...

    def has_words(self, words: Sequence[str]) -> ColumnElement[bool]:
        """The condition that each of these begins some word of a product."""
        ...
