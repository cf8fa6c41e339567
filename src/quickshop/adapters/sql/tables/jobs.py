"""Background jobs and schedules."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, UniqueConstraint, Uuid

from quickshop.adapters.sql.column_types import Json, PlainText, UtcDateTime
from quickshop.adapters.sql.tables.schema import metadata, partial_index

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("effect", PlainText, nullable=False),
    Column("event_kind", PlainText, nullable=False),
    Column("event", Json, nullable=False),
    Column("subject", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is due; from when it may be claimed; until when its current lease lasts.
    Column("due_at", UtcDateTime, nullable=False),
    Column("available_at", UtcDateTime, nullable=False),
    Column("held_until", UtcDateTime),
    Column("error", PlainText, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    UniqueConstraint("event_id", "effect"),
    CheckConstraint("status IN ('waiting', 'done', 'dead')", name="status"),
    partial_index("ix_jobs_waiting", "available_at", "id", where="status = 'waiting'"),
    Index("ix_jobs_status", "status", "done_at"),
)

schedules: Final = Table(
    "schedules",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
)
