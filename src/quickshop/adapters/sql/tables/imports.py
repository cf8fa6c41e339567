"""Product files that staff uploaded."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CHAR,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Uuid,
)

from quickshop.adapters.sql.column_types import Json, PlainText, UtcDateTime
from quickshop.adapters.sql.tables.schema import metadata

imports: Final = Table(
    "imports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("file_name", PlainText, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("location", PlainText, nullable=False),
    Column("with_stock", Boolean, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("rows", Integer),
    Column("items_done", Integer, nullable=False),
    Column("counts", Json, nullable=False),
    Column("failure", PlainText, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    CheckConstraint("status IN ('waiting', 'running', 'done', 'failed')", name="status"),
    CheckConstraint(
        "(finished_at IS NULL) = (status IN ('waiting', 'running'))", name="finished_at"
    ),
)

import_chunks: Final = Table(
    "import_chunks",
    metadata,
    Column("import_id", ForeignKey(imports.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

import_issues: Final = Table(
    "import_issues",
    metadata,
    Column("import_id", ForeignKey(imports.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, nullable=False),
    Column("column_name", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("severity", PlainText, nullable=False),
    CheckConstraint("severity IN ('note', 'error')", name="severity"),
)
