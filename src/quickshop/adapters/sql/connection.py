"""A connection of a transaction, which batches statements whose results are not needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError

Rows = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Batch = Sequence[tuple[Executable, Rows]]


class BatchingConnection:
    """Executes statements in order, but defers those passed to `later`.

    Deferred statements are sent together before the next `execute` and before the end of the
    transaction: on PostgreSQL in one round trip. Their violations are raised at that point.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queued: list[tuple[Executable, Rows]] = []

    def execute(
        self, statement: Executable, values: Rows | None = None, **options: Any
    ) -> CursorResult[Any]:
        """Execute a statement, after the deferred ones."""
        self.flush()
        return self._connection.execute(statement, values, **options)

    def later(self, statement: Executable, values: Rows) -> None:
        """Defer a statement whose result is not needed."""
        self._queued.append((statement, values))

    def flush(self) -> None:
        """Execute the deferred statements."""
        if self._queued:
            batch, self._queued = self._queued, []
            if len(batch) > 1 and self._connection.dialect.name == "postgresql":
                _send_in_one_go(self._connection, batch)
            else:
                for statement, values in batch:
                    self._connection.execute(statement, values)


def _send_in_one_go(connection: Connection, batch: Batch) -> None:
    driver: Any = connection.connection.driver_connection
    failure = connection.dialect.loaded_dbapi.Error
    try:
        with driver.pipeline():
            for statement, values in batch:
                connection.execute(statement, values)
    except failure as error:  # raised by the pipeline itself, not through SQLAlchemy
        raise DBAPIError.instance(
            None, None, error, failure, dialect=connection.dialect
        ) from error
