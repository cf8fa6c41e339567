"""Aggregates of one row each, saved with a check of their version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Insert, Table, Update, bindparam, insert, update

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import ConflictError
from quickshop.domain.events import Aggregate

A = TypeVar("A", bound=Aggregate)


@dataclass(frozen=True, slots=True)
class RowShape(Generic[A]):
    """The mapping of an aggregate to a row of its table, whose key is the first column."""

    table: Table
    kind: str
    """The name of the aggregate in messages."""
    row_of: Callable[[A], Mapping[str, Any]]
    """Returns the values of all columns except `version`."""


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _update(table: Table) -> Update:
    key = _key(table)
    return (
        update(table)
        .where(
            table.c[key] == bindparam("this", type_=table.c[key].type),
            table.c.version == bindparam("read_version"),
        )
        .values(
            {
                column.name: bindparam(f"new_{column.name}", type_=column.type)
                for column in table.c
                if column.name != key
            }
        )
    )


def _key(table: Table) -> str:
    return str(next(iter(table.primary_key)).name)


class AggregateRows(Generic[A]):
    """The rows of one kind of aggregate in one transaction."""

    def __init__(
        self,
        shape: RowShape[A],
        connection: BatchingConnection,
        tracker: Tracker,
        log: EventLog,
    ) -> None:
        self._shape = shape
        self._connection = connection
        self._tracker = tracker
        self._log = log

    def watch(self, aggregate: A) -> A:
        """Track an aggregate that was read: its changes must be saved."""
        self._tracker.watch(aggregate)
        return aggregate

    def add(self, aggregate: A) -> None:
        """Store a new aggregate and its events."""
        row = {**self._shape.row_of(aggregate), "version": 1}
        self._connection.execute(_insert(self._shape.table), row)
        self._finish(aggregate)

    def save(self, aggregate: A) -> None:
        """Store the changes of an aggregate and its events.

        Raises:
            ConflictError: another transaction saved it after it was read.
        """
        row = {**self._shape.row_of(aggregate), "version": aggregate.version + 1}
        this = row.pop(_key(self._shape.table))
        values = {f"new_{name}": value for name, value in row.items()}
        expected = {"this": this, "read_version": aggregate.version}
        done = self._connection.execute(_update(self._shape.table), values | expected)
        if done.rowcount == 0:
            raise ConflictError(self._shape.kind)
        self._finish(aggregate)

    def _finish(self, aggregate: A) -> None:
        self._log.write(aggregate)
        aggregate.version += 1
        self._tracker.watch(aggregate)
