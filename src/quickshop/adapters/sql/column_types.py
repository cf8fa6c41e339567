"""Column types that behave the same on PostgreSQL and SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from quickshop.domain.errors import InvalidValueError


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC with a time zone, to the microsecond. SQLite stores it as sortable text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Reject times without a time zone, because they are ambiguous."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise InvalidValueError("time", "must have a time zone, such as UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Restore the UTC zone, which SQLite does not store."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text that both databases can store.

    PostgreSQL rejects NUL, and UTF-8 has no lone surrogates. Rules and entrypoints keep both out
    of stored text; here they are replaced, so that a search for them finds nothing instead of
    failing.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Replace characters that cannot be stored with U+FFFD."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return (
            value.encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
            .replace("\0", "\N{REPLACEMENT CHARACTER}")
        )


class SortedText(PlainText):
    """Text that both databases compare by code point, so that keyset paging is the same."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Set the collation, because PostgreSQL compares by the rules of a language by default."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TEXT(collation="C"))
        return dialect.type_descriptor(Text())


Json: Final = JSON().with_variant(postgresql.JSONB(), "postgresql")
RowNumber: Final = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""A generated key. SQLite generates keys only for INTEGER."""
