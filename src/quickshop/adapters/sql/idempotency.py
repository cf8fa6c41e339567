"""Idempotency keys and their answers, stored in the same transaction as the work."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import bindparam, delete, select, update
from typing_extensions import override

from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.jobs import codec
from quickshop.adapters.sql.tables import idempotency_keys as keys
from quickshop.domain.errors import IdempotencyInProgressError, IdempotencyMismatchError
from quickshop.domain.idempotency import KEY_LIFETIME
from quickshop.ports.idempotency import IdempotencyRepository

T = TypeVar("T")

_THIS_KEY: Final = (keys.c.scope == bindparam("in_scope"), keys.c.key == bindparam("of_key"))
_FIND: Final = select(keys).where(*_THIS_KEY)
_STORE: Final = update(keys).where(*_THIS_KEY).values(answer=bindparam("text"))
_FORGET_EXPIRED: Final = delete(keys).where(keys.c.created_at < bindparam("before"))
_FORGET_THIS: Final = delete(keys).where(*_THIS_KEY, keys.c.created_at < bindparam("before"))


class SqlIdempotency(IdempotencyRepository):
    """Keys in a table. A reservation is a row that is not committed yet."""

    def __init__(self, connection: BatchingConnection, dialect: SqlDialect) -> None:
        self._connection = connection
        self._dialect = dialect

    @override
    def claim(
        self, scope: str, key: str, *, fingerprint: str, answer_type: type[T], now: datetime
    ) -> T | None:
        """Claim a key without waiting for another transaction."""
        row = {"scope": scope, "key": key, "fingerprint": fingerprint, "created_at": now}
        if self._dialect.reserve_key(self._connection, row):
            return None
        this = {"in_scope": scope, "of_key": key}
        found = self._connection.execute(_FIND, this).one_or_none()
        if found is None:
            raise IdempotencyInProgressError
        if found.created_at < now - KEY_LIFETIME:
            self._connection.execute(_FORGET_THIS, this | {"before": now - KEY_LIFETIME})
            if self._dialect.reserve_key(self._connection, row):
                return None
            raise IdempotencyInProgressError
        if found.fingerprint != fingerprint:
            raise IdempotencyMismatchError
        if found.answer is None:
            raise IdempotencyInProgressError
        answer: T = codec(answer_type).validate_json(found.answer)
        return answer

    @override
    def store(self, scope: str, key: str, answer: object) -> None:
        text = codec(type(answer)).dump_json(answer).decode()
        self._connection.later(_STORE, {"in_scope": scope, "of_key": key, "text": text})

    @override
    def purge_expired(self, now: datetime) -> int:
        return self._connection.execute(_FORGET_EXPIRED, {"before": now - KEY_LIFETIME}).rowcount

    @override
    def delete_of(self, asker: str) -> int:
        theirs = keys.c.scope.endswith(f":{asker}", autoescape=True)
        return self._connection.execute(delete(keys).where(theirs)).rowcount
