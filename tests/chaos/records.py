"""All records of a run, from all sources, as plain rows."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.chaos.gateway import Book
from tests.chaos.journal import read

Row = dict[str, Any]


@dataclass(slots=True)
class Records:
    """All records, from all sources."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    charges: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    mails: list[Row] = field(default_factory=list)
    stocked: Counter[str] = field(default_factory=Counter)
    """Units that there were at most, in the beginning and by what staff did."""

    @property
    def orders(self) -> dict[str, Row]:
        """Orders in the database, by their ids."""
        return {str(row["id"]): row for row in self.tables["orders"]}

    def by_order(self, table: str) -> dict[str, list[Row]]:
        """Rows of a table, by their orders."""
        return grouped(self.tables[table], lambda row: str(row["order_id"]))

    @property
    def acknowledged(self) -> dict[str, Row]:
        """The first answer to each checkout that made an order, by the order's id."""
        found: dict[str, Row] = {}
        for line in self.answers:
            if line["what"] == "checkout" and line.get("status") == 201:
                found.setdefault(json.loads(line["body"])["id"], line)
        return found


def load(
    database_url: str, book: Book, journal: Path, mails: Path, stocked: Mapping[str, int]
) -> Records:
    """Read everything."""
    records = Records(
        charges=book.charges,
        refunds=book.refunds,
        answers=list(read(journal)),
        mails=list(read(mails)),
    )
    records.stocked = Counter(stocked)
    for line in records.answers:
        if line["what"] in {"ask receive", "ask adjust"}:  # it may have come, answered or not
            records.stocked[line["sku"]] += line["units"]
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for name in (row["tablename"] for row in names):
            records.tables[name] = connection.execute(f'SELECT * FROM "{name}"').fetchall()
    return records


def grouped(rows: list[Row], key: Callable[[Row], str]) -> defaultdict[str, list[Row]]:
    """Rows by what they have in common."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups
